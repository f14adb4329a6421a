#include <boost/json/value.hpp>

#include "base/join.h"
#include "search/handler_parts.h"
#include "search/json_encoding.h"
#include "search/query_parser.h"
#include "search/text/highlight.h"

namespace parley::search {

namespace {

namespace json = boost::json;

http::CursorScope message_list(const Call& call) {
  return {
      "search_messages",
      *call.caller,
      {text_of(call, "q"), text_of(call, "sort"), text_of(call, "from"), text_of(call, "in"), text_of(call, "before"),
       text_of(call, "after"), text_of(call, "on"), text_of(call, "has"), text_of(call, "mentions")}};
}

http::CursorScope entry_list(const Call& call, DirectoryKind kind) {
  return {kind == DirectoryKind::kUsers ? "search_users" : "search_conversations", *call.caller, {text_of(call, "q")}};
}

// The list and the place in it.
std::string key_of(const Call& call, const http::CursorScope& list, std::string_view place) {
  return list.text() + ' ' + std::to_string(page_limit(call)) + ' ' + std::string(place);
}

SearchNote note_of(const Call& call, events::LogOffset through, std::optional<std::string> near_words) {
  return {milliseconds_since(call), call.search.log.position_of(call.caller->tenant, through), std::move(near_words)};
}

std::string recorded_query(const Call& call, bool first_page) {
  return first_page ? text_of(call, "q") : std::string();
}

std::vector<std::string> ids_of(const SearchPage& page) {
  std::vector<std::string> ids;
  for (const Hit& hit : page.items) ids.push_back(hit.id.value);
  return ids;
}

std::vector<std::string> ids_of(const DirectoryPage& page) {
  std::vector<std::string> ids;
  for (const DirectoryHit& hit : page.items) ids.push_back(hit.id);
  return ids;
}

// An edit may be newer than the index: what is lit up is the text that is shown, and the names that an edit leaves.
std::string present_highlight(const json::object& message, const Hit& hit, const Query& query) {
  const json::value* const edited_at = message.if_contains("edited_at");
  const json::value* const content = message.if_contains("content");
  const bool edited = edited_at != nullptr && !edited_at->is_null() && content != nullptr && content->is_string();
  if (!edited) return hit.highlight;
  std::string text(content->get_string());
  if (!text.empty() && !hit.file_names.empty()) text += '\n';
  return highlight(text + hit.file_names, query);
}

// What messaging does not show is left out, and is not counted.
void leave_out(const Call& call, ShownPage& shown, std::size_t found) {
  const std::size_t gone = found - shown.items.size();
  if (gone == 0) return;
  call.search.metrics.left_out(gone);
  shown.total = std::max<std::int64_t>(shown.total - static_cast<std::int64_t>(gone), 0);
}

ShownPage shown_messages(const Call& call, const CallerScope& scope, const FoundMessages& found, const Query& query,
                         FoundObjects::ById& objects) {
  ShownPage shown{{}, found.page.total, found.page.total_is_bound || !scope.complete, {}};
  for (const Hit& hit : found.page.items) {
    const auto object = objects.find(hit.id.value);
    if (object == objects.end()) continue;
    std::string lit = present_highlight(object->second, hit, query);
    shown.items.push_back({std::move(object->second), std::move(lit)});
  }
  leave_out(call, shown, found.page.items.size());
  return shown;
}

// Near words come from texts as they were indexed: where none of what has them may be read by now, they are not named.
std::optional<std::string> words_to_show(const FoundMessages& found, const ShownPage& shown) {
  return shown.items.empty() ? std::nullopt : found.near_words;
}

ShownPage shown_entries(const Call& call, const CallerScope& scope, const FoundEntries& found,
                        FoundObjects::ById& objects) {
  ShownPage shown{{}, found.total, found.total_is_bound || !scope.complete, {}};
  for (const DirectoryHit& hit : found.items) {
    const auto object = objects.find(hit.id);
    if (object == objects.end()) continue;
    shown.items.push_back({std::move(object->second), hit.highlight});
  }
  leave_out(call, shown, found.items.size());
  return shown;
}

Answer search_entries(Call& call, DirectoryKind kind) {
  const http::CursorScope list = entry_list(call, kind);
  auto mark = open_cursor(call, list);
  if (!mark) co_return fail(std::move(mark.error()));
  if (auto reached = co_await wait_for_position(call); !reached) co_return fail(std::move(reached.error()));
  const bool users = kind == DirectoryKind::kUsers;
  Result<CallerScope> scope = tenant_scope(call);
  if (!users) scope = co_await caller_scope(call);
  if (!scope) co_return fail(std::move(scope.error()));
  DirectoryQuestion question{
      kind, text_of(call, "q"), {}, page_limit(call), key_of(call, list, text_of(call, "cursor"))};
  if (*mark) question.after = (*mark)->after;
  auto found = co_await find_entries(call, *scope, std::move(question));
  if (!found) co_return fail(std::move(found.error()));

  WantedObjects wanted;
  (users ? wanted.users : wanted.conversations) = ids_of(*found);
  auto objects = co_await lookup_and_record(call, std::move(wanted), recorded_query(call, !*mark));
  if (!objects) co_return fail(std::move(objects.error()));
  ShownPage shown = shown_entries(call, *scope, *found, users ? objects->users : objects->conversations);
  if (found->next) shown.next_cursor = seal(call, list, PageMark{{}, *found->next});
  co_return http::json_response(200, encode(shown, note_of(call, found->indexed_through, {})));
}

}  // namespace

Answer search_messages(Call& call) {
  auto query = message_query(call);
  if (!query) co_return fail(std::move(query.error()));
  const http::CursorScope list = message_list(call);
  auto mark = open_cursor(call, list);
  if (!mark) co_return fail(std::move(mark.error()));
  if (auto reached = co_await wait_for_position(call); !reached) co_return fail(std::move(reached.error()));
  auto scope = co_await caller_scope(call);
  if (!scope) co_return fail(std::move(scope.error()));
  const Sort sort = call.request.text("sort") == "newest" ? Sort::kNewest : Sort::kRelevance;
  MessageQuestion question{*query, sort, *mark, page_limit(call), key_of(call, list, text_of(call, "cursor"))};
  auto found = co_await find_messages(call, *scope, std::move(question));
  if (!found) co_return fail(std::move(found.error()));

  auto objects =
      co_await lookup_and_record(call, WantedObjects{ids_of(found->page), {}, {}}, recorded_query(call, !*mark));
  if (!objects) co_return fail(std::move(objects.error()));
  const Query effective = effective_query(*query, found->near_words);
  ShownPage shown = shown_messages(call, *scope, *found, effective, objects->messages);
  if (found->page.next) {
    shown.next_cursor = seal(call, list, PageMark{found->near_words.value_or(""), *found->page.next});
  }
  co_return http::json_response(
      200, encode(shown, note_of(call, found->page.indexed_through, words_to_show(*found, shown))));
}

Answer search_conversations(Call& call) {
  return search_entries(call, DirectoryKind::kConversations);
}

Answer search_users(Call& call) {
  return search_entries(call, DirectoryKind::kUsers);
}

Answer search_all(Call& call) {
  auto query = parse_query(call.request.text("q"));
  if (!query) co_return fail(std::move(query.error()));
  if (auto reached = co_await wait_for_position(call); !reached) co_return fail(std::move(reached.error()));
  auto scope = co_await caller_scope(call);
  if (!scope) co_return fail(std::move(scope.error()));

  const http::CursorScope list("search_all", *call.caller, {text_of(call, "q")});
  const std::string words = plain_words(*query);
  const std::size_t limit = page_limit(call);
  const CallerScope everybody = tenant_scope(call);
  MessageQuestion about_messages{*query, Sort::kRelevance, {}, limit, key_of(call, list, "messages")};
  DirectoryQuestion about_conversations{
      DirectoryKind::kConversations, words, {}, limit, key_of(call, list, "conversations")};
  DirectoryQuestion about_users{DirectoryKind::kUsers, words, {}, limit, key_of(call, list, "users")};
  auto [messages, conversations, users] = co_await join(find_messages(call, *scope, std::move(about_messages)),
                                                        find_entries(call, *scope, std::move(about_conversations)),
                                                        find_entries(call, everybody, std::move(about_users)));
  if (!messages) co_return fail(std::move(messages.error()));
  if (!conversations) co_return fail(std::move(conversations.error()));
  if (!users) co_return fail(std::move(users.error()));

  auto objects = co_await lookup_and_record(
      call, WantedObjects{ids_of(messages->page), ids_of(*conversations), ids_of(*users)}, recorded_query(call, true));
  if (!objects) co_return fail(std::move(objects.error()));
  const Query effective = effective_query(*query, messages->near_words);
  const ShownPage shown_in_messages = shown_messages(call, *scope, *messages, effective, objects->messages);
  const events::LogOffset through =
      std::min({messages->page.indexed_through, conversations->indexed_through, users->indexed_through});
  co_return http::json_response(
      200, encode(shown_in_messages, shown_entries(call, *scope, *conversations, objects->conversations),
                  shown_entries(call, everybody, *users, objects->users),
                  note_of(call, through, words_to_show(*messages, shown_in_messages))));
}

}  // namespace parley::search
