// Which files an import reads, and the conversation that a file's name makes. Pure but for the file system; any thread.
#pragma once
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "import/import_source.h"

namespace parley::import {

struct SourceFile {
  std::filesystem::path path;
  std::string name;  // the last part of the path
  std::uint64_t bytes = 0;
};

// `path` itself if it is a file, whatever its name; else the files of that folder (not of folders in it) whose name
// ends in one of `extensions` (".txt"; case does not matter) and does not begin with a dot, sorted by name. kInvalid
// when `path` does not exist, or no file is left.
Result<std::vector<SourceFile>> find_source_files(const std::filesystem::path& path,
                                                  std::initializer_list<std::string_view> extensions);

// Id and name: the file's name without its last extension, the id behind `prefix`.
ImportConversation conversation_of_file(std::string_view file_name, std::string_view prefix);

std::uint64_t total_size(const std::vector<SourceFile>& files);

// For the report: "name:12".
std::string place_in(std::string_view file_name, std::uint64_t line);

// `text` cut to at most `limit` bytes, between characters.
std::string_view cut_utf8(std::string_view text, std::size_t limit);

}  // namespace parley::import
