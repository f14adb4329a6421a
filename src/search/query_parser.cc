#include "search/query_parser.h"

#include <array>
#include <chrono>

#include "base/text.h"

namespace parley::search {

namespace {

constexpr std::array<std::string_view, 3> kOpeningQuotes{"\"", "\u201C", "\u201E"};
constexpr std::array<std::string_view, 3> kClosingQuotes{"\"", "\u201D", "\u201C"};
constexpr std::string_view kWideSpace = "\u3000";

template <std::size_t N>
std::size_t starts_with_any(std::string_view text, const std::array<std::string_view, N>& marks) {
  for (const std::string_view mark : marks) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

std::size_t space_at(std::string_view text) {
  if (text.starts_with(kWideSpace)) return kWideSpace.size();
  return !text.empty() && static_cast<unsigned char>(text[0]) <= ' ' ? 1 : 0;
}

struct Item {
  std::string text;
  std::string field;  // of field:value, lower-case
  bool quoted = false;
  bool excluded = false;
};

bool is_field(std::string_view name) {
  for (const std::string_view known : {"from", "in", "before", "after", "on", "has", "mentions"}) {
    if (equals_ignoring_ascii_case(name, known)) return true;
  }
  return false;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool next(Item& item) {
    while (const std::size_t space = space_at(rest_)) rest_.remove_prefix(space);
    if (rest_.empty()) return false;
    item = {};
    if (rest_.size() > 1 && rest_[0] == '-' && space_at(rest_.substr(1)) == 0) {
      item.excluded = true;
      rest_.remove_prefix(1);
    }
    if (const std::size_t colon = rest_.find(':'); colon != rest_.npos && is_field(rest_.substr(0, colon))) {
      for (const char c : rest_.substr(0, colon)) item.field += static_cast<char>(c | 0x20);
      rest_.remove_prefix(colon + 1);
    }
    item.text = read_value(item.quoted);
    return true;
  }

 private:
  // A quoted text, to the end when its closing quote is missing; else up to the next space.
  std::string read_value(bool& quoted) {
    if (const std::size_t opening = starts_with_any(rest_, kOpeningQuotes)) {
      quoted = true;
      rest_.remove_prefix(opening);
      return read_until([](std::string_view rest) { return starts_with_any(rest, kClosingQuotes); });
    }
    return read_until(space_at);
  }
  template <class Ends>
  std::string read_until(Ends ends) {
    std::string value;
    while (!rest_.empty()) {
      if (const std::size_t end = ends(rest_)) {
        rest_.remove_prefix(end);
        return value;
      }
      value += rest_[0];
      rest_.remove_prefix(1);
    }
    return value;
  }

  std::string_view rest_;
};

struct Day {
  WallTime begin;
  WallTime end;
};

// A day, or for a full time the moment itself.
std::optional<Day> parse_day(std::string_view text) {
  if (text.size() == 10) {
    const auto begin = parse_rfc3339(std::string(text) + "T00:00:00Z");
    if (!begin) return std::nullopt;
    return Day{*begin, *begin + std::chrono::days(1)};
  }
  const auto moment = parse_rfc3339(text);
  if (!moment) return std::nullopt;
  return Day{*moment, *moment + std::chrono::milliseconds(1)};
}

void set_not_before(Query& query, WallTime at) {
  query.not_before = std::max(query.not_before.value_or(at), at);
}
void set_before(Query& query, WallTime at) {
  query.before = std::min(query.before.value_or(at), at);
}

void add_time(Query& query, std::string_view field, const Day& day, bool excluded) {
  if (field == "on") {
    if (excluded) return query.none_of.times.push_back({day.begin, day.end});
    set_not_before(query, day.begin);
    set_before(query, day.end);
  } else if (field == "after") {
    excluded ? set_before(query, day.end) : set_not_before(query, day.end);
  } else {
    excluded ? set_not_before(query, day.begin) : set_before(query, day.begin);
  }
}

class Assembly {
 public:
  void add(Item item) {
    if (!item.field.empty()) {
      if (add_filter(query_, item.field, item.text, item.excluded)) {
        or_pending_ = last_was_phrase_ = false;
        return;
      }
      item.text = item.field + ":" + item.text;
    }
    if (!item.quoted && !item.excluded && item.text == "OR") {
      or_pending_ = !query_.clauses.empty() && !query_.clauses.back().excluded && last_was_phrase_;
      if (or_pending_) return;
    }
    add_phrase(std::move(item));
  }
  Query finish() { return std::move(query_); }

 private:
  void add_phrase(Item item) {
    Phrase phrase{.text = std::move(item.text), .exact = item.quoted};
    if (!item.quoted && phrase.text.size() > 1 && phrase.text.ends_with('*')) {
      phrase.prefix = true;
      phrase.text.pop_back();
    }
    const bool joins = or_pending_ && !item.excluded;
    or_pending_ = false;
    last_was_phrase_ = true;
    if (phrase.text.empty() || ++phrases_ > kMaxPhrases) return;
    if (joins) {
      query_.clauses.back().any_of.push_back(std::move(phrase));
    } else {
      query_.clauses.push_back({.any_of = {std::move(phrase)}, .excluded = item.excluded});
    }
  }

  Query query_;
  bool or_pending_ = false;
  bool last_was_phrase_ = false;
  std::size_t phrases_ = 0;
};

}  // namespace

bool add_filter(Query& query, std::string_view field, std::string_view value, bool excluded) {
  if (value.empty()) return false;
  Exclusions& none = query.none_of;
  if (field == "from") {
    (excluded ? none.from : query.from).emplace_back(value);
  } else if (field == "in") {
    (excluded ? none.in : query.in).emplace_back(value);
  } else if (field == "has") {
    if (value == "file") return (excluded ? none.file : query.has_file) = true;
    if (value == "link") return (excluded ? none.link : query.has_link) = true;
    return value == "reaction" && ((excluded ? none.reaction : query.has_reaction) = true);
  } else if (field == "mentions") {
    return value == "me" && ((excluded ? none.mention_of_me : query.mentions_me) = true);
  } else {
    const auto day = parse_day(value);
    if (!day) return false;
    add_time(query, field, *day, excluded);
  }
  return true;
}

Result<Query> parse_query(std::string_view text) {
  if (text.size() > kMaxQueryBytes) return invalid_field("query.q", "is longer than 1024 bytes");
  if (!is_valid_utf8(text)) return invalid_field("query.q", "is not valid UTF-8");
  Reader reader(text);
  Assembly assembly;
  for (Item item; reader.next(item);) assembly.add(std::move(item));
  return assembly.finish();
}

}  // namespace parley::search
