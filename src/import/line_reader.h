// LineReader: the lines of a file, streamed. Takes off a byte order mark and the ends LF and CRLF; a last line without
// end counts. A line longer than the limit is read past without being held. One thread; owned by whoever reads.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace parley::import {

class LineReader {
 public:
  struct Line {
    std::string_view text;     // valid until the next call; cut at the limit when too_long
    std::uint64_t number = 0;  // from 1
    std::uint64_t bytes = 0;   // read from the file for it, its end included
    bool too_long = false;
  };

  LineReader(const std::filesystem::path& path, std::size_t max_line_bytes);

  // kInvalid when the file cannot be opened.
  Result<> opened() const;
  // False at the end of the file, or when reading fails: failed() tells them apart.
  bool next(Line& line);
  bool failed() const { return file_.bad(); }

 private:
  bool refill();

  const std::filesystem::path path_;
  const std::size_t max_line_bytes_;
  std::ifstream file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::string line_;
  std::uint64_t number_ = 0;
};

}  // namespace parley::import
