// A sink that keeps what it is given, and a folder for a test's files that goes away with it.
#pragma once
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "import/import_source.h"

namespace parley::import {

class RecordingSink final : public ImportSink {
 public:
  bool message(const ImportConversation& conversation, ImportLine line) override {
    if (conversations.empty() || conversations.back().id != conversation.id) conversations.push_back(conversation);
    lines.push_back(std::move(line));
    return lines.size() < stop_after;
  }
  using ImportSink::left_out;
  void left_out(LeftOut why, std::string_view kind, std::string_view place, std::string_view detail) override {
    ++left[std::string(kind)];
    if (why == LeftOut::kFault) faults.push_back({std::string(place), std::string(kind) + ": " + std::string(detail)});
  }
  void noted(std::string_view kind) override { ++notes[std::string(kind)]; }
  void conversation_done(const ConversationId& id) override { done.push_back(id.value); }
  void file_done() override { ++files; }
  void advanced(std::uint64_t n) override { bytes += n; }

  std::vector<ImportConversation> conversations;
  std::vector<ImportLine> lines;
  std::map<std::string, int> left;
  std::vector<std::pair<std::string, std::string>> faults;  // place, kind: detail
  std::map<std::string, int> notes;
  std::vector<std::string> done;
  std::uint64_t bytes = 0;
  int files = 0;
  std::size_t stop_after = static_cast<std::size_t>(-1);
};

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "parley_import_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace parley::import
