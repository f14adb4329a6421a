// `--format slack`: the folder of an unpacked Slack export: users.json, channels.json (and groups.json), and a folder
// with a file a day for each channel. Each channel becomes one conversation, threads become replies. Holds one day file
// at a time, and the names of users and channels. One thread reads.
#pragma once
#include <boost/json/fwd.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/import_source.h"
#include "import/source_files.h"

namespace parley::import {

class SlackSource final : public ImportSource {
 public:
  // kInvalid when the folder has no readable channels.json. `clock` must outlive the source.
  static Result<std::unique_ptr<SlackSource>> open(const std::filesystem::path& folder, std::string conversation_prefix,
                                                   const Clock& clock);

  std::uint64_t total_bytes() const override;
  Result<> read(ImportSink& sink) override;

 private:
  struct Channel {
    ImportConversation conversation;
    std::vector<SourceFile> days;
  };
  struct Post;  // a message of a day file, before it is put in order

  SlackSource(std::string conversation_prefix, const Clock& clock);
  Result<> load_users(const std::filesystem::path& file);
  Result<> load_channels(const std::filesystem::path& folder, const char* list, bool required);
  // False: the import has failed, stop.
  bool read_day(const Channel& channel, const SourceFile& day, ImportSink& sink) const;
  bool read_post(const Channel& channel, const std::string& file, const Post& post, ImportSink& sink) const;
  void add_reaction(const boost::json::object& given, ImportLine& line, ImportSink& sink) const;
  std::string author_of(const boost::json::object& message) const;
  std::string author_of_user(std::string_view user_id) const;
  std::string name_of(std::string_view id) const;

  const std::string conversation_prefix_;
  const Clock& clock_;
  std::unordered_map<std::string, std::string> user_names_;     // by id; unique in the workspace
  std::unordered_map<std::string, std::string> channel_names_;  // by id
  std::vector<Channel> channels_;
};

}  // namespace parley::import
