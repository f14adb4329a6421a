#include "search/index_requests.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/text.h"
#include "search/query_parser.h"
#include "search/text/highlight.h"

namespace parley::search {

namespace {

template <class Number>
bool take_number(std::string_view& cursor, Number& number) {
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (error != std::errc() || number < 0 || end == cursor.data() + cursor.size() || *end != ':') return false;
  cursor.remove_prefix(static_cast<std::size_t>(end - cursor.data()) + 1);
  return true;
}

}  // namespace

Result<> check_scope(const SearchScope& scope) {
  if (scope.conversations.size() > kMaxScope) {
    return fail(ErrorKind::kInvalid, "scope_too_large", "The search spans too many conversations; name some with in:.");
  }
  return {};
}

Result<> check_typed(std::string_view text) {
  if (text.size() > kMaxQueryBytes) return invalid_field("query.q", "is longer than 1024 bytes");
  if (!is_valid_utf8(text)) return invalid_field("query.q", "is not valid UTF-8");
  return {};
}

Result<> check_limit(std::size_t limit) {
  if (limit < 1 || limit > kMaxHits) return invalid_field("query.limit", "must be from 1 to 100");
  return {};
}

std::unexpected<Error> not_a_cursor() {
  return invalid_field("query.cursor", "is not a cursor of this search");
}

Result<> check_names(const NamesRequest& request) {
  if (auto fits = check_scope(request.scope); !fits) return fits;
  for (const auto* names : {&request.users, &request.conversations}) {
    if (names->size() > kMaxPhrases * 4) return invalid_field("query.q", "names too many people or conversations");
    for (const std::string& name : *names) {
      if (auto valid = check_typed(name); !valid) return valid;
    }
  }
  return {};
}

std::string DirectoryPlace::cursor(char kind) const {
  return std::string(1, kind) + std::to_string(rank) + ':' + std::to_string(text.size()) + ':' + text + id;
}

std::optional<DirectoryPlace> DirectoryPlace::parse(char kind, std::string_view cursor) {
  if (cursor.size() < 2 || cursor.front() != kind || !is_valid_utf8(cursor)) return std::nullopt;
  cursor.remove_prefix(1);
  DirectoryPlace place;
  std::size_t size = 0;
  if (!take_number(cursor, place.rank) || !take_number(cursor, size) || size >= cursor.size()) return std::nullopt;
  place.text = cursor.substr(0, size);
  place.id = cursor.substr(size);
  if (!is_valid_utf8(place.text)) return std::nullopt;
  return place;
}

Result<std::optional<DirectoryPlace>> check_directory_request(const DirectoryRequest& request, char kind) {
  if (auto fits = check_scope(request.scope); !fits) return fail(fits.error());
  if (auto valid = check_typed(request.text); !valid) return fail(valid.error());
  if (auto valid = check_limit(request.limit); !valid) return fail(valid.error());
  if (!request.after) return std::optional<DirectoryPlace>();
  auto after = DirectoryPlace::parse(kind, *request.after);
  if (!after) return not_a_cursor();
  return after;
}

std::string marked(const Query& query, std::initializer_list<std::string_view> texts) {
  std::string plain;
  for (const std::string_view text : texts) {
    std::string html = highlight(text, query);
    if (html.contains("<em>")) return html;
    if (plain.empty()) plain = std::move(html);
  }
  return plain;
}

std::vector<Suggestion> mix_suggestions(std::vector<std::string> words, std::vector<Suggestion> rooms,
                                        std::vector<Suggestion> people, std::size_t limit) {
  std::size_t room_count = std::min(rooms.size(), limit / 3);
  std::size_t people_count = std::min(people.size(), limit / 3);
  words.resize(std::min(words.size(), limit - room_count - people_count));
  room_count = std::min(rooms.size(), limit - words.size() - people_count);
  people_count = std::min(people.size(), limit - words.size() - room_count);
  std::vector<Suggestion> mixed;
  for (std::string& word : words) mixed.push_back({.text = std::move(word), .id = {}});
  std::move(rooms.begin(), rooms.begin() + static_cast<std::ptrdiff_t>(room_count), std::back_inserter(mixed));
  std::move(people.begin(), people.begin() + static_cast<std::ptrdiff_t>(people_count), std::back_inserter(mixed));
  return mixed;
}

std::unexpected<Error> begun_before_the_swap() {
  return fail(Error{ErrorKind::kInvalid,
                    "invalid_cursor",
                    "The search index was built anew since this search began; begin it again.",
                    {{"query.cursor", "is of the index before this one; begin again without it"}},
                    {}});
}

}  // namespace parley::search
