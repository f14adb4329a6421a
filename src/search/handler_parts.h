// What the handlers of searches are made of, in the order in which they use it: the question out of the parameters,
// the wait for min_position, the caller's scope, what the index finds, what messaging still shows of it.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/cursor_scope.h"
#include "http/message.h"
#include "search/handlers.h"

namespace parley::search {

// Until when the index may work on the call, all it is asked together.
SteadyTime index_deadline(const Call& call);

// Parameters.
std::string text_of(const Call& call, std::string_view name);  // "" when not given
std::size_t page_limit(const Call& call);
// Of search_messages: the language of `q` with the filters that are parameters too. 400 query.q when there is neither.
Result<Query> message_query(const Call& call);
// The words of a query without its filters, quotes and signs, as a name is searched by.
std::string plain_words(const Query& query);

// Waits until the index has what min_position names, at most wait_ms. 400 query.min_position; 503 index_behind.
Task<Result<>> wait_for_position(Call& call);

struct CallerScope {
  SearchScope scope;
  bool complete = true;
  Sha256 digest{};
};
// Asks messaging now: what was left a moment ago is not in it.
Task<Result<CallerScope>> caller_scope(Call& call);
// For what everybody of the tenant may see.
CallerScope tenant_scope(const Call& call);

// A cursor is bound to the list; inside it, unreadable, is the index's own mark and the near words searched for.
struct PageMark {
  std::string near_words;  // empty: as typed
  std::string after;
};
std::string seal(const Call& call, const http::CursorScope& list, const PageMark& mark);
// None: no cursor was given. 400 invalid_cursor.
Result<std::optional<PageMark>> open_cursor(const Call& call, const http::CursorScope& list);

struct MessageQuestion {
  Query query;  // names in from and in
  Sort sort = Sort::kRelevance;
  std::optional<PageMark> mark;
  std::size_t limit = 0;
  std::string key;  // what tells it from every other question of every caller
};
// The query whose words were found: near ones where those as typed matched nothing.
Query effective_query(const Query& query, const std::optional<std::string>& near_words);
Task<Result<FoundMessages>> find_messages(Call& call, const CallerScope& scope, MessageQuestion question);

enum class DirectoryKind { kConversations, kUsers };
struct DirectoryQuestion {
  DirectoryKind kind;
  std::string text;
  std::optional<std::string> after;
  std::size_t limit = 0;
  std::string key;
};
Task<Result<FoundEntries>> find_entries(Call& call, const CallerScope& scope, DirectoryQuestion question);

// Looks up what was found, and meanwhile keeps `query` among the caller's recent searches, unless it is empty.
Task<Result<FoundObjects>> lookup_and_record(Call& call, WantedObjects wanted, std::string query);

std::int64_t milliseconds_since(const Call& call);

}  // namespace parley::search
