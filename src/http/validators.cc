#include "http/validators.h"

#include <array>
#include <cstdio>

#include "base/text.h"

namespace parley::http {

namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::chrono::sys_seconds whole_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

void skip_blanks_and_commas(std::string_view& list) {
  while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ',')) list.remove_prefix(1);
}

// Takes the next entity tag off `list`, without its W/; empty at the end or where the list is malformed.
std::string_view take_opaque_tag(std::string_view& list) {
  skip_blanks_and_commas(list);
  if (list.starts_with("W/")) list.remove_prefix(2);
  if (!list.starts_with('"')) return {};
  const std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return {};
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(tag.size());
  return tag;
}

// Whether the value of an If-None-Match names `etag`.
bool names_tag(std::string_view list, std::string_view etag) {
  if (list == "*") return true;
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  for (std::string_view tag = take_opaque_tag(list); !tag.empty(); tag = take_opaque_tag(list)) {
    if (tag == etag) return true;
  }
  return false;
}

}  // namespace

std::string format_http_date(WallTime time) {
  const std::chrono::sys_seconds seconds = whole_seconds(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[48];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays[std::chrono::weekday(day).c_encoding()],
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return text;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  if (text.size() != 29) return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t digits) { return parse_u64(text.substr(at, digits)); };
  const auto day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2),
             second = number(23, 2);
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  for (unsigned month = 1; month <= 12; ++month) {
    if (text.substr(8, 3) != kMonths[month - 1]) continue;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(month),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    const WallTime time = std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                          std::chrono::seconds(*second);
    // Says the same again: so every character was right, and so were the bounds of each number.
    if (format_http_date(time) == text) return time;
  }
  return std::nullopt;
}

bool is_not_modified(const Request& request, std::string_view etag, WallTime last_modified) {
  if (request.method != Method::kGet && request.method != Method::kHead) return false;
  bool has_tags = false;
  for (const Field& field : request.fields) {
    if (field.id != FieldId::if_none_match) continue;
    if (names_tag(field.value, etag)) return true;
    has_tags = true;
  }
  if (has_tags) return false;
  const auto since = request.fields.find(FieldId::if_modified_since);
  const std::optional<WallTime> date = since ? parse_http_date(*since) : std::nullopt;
  return date && *date >= whole_seconds(last_modified);
}

bool is_same_content(const Request& request, std::string_view etag, WallTime last_modified) {
  const auto wanted = request.fields.find(FieldId::if_range);
  if (!wanted) return true;
  if (request.fields.count(FieldId::if_range) > 1) return false;
  if (wanted->starts_with('"')) return *wanted == etag;
  const std::optional<WallTime> date = parse_http_date(*wanted);
  return date && *date == whole_seconds(last_modified);
}

}  // namespace parley::http
