#include "search/search_service_factory.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "base/check.h"
#include "http/openapi/embedded.h"
#include "search/search_routes.h"

namespace parley::search {

namespace {

RateRule suggestion_rule(RateRule rule) {
  rule.limit = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{rule.limit} * kSuggestionsForEachSearch, UINT32_MAX));
  return rule;
}

// What the routes refer to, kept beside them.
class SearchService final : public http::Service {
 public:
  explicit SearchService(SearchDependencies with)
      : contract_(search_contract(with.max_body_bytes)),
        search_{.index = with.index,
                .recent = with.recent,
                .log = with.log,
                .progress = with.progress,
                .changes = with.changes,
                .reindex = with.reindex,
                .check = with.check,
                .clock = with.clock,
                .messaging = MessagingClient(with.messaging, with.clock),
                .searches = CallerLimit(with.limiter, "searches", with.search_rule, with.service_search_rule),
                .suggestions = CallerLimit(with.limiter, "suggestions", suggestion_rule(with.search_rule),
                                           suggestion_rule(with.service_search_rule)),
                .cipher = PayloadCipher(with.cursor_secret),
                .metrics = SearchMetrics(with.metrics)},
        routed_(make_routed(std::move(with))) {}

  Task<http::Response> serve(http::Request& request) override { return routed_->serve(request); }

 private:
  std::unique_ptr<http::RoutedService> make_routed(SearchDependencies with) {
    std::vector<http::HealthCheck> checks{
        {"index", true, [this](SteadyTime deadline) { return ping_index(deadline); }},
        {"messaging", false, [this](SteadyTime deadline) { return search_.messaging.ping(deadline); }}};
    std::ranges::move(with.more_health_checks, std::back_inserter(checks));

    std::vector<http::Route> routes = search_routes(*contract_, search_);
    std::ranges::move(http::operational_routes(contract_, std::move(checks), with.metrics, with.clock),
                      std::back_inserter(routes));
    auto middleware = with.middleware ? with.middleware(routes) : std::vector<std::shared_ptr<http::Middleware>>();
    return std::make_unique<http::RoutedService>(std::move(routes), std::move(middleware));
  }

  Task<Result<>> ping_index(SteadyTime deadline) {
    auto through = co_await search_.index.indexed_through(deadline);
    if (!through) co_return fail(std::move(through.error()));
    co_return Result<>();
  }

  const std::shared_ptr<const http::openapi::Contract> contract_;
  Search search_;
  const std::unique_ptr<http::RoutedService> routed_;
};

}  // namespace

std::shared_ptr<const http::openapi::Contract> search_contract(std::uint64_t max_body_bytes) {
  auto contract = http::openapi::Contract::parse(http::openapi::search_yaml(), max_body_bytes);
  if (!contract) std::fprintf(stderr, "%s\n", contract.error().detail.c_str());
  CHECK(contract.has_value());
  return *contract;
}

std::unique_ptr<http::Service> make_search_service(SearchDependencies dependencies) {
  return std::make_unique<SearchService>(std::move(dependencies));
}

}  // namespace parley::search
