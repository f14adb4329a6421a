#include "search/stores/opensearch_directory.h"

#include <algorithm>
#include <set>

#include "search/index_requests.h"
#include "search/stores/opensearch_people.h"
#include "search/stores/opensearch_query.h"
#include "search/text/name_match.h"

namespace parley::search {

namespace {

constexpr std::size_t kMaxNamedIds = 100;  // people or conversations of one name

struct Found {
  DirectoryPlace place;
  std::string name;
  std::string topic;
  NameFit fit = NameFit::kExact;
};

json::array scope_ids(const SearchScope& scope) {
  json::array ids;
  for (const ConversationId& each : scope.conversations) ids.emplace_back(each.value);
  return ids;
}

// The entries of the scope that `fits` finds.
Task<Result<json::object>> search_scope(OpenSearchCluster& cluster, const TenantState& state, const SearchScope& scope,
                                        json::object fits, SteadyTime deadline) {
  json::array filter = generation_filter(state.tenant, state.serving);
  filter.push_back(term_filter("kind", "conversation"));
  filter.push_back(term_filter("live", true));
  filter.push_back(terms_filter("conversation", scope_ids(scope)));
  filter.push_back(std::move(fits));
  json::object body{{"size", kMaxScope},
                    {"query", bool_filter(std::move(filter))},
                    {"sort", json::array{json::object{{"conversation", "asc"}}}}};
  return cluster.search(cluster.names.directory, state.tenant, std::move(body), deadline);
}

// Finds all that fit(), and perhaps others.
json::object may_fit(const NameQuery& query) {
  json::array either;
  either.push_back(prefix_filter("spellings", query.whole));
  json::array all;
  for (const std::string& word : query.words) {
    json::array any;
    any.push_back(prefix_filter("terms", word));
    any.push_back(prefix_filter("topic_terms", word));
    all.push_back(any_filter(std::move(any)));
  }
  if (!all.empty()) either.push_back(bool_filter(std::move(all)));
  return any_filter(std::move(either));
}

// Those of the scope that fit, in order. Archived ones come after the others that fit as well.
Task<Result<std::vector<Found>>> fitting_conversations(OpenSearchCluster& cluster, const TenantState& state,
                                                       const SearchScope& scope, const NameQuery& query,
                                                       SteadyTime deadline) {
  std::vector<Found> found;
  if (query.empty() || scope.conversations.empty()) co_return found;
  auto answer = co_await search_scope(cluster, state, scope, may_fit(query), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  for (const FoundDocument& hit : hits_of(*answer)) {
    const json::object& entry = *hit.source;
    const std::string spellings = lines_in(entry, "spellings"), terms = lines_in(entry, "terms"),
                      topic_terms = lines_in(entry, "topic_terms");
    const auto fits = fit(query, {.spellings = spellings, .terms = terms, .topic_terms = topic_terms});
    if (!fits) continue;
    const int rank = 2 * static_cast<int>(fits->fit) + (flag_in(entry, "archived") ? 1 : 0);
    found.push_back({{rank, spelling_of(text_in(entry, "name")), std::string(text_in(entry, "conversation"))},
                     std::string(text_in(entry, "name")),
                     std::string(text_in(entry, "topic")),
                     fits->fit});
  }
  std::ranges::sort(found, {}, &Found::place);
  co_return found;
}

void add_once(std::vector<std::string>& ids, std::string_view id) {
  if (std::ranges::find(ids, id) == ids.end()) ids.emplace_back(id);
}

// The people of a name.
Task<Result<std::vector<std::string>>> users_called(OpenSearchCluster& cluster, const TenantState& state,
                                                    std::string spelling, SteadyTime deadline) {
  json::array filter = generation_filter(state.tenant, state.serving);
  filter.push_back(term_filter("kind", "person"));
  filter.push_back(term_filter("spellings", spelling));
  json::object body{{"size", kMaxNamedIds},
                    {"query", bool_filter(std::move(filter))},
                    {"sort", json::array{json::object{{"user", "asc"}}}},
                    {"_source", json::array{"user"}}};
  auto answer = co_await cluster.search(cluster.names.directory, state.tenant, std::move(body), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  std::vector<std::string> ids;
  for (const FoundDocument& hit : hits_of(*answer)) ids.emplace_back(text_in(*hit.source, "user"));
  co_return ids;
}

}  // namespace

Task<Result<DirectoryPage>> conversations_page(OpenSearchCluster& cluster, DirectoryRequest request,
                                               SteadyTime deadline) {
  const auto after = check_directory_request(request, 'c');
  if (!after) co_return fail(after.error());
  auto view = co_await view_of(cluster, request.scope.tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  DirectoryPage page;
  page.indexed_through = view->through;
  if (!view->state) co_return page;
  const NameQuery typed = make_name_query(request.text);
  const Query query = typed.as_query();
  auto all = co_await fitting_conversations(cluster, *view->state, request.scope, typed, deadline);
  if (!all) co_return fail(std::move(all.error()));
  auto at = *after ? std::ranges::upper_bound(*all, **after, {}, &Found::place) : all->begin();
  page.total = static_cast<std::int64_t>(all->size());
  for (; at != all->end() && page.items.size() < request.limit; ++at) {
    page.items.push_back({at->place.id, marked(query, {at->name, at->topic})});
  }
  if (at != all->end()) page.next = std::prev(at)->place.cursor('c');
  co_return page;
}

Task<Result<DirectoryPage>> users_page(OpenSearchCluster& cluster, DirectoryRequest request, SteadyTime deadline) {
  const auto after = check_directory_request(request, 'u');
  if (!after) co_return fail(after.error());
  auto view = co_await view_of(cluster, request.scope.tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  DirectoryPage page;
  page.indexed_through = view->through;
  const NameQuery typed = make_name_query(request.text);
  if (typed.empty() || !view->state) co_return page;

  auto counted = co_await fitting_people(cluster, *view->state, typed, {}, kRankedWindow + 1, deadline);
  if (!counted) co_return fail(std::move(counted.error()));
  const auto count = static_cast<std::int64_t>(counted->people.size());
  page.total_is_bound = count > kRankedWindow || counted->stopped_at;
  page.total = std::min(count, kRankedWindow);

  if (*after) {
    counted = co_await fitting_people(cluster, *view->state, typed, *after, request.limit + 1, deadline);
    if (!counted) co_return fail(std::move(counted.error()));
  }
  std::vector<FoundPerson>& found = counted->people;
  if (found.size() > request.limit) {
    found.resize(request.limit);
    page.next = found.back().place.cursor('u');
  } else if (counted->stopped_at) {
    page.next = counted->stopped_at->cursor('u');
  }
  const Query query = typed.as_query();
  for (const FoundPerson& each : found) {
    page.items.push_back({each.place.id, marked(query, {each.name, each.place.id})});
  }
  co_return page;
}

Task<Result<std::vector<Suggestion>>> suggest_conversations(OpenSearchCluster& cluster, TenantState state,
                                                            SearchScope scope, std::string typed, std::size_t most,
                                                            SteadyTime deadline) {
  const NameQuery query = make_name_query(typed);
  auto found = co_await fitting_conversations(cluster, state, scope, query, deadline);
  if (!found) co_return fail(std::move(found.error()));
  std::vector<Suggestion> suggestions;
  for (Found& each : *found) {
    if (suggestions.size() == most || each.fit == NameFit::kTopic) break;
    suggestions.push_back({std::move(each.name), SuggestionKind::kConversation, std::move(each.place.id)});
  }
  co_return suggestions;
}

Task<Result<std::vector<Suggestion>>> suggest_users(OpenSearchCluster& cluster, TenantState state, std::string typed,
                                                    std::size_t most, SteadyTime deadline) {
  std::vector<Suggestion> suggestions;
  const NameQuery query = make_name_query(typed);
  if (query.empty()) co_return suggestions;
  auto found = co_await fitting_people(cluster, state, query, {}, most, deadline);
  if (!found) co_return fail(std::move(found.error()));
  for (FoundPerson& each : found->people) {
    suggestions.push_back({each.name.empty() ? each.place.id : each.name, SuggestionKind::kUser, each.place.id});
  }
  co_return suggestions;
}

Task<Result<NamedIds>> named_ids(OpenSearchCluster& cluster, NamesRequest request, SteadyTime deadline) {
  if (auto valid = check_names(request); !valid) co_return fail(std::move(valid.error()));
  auto view = co_await view_of(cluster, request.scope.tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  NamedIds ids;
  // A name that is an id stands for itself; so does one that nobody has, which then finds nothing.
  for (const std::string& name : request.users) {
    add_once(ids.users, name);
    if (!view->state) continue;
    auto called = co_await users_called(cluster, *view->state, spelling_of(name), deadline);
    if (!called) co_return fail(std::move(called.error()));
    for (const std::string& id : *called) add_once(ids.users, id);
  }
  std::set<std::string> spellings;
  for (const std::string& name : request.conversations) {
    add_once(ids.conversations, name);
    spellings.insert(spelling_of(name));
  }
  if (spellings.empty() || !view->state || request.scope.conversations.empty()) co_return ids;
  json::array any;
  for (const std::string& spelling : spellings) any.emplace_back(spelling);
  auto answer =
      co_await search_scope(cluster, *view->state, request.scope, terms_filter("spellings", std::move(any)), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  std::size_t left = kMaxNamedIds;
  for (const FoundDocument& hit : hits_of(*answer)) {
    if (left-- == 0) break;
    add_once(ids.conversations, text_in(*hit.source, "conversation"));
  }
  co_return ids;
}

}  // namespace parley::search
