#include "search/handler_parts.h"

#include <algorithm>
#include <iterator>

#include "base/join.h"
#include "base/text.h"
#include "resilience/deadline.h"
#include "search/query_parser.h"

namespace parley::search {

namespace {

// What one question may cost the index, whatever the request's own deadline.
constexpr std::chrono::milliseconds kIndexTime{3'000};
constexpr std::chrono::milliseconds kRecordTime{500};
// Left of the request's time after a wait for min_position, to say that it was in vain.
constexpr std::chrono::milliseconds kTimeToAnswer{250};
constexpr std::string_view kMe = "me";

ResultCache::State cache_state(const Call& call, const CallerScope& scope) {
  return {scope.digest, call.search.progress.through(), call.search.clock.steady_now()};
}

// Puts ids in the place of names; "me" is the caller.
Task<Result<>> resolve(Call& call, const CallerScope& scope, std::vector<std::string>& users,
                       std::vector<std::string>& conversations, SteadyTime until) {
  if (users.empty() && conversations.empty()) co_return Result<>();
  NamesRequest names{scope.scope, {}, conversations};
  std::ranges::copy_if(users, std::back_inserter(names.users), [](const std::string& name) { return name != kMe; });
  const bool me = names.users.size() < users.size();
  NamedIds ids;
  if (!names.users.empty() || !names.conversations.empty()) {
    auto found = co_await call.search.index.ids_by_name(std::move(names), until);
    if (!found) co_return fail(std::move(found.error()));
    ids = std::move(*found);
  }
  if (me) ids.users.push_back(call.caller->user.value);
  users = std::move(ids.users);
  conversations = std::move(ids.conversations);
  co_return Result<>();
}

// False: a filter names nobody, so nothing can match.
Task<Result<bool>> resolve_names(Call& call, const CallerScope& scope, Query& query, SteadyTime until) {
  const bool of_someone = !query.from.empty(), somewhere = !query.in.empty();
  if (auto done = co_await resolve(call, scope, query.from, query.in, until); !done) co_return fail(done.error());
  if ((of_someone && query.from.empty()) || (somewhere && query.in.empty())) co_return false;
  auto done = co_await resolve(call, scope, query.none_of.from, query.none_of.in, until);
  if (!done) co_return fail(done.error());
  co_return true;
}

Task<Result<FoundMessages>> ask_index(Call& call, const CallerScope& scope, MessageQuestion question) {
  Search& search = call.search;
  const SteadyTime until = index_deadline(call);
  FoundMessages found;
  if (question.mark && !question.mark->near_words.empty()) found.near_words = question.mark->near_words;
  Query query = effective_query(question.query, found.near_words);
  auto possible = co_await resolve_names(call, scope, query, until);
  if (!possible) co_return fail(std::move(possible.error()));
  if (!*possible) {
    auto through = co_await search.index.indexed_through(until);
    if (!through) co_return fail(std::move(through.error()));
    found.page.indexed_through = *through;
    co_return found;
  }
  SearchRequest request{scope.scope, query, question.sort, {}, question.limit};
  if (question.mark) request.after = question.mark->after;
  auto page = co_await search.index.search(request, until);
  if (!page) co_return fail(std::move(page.error()));
  found.page = std::move(*page);
  if (found.page.total > 0 || question.mark || query.clauses.empty()) co_return found;

  // A courtesy: when it fails, or takes too long, the true answer is that nothing matched.
  auto near_words = co_await search.index.did_you_mean(scope.scope, query, until);
  if (!near_words || !*near_words) co_return found;
  request.query = effective_query(query, *near_words);
  page = co_await search.index.search(std::move(request), until);
  if (!page || page->total == 0) co_return found;
  search.metrics.found_near_words();
  found.near_words = std::move(*near_words);
  found.page = std::move(*page);
  co_return found;
}

Task<Result<FoundEntries>> ask_directory(Call& call, const CallerScope& scope, DirectoryQuestion question) {
  DirectoryRequest request{scope.scope, std::move(question.text), std::move(question.after), question.limit};
  SearchIndex& index = call.search.index;
  if (request.text.empty()) {
    auto through = co_await index.indexed_through(index_deadline(call));
    if (!through) co_return fail(std::move(through.error()));
    FoundEntries nothing;
    nothing.indexed_through = *through;
    co_return nothing;
  }
  if (question.kind == DirectoryKind::kUsers) {
    co_return co_await index.find_users(std::move(request), index_deadline(call));
  }
  co_return co_await index.find_conversations(std::move(request), index_deadline(call));
}

template <class Found, class Question>
Task<Result<Found>> cached(Call& call, const CallerScope& scope, Question question,
                           Task<Result<Found>> (*ask)(Call&, const CallerScope&, Question)) {
  const std::string key = question.key;
  const ResultCache::State state = cache_state(call, scope);
  const auto kept = call.search.cache.find(key, state);
  call.search.metrics.looked_in_cache(kept != nullptr);
  if (kept) co_return std::get<Found>(*kept);
  auto found = co_await ask(call, scope, std::move(question));
  if (!found) co_return fail(std::move(found.error()));
  call.search.cache.put(key, state, std::make_shared<const ResultCache::Found>(*found));
  co_return std::move(*found);
}

Task<Result<>> record(Call& call, std::string query) {
  if (query.empty()) co_return Result<>();
  const SteadyTime until = attempt_deadline(call.search.clock.steady_now(), call.deadline, kRecordTime);
  co_return co_await call.search.recent.add(call.caller->tenant, call.caller->user, std::move(query), until);
}

}  // namespace

SteadyTime index_deadline(const Call& call) {
  return attempt_deadline(call.search.clock.steady_now(), call.deadline, kIndexTime);
}

std::string text_of(const Call& call, std::string_view name) {
  return std::string(call.request.find_text(name).value_or(""));
}

std::size_t page_limit(const Call& call) {
  return static_cast<std::size_t>(call.request.integer("limit"));
}

Result<Query> message_query(const Call& call) {
  auto query = parse_query(call.request.find_text("q").value_or(""));
  if (!query) return query;
  for (const char* const field : {"from", "in", "before", "after", "on", "has", "mentions"}) {
    const auto value = call.request.find_text(field);
    if (!value || add_filter(*query, field, *value)) continue;
    return invalid_field(std::string("query.") + field, "must be a day (2026-01-31) or an RFC 3339 time");
  }
  if (!call.request.find_text("q") && !query->has_filter()) {
    return invalid_field("query.q", "is required unless a filter is given");
  }
  return query;
}

std::string plain_words(const Query& query) {
  std::string words;
  for (const Clause& clause : query.clauses) {
    if (clause.excluded) continue;
    for (const Phrase& phrase : clause.any_of) words.append(words.empty() ? "" : " ").append(phrase.text);
  }
  return words;
}

Task<Result<>> wait_for_position(Call& call) {
  const auto position = call.request.find_text("min_position");
  if (!position) co_return Result<>();
  const auto offset = call.search.log.offset_of(call.caller->tenant, *position);
  if (!offset) co_return invalid_field("query.min_position", "is no position of this tenant");
  const SteadyTime now = call.search.clock.steady_now();
  const SteadyTime until = std::min(now + std::chrono::milliseconds(call.request.integer("wait_ms")),
                                    std::max(now, call.deadline - kTimeToAnswer));
  if (co_await call.search.progress.reached(*offset, until)) co_return Result<>();
  call.search.metrics.was_behind();
  co_return unavailable_but_well("index_behind", "What min_position names is not indexed yet.");
}

Task<Result<CallerScope>> caller_scope(Call& call) {
  auto membership = co_await call.search.messaging.membership(call.exchange, call.deadline);
  if (!membership) co_return fail(std::move(membership.error()));
  CallerScope scope = tenant_scope(call);
  scope.complete = membership->complete;
  scope.scope.conversations = std::move(membership->conversations);
  if (scope.scope.conversations.size() > kMaxScope) {
    scope.complete = false;
    scope.scope.conversations.resize(kMaxScope);
  }
  scope.digest = ResultCache::digest_of(scope.scope.conversations);
  co_return scope;
}

CallerScope tenant_scope(const Call& call) {
  return {{call.caller->tenant, call.caller->user, {}}, true, {}};
}

std::string seal(const Call& call, const http::CursorScope& list, const PageMark& mark) {
  const std::string payload = std::to_string(mark.near_words.size()) + ':' + mark.near_words + mark.after;
  return list.seal(call.search.cipher.close(payload));
}

Result<std::optional<PageMark>> open_cursor(const Call& call, const http::CursorScope& list) {
  const auto cursor = call.request.find_text("cursor");
  if (!cursor) return std::nullopt;
  const auto sealed = list.open(*cursor);
  if (!sealed) return fail(sealed.error());
  const auto payload = call.search.cipher.open(*sealed);
  if (!payload) return http::invalid_cursor();
  const std::size_t colon = payload->find(':');
  const auto length = parse_u64(std::string_view(*payload).substr(0, colon));
  if (!length || *length > payload->size() - colon - 1) return http::invalid_cursor();
  const std::size_t words = colon + 1;
  return PageMark{payload->substr(words, *length), payload->substr(words + *length)};
}

Query effective_query(const Query& query, const std::optional<std::string>& near_words) {
  Query effective = query;
  if (!near_words) return effective;
  auto near_query = parse_query(*near_words);
  if (near_query) effective.clauses = std::move(near_query->clauses);
  return effective;
}

Task<Result<FoundMessages>> find_messages(Call& call, const CallerScope& scope, MessageQuestion question) {
  return cached<FoundMessages, MessageQuestion>(call, scope, std::move(question), ask_index);
}

Task<Result<FoundEntries>> find_entries(Call& call, const CallerScope& scope, DirectoryQuestion question) {
  return cached<FoundEntries, DirectoryQuestion>(call, scope, std::move(question), ask_directory);
}

Task<Result<FoundObjects>> lookup_and_record(Call& call, WantedObjects wanted, std::string query) {
  auto [found, recorded] = co_await join(call.search.messaging.lookup(call.exchange, std::move(wanted), call.deadline),
                                         record(call, std::move(query)));
  if (!recorded) call.search.metrics.recent_was_lost();  // no search fails for want of being remembered
  co_return std::move(found);
}

std::int64_t milliseconds_since(const Call& call) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(call.search.clock.steady_now() - call.started_at)
      .count();
}

}  // namespace parley::search
