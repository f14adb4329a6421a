// What every index asks of the requests that it gets, and how it puts its answers together, so that all answer alike.
// Pure; any thread.
#pragma once
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "search/search_index.h"

namespace parley::search {

// invalid (scope_too_large) beyond kMaxScope.
Result<> check_scope(const SearchScope& scope);
// invalid (query.q) above kMaxQueryBytes, or not UTF-8.
Result<> check_typed(std::string_view text);
// invalid (query.limit) outside 1 to kMaxHits.
Result<> check_limit(std::size_t limit);
std::unexpected<Error> not_a_cursor();
// invalid (scope_too_large, query.q) for names that are too many or no text.
Result<> check_names(const NamesRequest& request);

// Where an entry of the directory stands among those that fit: by how well it fits, then by name. A cursor is the place
// of the last entry of a page, so that what is added or gone meanwhile moves nothing else.
struct DirectoryPlace {
  int rank = 0;
  std::string text;
  std::string id;
  auto operator<=>(const DirectoryPlace&) const = default;

  // `kind`: 'c' for conversations, 'u' for people.
  std::string cursor(char kind) const;
  static std::optional<DirectoryPlace> parse(char kind, std::string_view cursor);
};
// The place after which the page begins; none at the beginning. invalid as the checks above say.
Result<std::optional<DirectoryPlace>> check_directory_request(const DirectoryRequest& request, char kind);

// The first of the texts in which something of the query is marked; else the first that is not empty. HTML.
std::string marked(const Query& query, std::initializer_list<std::string_view> texts);

// A third for each kind; what one lacks the others have, words first.
std::vector<Suggestion> mix_suggestions(std::vector<std::string> words, std::vector<Suggestion> rooms,
                                        std::vector<Suggestion> people, std::size_t limit);

// As SearchRequest::after says.
std::unexpected<Error> begun_before_the_swap();

}  // namespace parley::search
