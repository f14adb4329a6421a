// One line of an IRC log, and the clock that turns its hours and minutes into times. Pure; any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace parley::import {

enum class IrcLineKind : std::uint8_t {
  kMessage,     // [hh:mm] <nick> text
  kEmptyText,   // the same without a text, or with white space only
  kServerLine,  // === joins, parts, new names
  kAction,      // [hh:mm] * nick waves
  kNotice,      // [hh:mm] -nick:#channel- text
  kBlank,
  kOther,
};

// For the summary: "event or action (===)".
std::string_view to_string(IrcLineKind kind);

struct IrcLine {
  IrcLineKind kind = IrcLineKind::kOther;
  std::optional<std::chrono::minutes> time;  // into the day, wherever the line begins with [hh:mm]
  std::string_view nick;                     // of kMessage, as written
  std::string_view text;                     // of kMessage
};

IrcLine parse_irc_line(std::string_view line);

// A log has hours and minutes only. Its day is known, and so is that its lines are in order: a time before the one
// above is later by 12 hours in a log on a 12-hour clock without am and pm, else by a day. 12:59 to 01:00 is 12 h back
// and a minute on, so noon and midnight need no rule of their own.
class IrcClock {
 public:
  IrcClock(std::chrono::sys_days day, bool twelve_hours)
      : day_(day), step_(twelve_hours ? std::chrono::hours(12) : std::chrono::hours(24)) {}
  // For every line that has a time, in order.
  WallTime at(std::chrono::minutes time);

 private:
  const std::chrono::sys_days day_;
  const std::chrono::minutes step_;
  std::chrono::minutes offset_{0};
  std::optional<std::chrono::minutes> last_;
};

// Learns whether a log runs on a 12-hour clock: none of its times is past hour 12.
class IrcClockKind {
 public:
  void saw(std::chrono::minutes time) { past_twelve_ = past_twelve_ || time >= std::chrono::hours(13); }
  bool twelve_hours() const { return !past_twelve_; }

 private:
  bool past_twelve_ = false;
};

// The first date in a file's name, as 2004-12-25, 2004_12_25 or 20041225 with no digit next to it.
std::optional<std::chrono::sys_days> date_in_name(std::string_view name);
// Exactly YYYY-MM-DD.
std::optional<std::chrono::sys_days> parse_date(std::string_view text);

}  // namespace parley::import
