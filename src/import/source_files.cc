#include "import/source_files.h"

#include <algorithm>

#include "base/text.h"

namespace parley::import {

namespace fs = std::filesystem;

namespace {

bool has_extension(std::string_view name, std::initializer_list<std::string_view> extensions) {
  return std::ranges::any_of(extensions, [name](std::string_view extension) {
    return name.size() > extension.size() &&
           equals_ignoring_ascii_case(name.substr(name.size() - extension.size()), extension);
  });
}

std::unexpected<Error> unreadable(const fs::path& path) {
  return fail(ErrorKind::kInvalid, "unreadable_file", "Cannot read " + path.string() + ".");
}

}  // namespace

Result<std::vector<SourceFile>> find_source_files(const fs::path& path,
                                                  std::initializer_list<std::string_view> extensions) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  std::vector<SourceFile> files;
  if (fs::is_regular_file(status)) {
    const std::uint64_t bytes = fs::file_size(path, error);
    if (error) return unreadable(path);
    files.push_back({path, path.filename().string(), bytes});
    return files;
  }
  if (!fs::is_directory(status)) return unreadable(path);
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::error_code unknown;
    if (name.starts_with('.') || !has_extension(name, extensions) || !entry->is_regular_file(unknown)) continue;
    const std::uint64_t bytes = entry->file_size(unknown);
    files.push_back({entry->path(), std::move(name), unknown ? 0 : bytes});
  }
  if (error) return unreadable(path);
  if (files.empty()) {
    std::string wanted;
    for (const std::string_view extension : extensions) wanted.append(wanted.empty() ? "*" : ", *").append(extension);
    return fail(ErrorKind::kInvalid, "no_source_files", path.string() + " has no file to import (" + wanted + ").");
  }
  std::ranges::sort(files, {}, &SourceFile::name);
  return files;
}

ImportConversation conversation_of_file(std::string_view file_name, std::string_view prefix) {
  const std::size_t dot = file_name.rfind('.');
  const std::string_view stem = dot == std::string_view::npos || dot == 0 ? file_name : file_name.substr(0, dot);
  return {ConversationId(std::string(prefix).append(stem)), std::string(stem), {}};
}

std::uint64_t total_size(const std::vector<SourceFile>& files) {
  std::uint64_t bytes = 0;
  for (const SourceFile& file : files) bytes += file.bytes;
  return bytes;
}

std::string place_in(std::string_view file_name, std::uint64_t line) {
  return std::string(file_name).append(":").append(std::to_string(line));
}

std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace parley::import
