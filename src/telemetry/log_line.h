// One line of the log, put together in a fixed buffer on the caller's stack: JSON, or for people. Any bytes are taken:
// what is not valid UTF-8 becomes U+FFFD, control characters (C1 too) are escaped, long texts are cut. Never fails: a
// field that does not fit is left out, with those after it, and the line says so.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "telemetry/log.h"

namespace parley::log_detail {

class LogLine {
 public:
  // Room for any message (2048 bytes, each escaped to six) and some fields.
  static constexpr std::size_t kCapacity = 16384;
  // Longest text of one value, in bytes of the text; cut at a whole character.
  static constexpr std::size_t kMaxTextBytes = 2048;

  LogLine(WallTime time, LogLevel level, std::string_view message, std::span<const LogField> fields, bool pretty);

  // With its line break.
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  void write_json(WallTime time, LogLevel level, std::string_view message, std::span<const LogField> fields);
  void write_pretty(WallTime time, LogLevel level, std::string_view message, std::span<const LogField> fields);
  void put(std::string_view text);
  void put_escaped(std::string_view text);
  void put_value(const LogValue& value, bool quote_always);
  void put_time(WallTime time);
  template <class Number>
  void put_number(Number number);

  // Kept free for the end of the line.
  static constexpr std::size_t kReserve = 32;
  std::size_t size_ = 0;
  bool full_ = false;
  std::array<char, kCapacity> bytes_;
};

}  // namespace parley::log_detail
