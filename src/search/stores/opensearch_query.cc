#include "search/stores/opensearch_query.h"

#include <algorithm>

#include "search/stores/opensearch_schema.h"

namespace parley::search {

namespace {

json::object words_filter(const std::vector<std::string>& terms) {
  if (terms.size() == 1) return term_filter("terms", as_term(terms.front()));
  std::string places;
  for (const std::string& term : terms) places += (places.empty() ? "" : " ") + as_term(term);
  return {{"match_phrase", {{"terms", {{"query", std::move(places)}}}}}};
}

// Exact unless it is a phrase that goes on: then it finds more.
json::object phrase_filter(const TermPhrase& phrase) {
  if (!phrase.goes_on) return words_filter(phrase.terms);
  json::object beginning = prefix_filter("terms", as_term(phrase.terms.back()));
  if (phrase.terms.size() == 1) return beginning;
  const std::vector<std::string> before(phrase.terms.begin(), phrase.terms.end() - 1);
  return bool_filter({words_filter(before), std::move(beginning)});
}
bool is_asked_exactly(const TermPhrase& phrase) {
  return !phrase.goes_on || phrase.terms.size() == 1;
}

void add_clause(const Clause& clause, OpenSearchQuery& made) {
  const std::vector<TermPhrase> phrases = phrases_of(clause);
  if (phrases.empty()) return;
  if (clause.excluded) {
    for (const TermPhrase& phrase : phrases) {
      if (is_asked_exactly(phrase)) {
        made.must_not.push_back(phrase_filter(phrase));
      } else {
        made.unwanted.push_back(phrase);
      }
    }
    return;
  }
  json::array any;
  for (const TermPhrase& phrase : phrases) any.push_back(phrase_filter(phrase));
  made.filter.push_back(any_filter(std::move(any)));
  made.ranked.insert(made.ranked.end(), phrases.begin(), phrases.end());
  if (!std::ranges::all_of(phrases, is_asked_exactly)) made.wanted.push_back(phrases);
}

void add_filters(const Query& query, const UserId& caller, OpenSearchQuery& made) {
  if (!query.from.empty()) made.filter.push_back(terms_filter("sender", to_array(query.from)));
  if (query.mentions_me) made.filter.push_back(term_filter("mentions", caller.value));
  if (query.has_file) made.filter.push_back(term_filter("has_file", true));
  if (query.has_link) made.filter.push_back(term_filter("has_link", true));
  if (query.has_reaction) made.filter.push_back(term_filter("has_reaction", true));
  json::object bounds;
  if (query.not_before) bounds["gte"] = query.not_before->time_since_epoch().count();
  if (query.before) bounds["lt"] = query.before->time_since_epoch().count();
  if (!bounds.empty()) made.filter.push_back(range_filter("created_at", std::move(bounds)));
}

void add_exclusions(const Exclusions& none, const UserId& caller, OpenSearchQuery& made) {
  if (!none.from.empty()) made.must_not.push_back(terms_filter("sender", to_array(none.from)));
  if (none.mention_of_me) made.must_not.push_back(term_filter("mentions", caller.value));
  if (none.file) made.must_not.push_back(term_filter("has_file", true));
  if (none.link) made.must_not.push_back(term_filter("has_link", true));
  if (none.reaction) made.must_not.push_back(term_filter("has_reaction", true));
  for (const Exclusions::Span& span : none.times) {
    made.must_not.push_back(range_filter(
        "created_at", {{"gte", span.begin.time_since_epoch().count()}, {"lt", span.end.time_since_epoch().count()}}));
  }
}

std::vector<std::string> conversations_of(const SearchScope& scope, const std::vector<std::string>& in,
                                          const std::vector<std::string>& not_in) {
  std::vector<std::string> ids;
  for (const ConversationId& conversation : scope.conversations) {
    if (!in.empty() && std::ranges::find(in, conversation.value) == in.end()) continue;
    if (std::ranges::find(not_in, conversation.value) != not_in.end()) continue;
    ids.push_back(conversation.value);
  }
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return ids;
}

// False when there is none to look into.
bool add_scope(const TenantState& state, const std::vector<std::string>& conversations, OpenSearchQuery& made) {
  if (conversations.empty()) return false;
  for (json::value& each : generation_filter(state.tenant, state.serving)) made.filter.push_back(std::move(each));
  made.filter.push_back(term_filter("live", true));
  made.filter.push_back(terms_filter("conversation", to_array(conversations)));
  for (json::value& each : erased_filters(state, &conversations)) made.must_not.push_back(std::move(each));
  return true;
}

}  // namespace

json::object prefix_filter(std::string_view field, std::string_view beginning) {
  return {{"prefix", json::object{{field, json::object{{"value", beginning}}}}}};
}
json::object terms_filter(std::string_view field, json::array values) {
  return {{"terms", json::object{{field, std::move(values)}}}};
}
json::object range_filter(std::string_view field, json::object bounds) {
  return {{"range", json::object{{field, std::move(bounds)}}}};
}
json::object any_filter(json::array of) {
  if (of.size() == 1) return std::move(of.front().as_object());
  return {{"bool", json::object{{"should", std::move(of)}, {"minimum_should_match", 1}}}};
}
json::object bool_filter(json::array filter, json::array must_not) {
  return {{"bool", json::object{{"filter", std::move(filter)}, {"must_not", std::move(must_not)}}}};
}
json::array generation_filter(const TenantId& tenant, std::int64_t generation) {
  json::array both;
  both.push_back(term_filter("tenant", tenant.value));
  both.push_back(term_filter("generation", generation));
  return both;
}

json::array erased_filters(const TenantState& state, const std::vector<std::string>* conversations) {
  json::array filters;
  for (const TenantState::Erasure& each : state.erased) {
    if (each.generation != state.serving) continue;
    if (conversations && !std::ranges::binary_search(*conversations, each.conversation.value)) continue;
    json::array both;
    both.push_back(term_filter("conversation", each.conversation.value));
    both.push_back(range_filter("number", {{"lte", each.number}}));
    filters.push_back(bool_filter(std::move(both)));
  }
  return filters;
}

json::object OpenSearchQuery::body() const {
  return bool_filter(filter, must_not);
}

std::optional<OpenSearchQuery> make_query(const TenantState& state, const SearchScope& scope, const Query& query) {
  OpenSearchQuery made;
  for (const Clause& clause : query.clauses) add_clause(clause, made);
  const bool asks = !made.filter.empty() || !made.must_not.empty() || !made.unwanted.empty() || query.has_filter();
  if (!asks) return std::nullopt;
  add_filters(query, scope.caller, made);
  add_exclusions(query.none_of, scope.caller, made);
  if (!add_scope(state, conversations_of(scope, query.in, query.none_of.in), made)) return std::nullopt;
  return made;
}

std::optional<OpenSearchQuery> make_query_of_scope(const TenantState& state, const SearchScope& scope) {
  OpenSearchQuery made;
  if (!add_scope(state, conversations_of(scope, {}, {}), made)) return std::nullopt;
  return made;
}

}  // namespace parley::search
