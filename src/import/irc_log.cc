#include "import/irc_log.h"

#include <algorithm>

namespace parley::import {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::chrono::minutes> leading_time(std::string_view line) {
  if (line.size() < 7 || line[0] != '[' || line[3] != ':' || line[6] != ']') return std::nullopt;
  const auto hour = digits(line, 1, 2), minute = digits(line, 4, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return std::chrono::minutes(*hour * 60 + *minute);
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

std::optional<std::chrono::sys_days> make_date(std::optional<int> year, std::optional<int> month,
                                               std::optional<int> day) {
  if (!year || !month || !day || *year < 1970) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

}  // namespace

std::string_view to_string(IrcLineKind kind) {
  switch (kind) {
    case IrcLineKind::kMessage:
      return "message";
    case IrcLineKind::kEmptyText:
      return "empty text";
    case IrcLineKind::kServerLine:
      return "event or action (===)";
    case IrcLineKind::kAction:
      return "action (* nick)";
    case IrcLineKind::kNotice:
      return "notice (-nick-)";
    case IrcLineKind::kBlank:
      return "blank line";
    case IrcLineKind::kOther:
      return "other";
  }
  return "other";
}

IrcLine parse_irc_line(std::string_view line) {
  IrcLine parsed;
  if (is_blank(line)) {
    parsed.kind = IrcLineKind::kBlank;
    return parsed;
  }
  parsed.time = leading_time(line);
  if (!parsed.time) {
    if (line.starts_with("===")) parsed.kind = IrcLineKind::kServerLine;
    return parsed;
  }
  const std::string_view rest = line.substr(7);
  if (rest.starts_with(" * ") || rest == " *" || rest.starts_with("  *")) {
    parsed.kind = IrcLineKind::kAction;
  } else if (rest.starts_with(" -")) {
    parsed.kind = IrcLineKind::kNotice;
  } else if (rest.starts_with(" <")) {
    const std::size_t close = rest.find('>');
    if (close == std::string_view::npos || is_blank(rest.substr(2, close - 2))) return parsed;
    const std::string_view text = rest.substr(close + 1);
    if (is_blank(text)) {
      parsed.kind = IrcLineKind::kEmptyText;
    } else if (text.starts_with(' ')) {
      parsed.kind = IrcLineKind::kMessage;
      parsed.nick = rest.substr(2, close - 2);
      parsed.text = text.substr(1);
    }
  }
  return parsed;
}

WallTime IrcClock::at(std::chrono::minutes time) {
  if (last_ && time < *last_) offset_ += step_;
  last_ = time;
  return WallTime(day_) + offset_ + time;
}

std::optional<std::chrono::sys_days> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  return make_date(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
}

std::optional<std::chrono::sys_days> date_in_name(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_digit(name[i]) || (i > 0 && is_digit(name[i - 1]))) continue;
    std::size_t run = 0;
    while (i + run < name.size() && is_digit(name[i + run])) ++run;
    if (run == 8) {
      if (const auto date = make_date(digits(name, i, 4), digits(name, i + 4, 2), digits(name, i + 6, 2))) return date;
    }
    if (run != 4 || i + 10 > name.size()) continue;
    const char separator = name[i + 4];
    if ((separator != '-' && separator != '_') || name[i + 7] != separator) continue;
    if (i + 10 < name.size() && is_digit(name[i + 10])) continue;
    if (const auto date = make_date(digits(name, i, 4), digits(name, i + 5, 2), digits(name, i + 8, 2))) return date;
  }
  return std::nullopt;
}

}  // namespace parley::import
