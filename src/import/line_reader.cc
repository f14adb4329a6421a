#include "import/line_reader.h"

#include <algorithm>
#include <cstring>

namespace parley::import {

namespace {
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
}  // namespace

LineReader::LineReader(const std::filesystem::path& path, std::size_t max_line_bytes)
    : path_(path), max_line_bytes_(max_line_bytes), file_(path, std::ios::binary), buffer_(kReadBytes) {}

Result<> LineReader::opened() const {
  if (file_.is_open()) return {};
  return fail(ErrorKind::kInvalid, "unreadable_file", "Cannot read " + path_.string() + ".");
}

bool LineReader::refill() {
  if (!file_.good()) return false;
  file_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  begin_ = 0;
  end_ = static_cast<std::size_t>(file_.gcount());
  return end_ > 0;
}

bool LineReader::next(Line& line) {
  line_.clear();
  bool any = false, ended = false, too_long = false;
  line.bytes = 0;
  // A CR that ends the line is no part of it, so one byte more than the limit may be held.
  const std::size_t held_limit = max_line_bytes_ + kByteOrderMark.size() + 1;
  while (!ended && (begin_ < end_ || refill())) {
    any = true;
    const char* from = buffer_.data() + begin_;
    const char* newline = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
    ended = newline != nullptr;
    const std::size_t length = ended ? static_cast<std::size_t>(newline - from) : end_ - begin_;
    const std::size_t kept = std::min(length, held_limit - line_.size());
    too_long = too_long || kept < length;
    line_.append(from, kept);
    begin_ += length + (ended ? 1 : 0);
    line.bytes += length + (ended ? 1 : 0);
  }
  if (!any) return false;
  std::string_view text = line_;
  if (number_ == 0 && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!too_long && text.ends_with('\r')) text.remove_suffix(1);
  too_long = too_long || text.size() > max_line_bytes_;
  line.text = text.substr(0, max_line_bytes_);
  line.too_long = too_long;
  line.number = ++number_;
  return true;
}

}  // namespace parley::import
