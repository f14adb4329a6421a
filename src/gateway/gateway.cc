#include "gateway/gateway.h"

#include <openssl/crypto.h>

#include "base/json_writer.h"
#include "gateway/change_follower.h"
#include "gateway/gateway_routes.h"
#include "gateway/search_proxy.h"
#include "gateway/upstream_telemetry.h"
#include "http/cors.h"
#include "http/problem.h"
#include "http/request_scope.h"

namespace parley::gateway {

namespace {
// What was deleted, edited or left is out of every cache within this time, or the cache is not used (promise 5).
constexpr std::chrono::milliseconds kSearchTrustedFor{1'000};
}  // namespace

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

// All that stands between a search and asking search again.
struct Gateway::CachedSearch {
  CachedSearch(Upstream& search, const GatewayOptions& options, const GatewayDependencies& with)
      : epochs(kSearchTrustedFor),
        cache(options.search_cache),
        recent(search.resilient, with.clock, with.metrics),
        shared(share(*this, options, with)),
        proxy(search.proxy, cache, epochs, recent, with.clock, with.metrics, shared.get()),
        follower(with.search_changes, with.search_token, epochs, {}, with.clock, with.timer, with.metrics, &numbers),
        shown(show(cache, with.metrics)) {}

  static std::unique_ptr<SharedSearches> share(CachedSearch& self, const GatewayOptions& options,
                                               const GatewayDependencies& with) {
    if (with.shared_answers == nullptr) return nullptr;
    return std::make_unique<SharedSearches>(*with.shared_answers, self.numbers, self.epochs, options.search_cache.ttl,
                                            with.clock, with.timer, with.metrics);
  }

  static std::vector<Metrics::Scraped> show(const SearchCache& cache, Metrics& metrics) {
    std::vector<Metrics::Scraped> all;
    all.push_back(metrics.gauge_from("parley_gateway_search_cache_entries", "Answers that are kept.", {},
                                     [&cache] { return static_cast<double>(cache.counts().entries); }));
    all.push_back(metrics.gauge_from("parley_gateway_search_cache_bytes", "What they take.", {},
                                     [&cache] { return static_cast<double>(cache.counts().bytes); }));
    all.push_back(metrics.counter_from("parley_gateway_search_cache_evicted_total",
                                       "Answers that gave way for want of room.", {},
                                       [&cache] { return static_cast<double>(cache.counts().evicted); }));
    all.push_back(metrics.counter_from("parley_gateway_search_cache_outdated_total",
                                       "Answers found too old, or from before a change.", {},
                                       [&cache] { return static_cast<double>(cache.counts().outdated); }));
    return all;
  }

