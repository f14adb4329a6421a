// The process's log: JSON lines on stdout (pretty on a terminal), with ts, level, msg and key-values. Any thread.
// A line is put together on the caller's stack and copied into a bounded buffer that a thread of the log writes out
// every 200 ms, sooner when it fills, at once on warn and above. Logging never blocks and never fails: when stdout does
// not take the lines they are dropped and counted. A disabled level costs one load and a branch. Never log content of
// messages, tokens or query strings.
#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace parley {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

std::string_view to_string(LogLevel level);  // "info"
std::optional<LogLevel> parse_log_level(std::string_view text);

// A value of a field. Refers to text, never owns it; numbers are written as JSON numbers (NaN and infinities as null).
class LogValue {
 public:
  enum class Kind : std::uint8_t { kText, kSigned, kUnsigned, kDouble, kBool };

  LogValue() : LogValue(std::string_view()) {}
  LogValue(std::string_view text) : kind_(Kind::kText), text_(text) {}
  LogValue(const std::string& text) : LogValue(std::string_view(text)) {}
  LogValue(const char* text) : LogValue(std::string_view(text)) {}
  template <std::signed_integral T>
  LogValue(T number) : kind_(Kind::kSigned), signed_(number) {}
  template <std::unsigned_integral T>
  LogValue(T number) : kind_(Kind::kUnsigned), unsigned_(number) {}
  LogValue(bool value) : kind_(Kind::kBool), bool_(value) {}
  LogValue(double number) : kind_(Kind::kDouble), double_(number) {}

  Kind kind() const { return kind_; }
  std::string_view as_text() const { return text_; }
  std::int64_t as_signed() const { return signed_; }
  std::uint64_t as_unsigned() const { return unsigned_; }
  double as_double() const { return double_; }
  bool as_bool() const { return bool_; }

 private:
  Kind kind_;
  union {
    std::string_view text_;
    std::int64_t signed_;
    std::uint64_t unsigned_;
    double double_;
    bool bool_;
  };
};

struct LogField {
  std::string_view key;  // a literal of ours: snake_case, not escaped
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

namespace log_detail {
extern std::atomic<LogLevel> least_level;
void write(LogLevel level, std::string_view message, std::span<const LogField> fields);
}  // namespace log_detail

inline bool log_enabled(LogLevel level) {
  return level >= log_detail::least_level.load(std::memory_order_acquire);
}

inline void log_at(LogLevel level, std::string_view message, LogFields fields = {}) {
  if (log_enabled(level)) [[unlikely]]
    log_detail::write(level, message, {fields.begin(), fields.size()});
}
inline void log_trace(std::string_view message, LogFields fields = {}) {
  log_at(LogLevel::kTrace, message, fields);
}
inline void log_debug(std::string_view message, LogFields fields = {}) {
  log_at(LogLevel::kDebug, message, fields);
}
inline void log_info(std::string_view message, LogFields fields = {}) {
  log_at(LogLevel::kInfo, message, fields);
}
inline void log_warn(std::string_view message, LogFields fields = {}) {
  log_at(LogLevel::kWarn, message, fields);
}
inline void log_error(std::string_view message, LogFields fields = {}) {
  log_at(LogLevel::kError, message, fields);
}

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool pretty = false;
  const Clock* clock = nullptr;  // null: the system's; else it must outlive the log
  // Where whole lines go, called by one thread at a time; empty: file descriptor 1.
  std::function<void(std::string_view lines)> sink;
};

// Owned by main (or a test): while it lives, the process logs; before and after, every level is disabled. One at a
// time.
class Log {
 public:
  explicit Log(LogOptions options);
  // Writes what is buffered, as far as the sink takes it.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Writes out what was logged so far; returns when it is written.
  static void flush();
  // Lines dropped so far because the sink was too slow.
  static std::uint64_t dropped();
};

// Whether LOG_FORMAT (auto, json, pretty) means pretty, for this process's stdout.
bool wants_pretty_log(std::string_view format);

// Has SIGSEGV, SIGABRT, SIGBUS, SIGFPE and SIGILL write out the buffered lines before they take their usual course.
void flush_log_on_crash();

// One answered request, as the access log tells it.
struct AccessRecord {
  std::string_view role;
  std::string_view request_id;
  std::string_view tenant;  // empty: none known
  std::string_view user;
  std::string_view method;
  std::string_view route;  // the pattern, never the path or the query
  std::string_view peer;
  int status = 0;
  std::chrono::nanoseconds duration{};
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};
void log_access(const AccessRecord& record);

}  // namespace parley
