// From a Query and a scope to what the engine is asked. All of it filters: nothing is scored, so no statistic of words
// has a say. Nothing typed reaches the engine's own syntax. Pure; any thread.
#pragma once
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "search/search_index.h"
#include "search/stores/opensearch_json.h"
#include "search/stores/opensearch_tenants.h"
#include "search/text/term_phrase.h"

namespace parley::search {

struct OpenSearchQuery {
  json::array filter;
  json::array must_not;
  std::vector<TermPhrase> ranked;  // phrases that words are ranked by
  // A phrase whose last word goes on is not asked of the engine, which would go through the words that begin so of all
  // tenants: it finds what has the words, and their places are looked at in the texts. Of each group one must be there,
  // and none of `unwanted`.
  std::vector<std::vector<TermPhrase>> wanted;
  std::vector<TermPhrase> unwanted;

  bool is_exact() const { return wanted.empty() && unwanted.empty(); }
  json::object body() const;
};

// nullopt when nothing can match: an empty query, or no conversation to look into.
std::optional<OpenSearchQuery> make_query(const TenantState& state, const SearchScope& scope, const Query& query);
// All that the scope has.
std::optional<OpenSearchQuery> make_query_of_scope(const TenantState& state, const SearchScope& scope);

// `value`: a text, a number or a flag.
template <class Value>
json::object term_filter(std::string_view field, const Value& value) {
  if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    return {{"term", json::object{{field, std::string_view(value)}}}};
  } else {
    return {{"term", json::object{{field, value}}}};
  }
}
json::object prefix_filter(std::string_view field, std::string_view beginning);
json::object terms_filter(std::string_view field, json::array values);
json::object range_filter(std::string_view field, json::object bounds);
json::object any_filter(json::array of);
json::object bool_filter(json::array filter, json::array must_not = {});
// What each document of a tenant's generation has.
json::array generation_filter(const TenantId& tenant, std::int64_t generation);
// What was erased of these conversations, which are in order, and not yet swept; null: of any.
json::array erased_filters(const TenantState& state, const std::vector<std::string>* conversations);

}  // namespace parley::search