  TenantEpochs epochs;
  ChangeNumbers numbers;
  SearchCache cache;
  RecentRecorder recent;
  const std::unique_ptr<SharedSearches> shared;  // null: no other gateway is asked
  SearchProxy proxy;
  ChangeFollower follower;
  const std::vector<Metrics::Scraped> shown;
};

// Passes a write on. Nothing that was found before it is given once it is answered: whoever wrote may look at once.
static Task<http::Response> forward_write(Proxy& proxy, const ProxiedRoute& route, TenantEpochs& epochs,
                                          ChangeNumbers& numbers, const Clock& clock, http::Exchange& exchange) {
  http::Response response =
      co_await proxy.forward(exchange, route.mapping, route.honours_idempotency_key, route.more_time);
  // One that failed otherwise than by a refusal may have been done.
  const bool refused = response.status >= 400 && response.status < 500;
  if (!refused && exchange.caller) {
    const SteadyTime now = clock.steady_now();
    numbers.written(exchange.caller->tenant.value, now);
    epochs.written(exchange.caller->tenant.value, now);
  }
  co_return response;
}

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
  options.forwarding.trusted_proxies = settings.http.trusted_networks();
  options.search_cache.ttl = settings.search_cache.ttl;
  options.search_cache.bytes = settings.search_cache.max_bytes;
  return options;
}

Gateway::Gateway(GatewayOptions options, GatewayDependencies dependencies)
    : options_(std::move(options)),
      metrics_(dependencies.metrics),
      clock_(dependencies.clock),
      engines_(std::move(dependencies.engines)) {
  for (auto& [role, upstream] : dependencies.upstreams) {
    upstreams_.emplace(role, std::make_unique<Upstream>(upstream, options_, dependencies));
  }
  cached_search_ = make_cached_search(dependencies);
  std::vector<http::Route> table = routes(std::move(dependencies.more_routes));
  auto recorded = std::make_shared<RequestMetrics>(metrics_, to_string(Role::kGateway), http::route_labels(table),
                                                   dependencies.loops);
  std::vector<std::shared_ptr<http::Middleware>> middleware = {
      std::make_shared<http::RequestScope>(options_.request_deadline, options_.forwarding.trusted_proxies),
      std::make_shared<http::RequestRecorder>(std::string(to_string(Role::kGateway)), std::move(recorded)),
      std::make_shared<http::Cors>(options_.cors_allowed_origins),
      std::move(dependencies.authentication),
  };
  service_ = std::make_unique<http::RoutedService>(std::move(table), std::move(middleware));
}

Gateway::~Gateway() = default;

std::unique_ptr<Gateway::CachedSearch> Gateway::make_cached_search(const GatewayDependencies& with) {
  const auto search = upstreams_.find(Role::kSearch);
  if (search == upstreams_.end() || !with.search_changes || options_.search_cache.ttl.count() == 0) return nullptr;
  return std::make_unique<CachedSearch>(*search->second, options_, with);
}

http::Handler Gateway::handler_of(const ProxiedRoute& route, Proxy& proxy) {
  if (route.cached && cached_search_) {
    return [&cached = cached_search_->proxy](http::Exchange& exchange) { return cached.search(exchange); };
  }
  if (route.operation_id == "clear_recent_searches" && cached_search_) {
    return [&cached = cached_search_->proxy](http::Exchange& exchange) { return cached.clear_recent(exchange); };
  }
  if (may_spoil_searches(route) && cached_search_) {
    return [this, &proxy, &route](http::Exchange& exchange) {
      return forward_write(proxy, route, cached_search_->epochs, cached_search_->numbers, clock_, exchange);
    };
  }
  return [&proxy, mapping = route.mapping, key = route.honours_idempotency_key, more_time = route.more_time](
             http::Exchange& exchange) { return proxy.forward(exchange, mapping, key, more_time); };
}

std::vector<http::Route> Gateway::routes(std::vector<http::Route> more) {
  std::vector<http::Route> table;
  for (const ProxiedRoute& route : proxied_routes()) {
    const auto upstream = upstreams_.find(route.role);
    if (upstream == upstreams_.end()) continue;
    table.push_back({.method = route.method,
                     .pattern = std::string(route.pattern),
                     .handler = handler_of(route, upstream->second->proxy),
                     .access = route.access,
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

Task<DependencyHealth> Gateway::health_of(const GatewayDependencies::Engine& engine) {
  const SteadyTime began = clock_.steady_now();
  const Result<> answered = co_await engine.ask(began + options_.health_check.timeout);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady_now() - began);
  co_return DependencyHealth{engine.name, answered ? "ok" : "down", took, {}};
}

Task<http::Response> Gateway::answer_health(http::Exchange& exchange) {
  // Who asks right after the start is told how the upstreams are, not that nothing is known yet.
  const SteadyTime until = clock_.steady_now() + options_.health_check.timeout;
  for (const auto& [role, upstream] : upstreams_) co_await upstream->check.wait_for_first(until);
  std::vector<DependencyHealth> all = health();
  for (const GatewayDependencies::Engine& engine : engines_) all.push_back(co_await health_of(engine));
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
      if (!one.breaker.empty()) json.key("breaker").string(one.breaker);
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
  if (cached_search_) {
    cached_search_->recent.start(loop);
    cached_search_->follower.start(loop);
  }
}

void Gateway::stop_checks(std::move_only_function<void()> on_stopped) {
  // The last of them to stop calls; the count is shared, all on one loop.
  auto left = std::make_shared<std::pair<std::size_t, std::move_only_function<void()>>>(
      upstreams_.size() + (cached_search_ ? 2 : 0) + 1, std::move(on_stopped));
  const auto one_stopped = [left] {
    if (--left->first == 0) left->second();
  };
  for (auto& [role, upstream] : upstreams_) upstream->check.stop(one_stopped);
  if (cached_search_) {
    cached_search_->follower.stop(one_stopped);
    cached_search_->recent.stop(one_stopped);
  }
  one_stopped();
}

bool is_from_this_host(const http::Request& request) {
  return is_loopback_address(request.peer) && !request.fields.find("X-Forwarded-For") &&
         !request.fields.find(http::FieldId::forwarded);
}

}  // namespace parley::gateway
