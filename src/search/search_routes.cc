#include "search/search_routes.h"

#include "http/openapi/operation_route.h"
#include "http/problem.h"

namespace parley::search {

namespace {

enum class Limit : std::uint8_t { kNone, kSearches, kSuggestions };

struct Row {
  const char* operation;
  Answer (*handle)(Call& call);
  Limit limit = Limit::kNone;
  std::optional<SearchKind> measured = {};
};

constexpr Row kTable[] = {
    {"search_messages", search_messages, Limit::kSearches, SearchKind::kMessages},
    {"search_conversations", search_conversations, Limit::kSearches, SearchKind::kConversations},
    {"search_users", search_users, Limit::kSearches, SearchKind::kUsers},
    {"search_all", search_all, Limit::kSearches, SearchKind::kGlobal},
    {"list_suggestions", list_suggestions, Limit::kSuggestions, SearchKind::kSuggestions},
    {"list_recent_searches", list_recent_searches},
    {"clear_recent_searches", clear_recent_searches},
    {"record_recent_search", record_recent_search},
    {"start_reindex", start_reindex},
    {"get_reindex", get_reindex},
    {"follow_changes", follow_changes},
    {"start_any_reindex", start_any_reindex},
    {"get_any_reindex", get_any_reindex},
    {"check_index", check_index},
};

CallerLimit* limit_of(Search& search, const Row& row) {
  switch (row.limit) {
    case Limit::kNone:
      return nullptr;
    case Limit::kSearches:
      return &search.searches;
    case Limit::kSuggestions:
      return &search.suggestions;
  }
  return nullptr;
}

bool waited_in_vain(const Error& error) {
  return error.code == "index_behind";
}

// What cost nothing is not counted: a refusal, or a failure of what search depends on. Work that ran out of time is.
bool cost_nothing(const Error& error) {
  return error.kind != ErrorKind::kTimeout && !waited_in_vain(error);
}

// Within the row's limit.
Answer answer_within(CallerLimit& limit, const Row& row, Call& call) {
  std::optional<RateDecision> standing = co_await limit.take(call.caller);
  Result<http::Response> result;
  if (standing && !standing->allowed) {
    result = http::problem_response(rate_limited(*standing), call.exchange.request_id);
  } else {
    result = co_await row.handle(call);
    if (standing && !result && cost_nothing(result.error())) {
      if (auto given_back = co_await limit.give_back(call.caller)) standing = given_back;
    }
    if (!result) result = http::problem_response(result.error(), call.exchange.request_id);
  }
  if (standing) {
    for (const auto& [name, value] : rate_limit_fields(*standing)) result->headers.add(name, value);
  }
  co_return result;
}

Answer serve(Search& search, const Row& row, http::Exchange& exchange, const http::openapi::ValidatedRequest& request) {
  Call call{search, exchange, request, exchange.caller, search.clock.steady_now(), exchange.deadline};
  CallerLimit* const limit = limit_of(search, row);
  Result<http::Response> result;
  if (limit != nullptr) {
    result = co_await answer_within(*limit, row, call);
  } else {
    result = co_await row.handle(call);
  }
  if (row.measured) search.metrics.answered(*row.measured, search.clock.steady_now() - call.started_at);
  co_return result;
}

}  // namespace

std::vector<http::Route> search_routes(const http::openapi::Contract& contract, Search& search) {
  std::vector<http::Route> routes;
  for (const Row& row : kTable) {
    routes.push_back(http::openapi::operation_route(
        contract, row.operation,
        [&search, &row](http::Exchange& exchange, const http::openapi::ValidatedRequest& request) {
          return serve(search, row, exchange, request);
        }));
  }
  return routes;
}

}  // namespace parley::search
