// The search role, ready to be served: its routes over an index, behind the middleware that app/ chose. Made once at
// start, before the loops run; called on every loop. What the dependencies refer to must outlive it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/event_log.h"
#include "http/openapi/contract.h"
#include "http/operations/operational_routes.h"
#include "http/service.h"
#include "http/upstream.h"
#include "rate_limit/rate_limiter.h"
#include "search/change_feed.h"
#include "search/index_check.h"
#include "search/index_progress.h"
#include "search/recent_searches.h"
#include "search/reindex_control.h"
#include "search/search_index.h"
#include "telemetry/metrics.h"

namespace parley::search {

// Suggestions come with each key that is pressed.
inline constexpr std::uint32_t kSuggestionsForEachSearch = 10;

struct SearchDependencies {
  SearchIndex& index;
  RecentSearches& recent;
  http::Upstream& messaging;
  events::EventLog& log;
  IndexProgress& progress;
  ChangeFeed& changes;
  ReindexControl& reindex;
  IndexCheck& check;
  RateLimiter& limiter;
  RateRule search_rule;               // RATE_LIMIT_SEARCHES_PER_MINUTE; limit 0 is no limit
  RateRule service_search_rule = {};  // RATE_LIMIT_SERVICE_SEARCHES_PER_MINUTE
  std::string cursor_secret;          // the same on every instance
  const Clock& clock;
  Metrics& metrics;
  // Gives the middleware, first to last, for the role's table of routes (which labels of metrics are made from). One of
  // them sets Exchange::caller, and from_role on internal routes; where none does, every route that asks a token is
  // 401.
  std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>& routes)> middleware;
  // Beside the index, which is needed, and messaging, which is shown.
  std::vector<http::HealthCheck> more_health_checks;
  std::uint64_t max_body_bytes = UINT64_MAX;  // HTTP_MAX_BODY_BYTES; the contract's own limits hold beside it
};

// The contract that the build embeds. It is compiled at each call: keep it. CHECK-fails if it is faulty, with the
// reason on stderr.
std::shared_ptr<const http::openapi::Contract> search_contract(std::uint64_t max_body_bytes = UINT64_MAX);

std::unique_ptr<http::Service> make_search_service(SearchDependencies dependencies);

}  // namespace parley::search
