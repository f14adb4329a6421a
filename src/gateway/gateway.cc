#include "gateway/gateway.h"

#include <openssl/crypto.h>

#include "base/json_writer.h"
#include "gateway/gateway_routes.h"
#include "gateway/upstream_telemetry.h"
#include "http/cors.h"
#include "http/problem.h"
#include "http/request_scope.h"

namespace parley::gateway {

struct Gateway::Upstream {
  Upstream(std::shared_ptr<http::Upstream> wrapped, const GatewayOptions& options, const GatewayDependencies& with)
      : resilient(wrapped, options.resilience, with.clock, with.random, with.timer,
                  std::make_shared<UpstreamTelemetry>(std::string(wrapped->name()), with.metrics)),
        proxy(resilient, options.forwarding, with.clock, with.random),
        check(*wrapped, options.health_check, with.clock) {}

  ResilientUpstream resilient;
  Proxy proxy;
  HealthCheck check;
};

static Task<http::Response> answer_liveness(http::Exchange&) {
  co_return http::json_response(200, R"({"status":"ok"})");
}

GatewayOptions gateway_options(const Settings& settings) {
  GatewayOptions options;
  ResilienceSettings& resilience = options.resilience;
  resilience.breaker = {.window = settings.breaker.window,
                        .volume_threshold = settings.breaker.min_requests,
                        .error_share = static_cast<double>(settings.breaker.error_percent) / 100,
                        .open_time = settings.breaker.open_time,
                        .half_open_probes = static_cast<std::uint32_t>(settings.breaker.half_open_probes)};
  resilience.retry.max_attempts = static_cast<unsigned>(settings.upstream.retries) + 1;
  // A budget of nothing means none at all, not the few that a bucket begins with.
  if (settings.upstream.retry_budget_percent == 0) resilience.retry.max_attempts = 1;
  resilience.budget.share = static_cast<double>(settings.upstream.retry_budget_percent) / 100;
  resilience.call_timeout = settings.upstream.deadline;
  options.request_deadline = settings.http.request_deadline;
  options.cors_allowed_origins = settings.http.cors_allowed_origins;
  options.metrics_token = settings.telemetry.metrics_token;
  options.forwarding.scheme = settings.http.tls_cert_file.empty() ? "http" : "https";
  return options;
}

Gateway::Gateway(GatewayOptions options, GatewayDependencies dependencies)
    : options_(std::move(options)), metrics_(dependencies.metrics) {
  for (auto& [role, upstream] : dependencies.upstreams) {
    upstreams_.emplace(role, std::make_unique<Upstream>(upstream, options_, dependencies));
  }
  std::vector<http::Route> table = routes(std::move(dependencies.more_routes));
  auto recorded = std::make_shared<RequestMetrics>(metrics_, to_string(Role::kGateway), http::route_labels(table),
                                                   dependencies.loops);
  std::vector<std::shared_ptr<http::Middleware>> middleware = {
      std::make_shared<http::RequestScope>(options_.request_deadline),
      std::make_shared<http::RequestRecorder>(std::string(to_string(Role::kGateway)), std::move(recorded)),
      std::make_shared<http::Cors>(options_.cors_allowed_origins),
      std::move(dependencies.authentication),
  };
  service_ = std::make_unique<http::RoutedService>(std::move(table), std::move(middleware));
}

Gateway::~Gateway() = default;

std::vector<http::Route> Gateway::routes(std::vector<http::Route> more) {
  std::vector<http::Route> table;
  for (const ProxiedRoute& route : proxied_routes()) {
    const auto upstream = upstreams_.find(route.role);
    if (upstream == upstreams_.end()) continue;
    Proxy& proxy = upstream->second->proxy;
    table.push_back({.method = route.method,
                     .pattern = std::string(route.pattern),
                     .handler = [&proxy, mapping = route.mapping, key = route.honours_idempotency_key](
                                    http::Exchange& exchange) { return proxy.forward(exchange, mapping, key); },
                     .operation_id = std::string(route.operation_id)});
  }
  const auto open = [&table](std::string pattern, std::string operation_id, http::Handler handler) {
    table.push_back(
        {http::Method::kGet, std::move(pattern), std::move(handler), http::Access::kOpen, std::move(operation_id)});
  };
  open("/health", "get_health", [this](http::Exchange& exchange) { return answer_health(exchange); });
  open("/health/live", "get_liveness", answer_liveness);
  open("/metrics", "get_metrics", [this](http::Exchange& exchange) { return answer_metrics(exchange); });
  for (http::Route& route : more) table.push_back(std::move(route));
  return table;
}

std::vector<DependencyHealth> Gateway::health() const {
  std::vector<DependencyHealth> all;
  for (const auto& [role, upstream] : upstreams_)
    all.push_back(dependency_health(upstream->resilient, upstream->check));
  return all;
}

Task<http::Response> Gateway::answer_health(http::Exchange& exchange) {
  const std::vector<DependencyHealth> all = health();
  bool ok = true;
  for (const DependencyHealth& one : all) ok &= one.status == "ok";
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("status").string(ok ? "ok" : "degraded");
  if (is_from_this_host(exchange.request)) {
    json.key("dependencies").begin_object();
    for (const DependencyHealth& one : all) {
      json.key(one.name).begin_object();
      json.key("status").string(one.status);
      if (one.latency) json.key("latency_ms").number(static_cast<double>(one.latency->count()) / 1'000);
      json.key("breaker").string(one.breaker);
      json.end_object();
    }
    json.end_object();
  }
  json.end_object();
  co_return http::json_response(200, std::move(body));
}

Task<http::Response> Gateway::answer_metrics(http::Exchange& exchange) {
  const std::string& token = options_.metrics_token.reveal();
  const std::string wanted = "Bearer " + token;
  const std::string_view given = exchange.request.fields.find(http::FieldId::authorization).value_or("");
  const bool has_token =
      !token.empty() && given.size() == wanted.size() && CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
  if (!has_token && !is_from_this_host(exchange.request)) {
    http::Response refusal = http::problem_response(
        {ErrorKind::kUnauthenticated, "unauthorized", "Metrics want the METRICS_TOKEN.", {}, {}}, exchange.request_id);
    refusal.headers.add("WWW-Authenticate", "Bearer");
    co_return refusal;
  }
  co_return http::text_response(200, Metrics::kContentType, metrics_.text());
}

void Gateway::start_checks(EventLoop& loop) {
  for (auto& [role, upstream] : upstreams_) upstream->check.start(loop);
}

void Gateway::stop_checks(std::move_only_function<void()> on_stopped) {
  // The last of them to stop calls; the count is shared, all on one loop.
  auto left = std::make_shared<std::pair<std::size_t, std::move_only_function<void()>>>(upstreams_.size() + 1,
                                                                                        std::move(on_stopped));
  const auto one_stopped = [left] {
    if (--left->first == 0) left->second();
  };
  for (auto& [role, upstream] : upstreams_) upstream->check.stop(one_stopped);
  one_stopped();
}

bool is_from_this_host(const http::Request& request) {
  return is_loopback_address(request.peer) && !request.fields.find("X-Forwarded-For") &&
         !request.fields.find(http::FieldId::forwarded);
}

}  // namespace parley::gateway
