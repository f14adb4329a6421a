// Gateway: the role on port 3000: its upstreams behind breakers, its routes, its middleware, its health. Made by app/
// once at start, before the loops run; serves on all loops; start_checks() and stop_checks() on one of them. Must be
// destroyed before the loops are.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/role.h"
#include "config/secret.h"
#include "config/settings.h"
#include "gateway/health.h"
#include "gateway/proxy.h"
#include "gateway/resilient_upstream.h"
#include "gateway/search_cache.h"
#include "gateway/shared_answers.h"
#include "http/service.h"
#include "telemetry/metrics.h"

namespace parley::gateway {

struct ProxiedRoute;

struct GatewayOptions {
  ResilienceSettings resilience;
  HealthCheckSettings health_check;
  ForwardingRules forwarding;
  SearchCache::Limits search_cache;  // a ttl of 0: no cache
  std::chrono::milliseconds request_deadline{10'000};
  std::vector<std::string> cors_allowed_origins;  // empty: none
  Secret metrics_token;                           // empty: /metrics to loopback only
};
GatewayOptions gateway_options(const Settings& settings);

// What is passed by reference must outlive the gateway.
struct GatewayDependencies {
  std::map<Role, std::shared_ptr<http::Upstream>> upstreams;  // routes of a role that is missing are not served
  std::shared_ptr<http::Middleware> authentication;           // sets Exchange::caller or answers 401
  std::vector<http::Route> more_routes;                       // the contract and its page
  std::shared_ptr<http::Upstream> search_changes;             // where search tells of its changes; null: no cache
  std::function<std::string()> search_token;                  // makes an internal token for that; any loop
  SharedAnswers* shared_answers = nullptr;                    // null: each gateway keeps its own
  // Engines that it uses and can do without: they are shown with its health, and degrade it.
  struct Engine {
    std::string name;
    std::function<Task<Result<>>(SteadyTime deadline)> ask;  // on the loop that is asked for the health
  };
  std::vector<Engine> engines = {};
  Metrics& metrics;
  const Clock& clock;
  Random& random;
  Timer& timer;
  std::size_t loops = 1;
};

class Gateway {
 public:
  Gateway(GatewayOptions options, GatewayDependencies dependencies);
  ~Gateway();

  http::Service& service() { return *service_; }
  // In the order of kAllRoles. Any thread.
  std::vector<DependencyHealth> health() const;

  void start_checks(EventLoop& loop);
  // Calls `on_stopped` once no check is under way.
  void stop_checks(std::move_only_function<void()> on_stopped);

 private:
  struct Upstream;
  struct CachedSearch;

  std::unique_ptr<CachedSearch> make_cached_search(const GatewayDependencies& with);
  http::Handler handler_of(const ProxiedRoute& route, Proxy& proxy);
  std::vector<http::Route> routes(std::vector<http::Route> more);
  Task<DependencyHealth> health_of(const GatewayDependencies::Engine& engine);
  Task<http::Response> answer_health(http::Exchange& exchange);
  Task<http::Response> answer_metrics(http::Exchange& exchange);

  const GatewayOptions options_;
  Metrics& metrics_;
  const Clock& clock_;
  std::map<Role, std::unique_ptr<Upstream>> upstreams_;
  const std::vector<GatewayDependencies::Engine> engines_;
  std::unique_ptr<CachedSearch> cached_search_;  // null: searches are passed on like all else
  std::unique_ptr<http::Service> service_;
};

// Whether the request came from this host itself, not through a proxy on it.
bool is_from_this_host(const http::Request& request);

}  // namespace parley::gateway
