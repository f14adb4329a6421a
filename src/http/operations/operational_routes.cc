#include "http/operations/operational_routes.h"

#include <iterator>

#include "telemetry/metrics.h"

namespace parley::http {

namespace {

Task<Response> answer_metrics(const Metrics& metrics) {
  Response response = text_response(200, Metrics::kContentType, metrics.text());
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

Route metrics_route(const openapi::Contract& contract, const Metrics& metrics) {
  return contract.route("get_metrics", [&metrics](Exchange&) { return answer_metrics(metrics); });
}

std::vector<Route> operational_routes(std::shared_ptr<const openapi::Contract> contract,
                                      std::vector<HealthCheck> checks, const Metrics& metrics, const Clock& clock) {
  std::vector<Route> routes = health_routes(*contract, std::move(checks), clock);
  routes.push_back(metrics_route(*contract, metrics));
  std::ranges::move(contract_routes(contract), std::back_inserter(routes));
  return routes;
}

}  // namespace parley::http
