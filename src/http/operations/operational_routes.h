// The routes that every role has beside its own: /, /health, /health/live, /metrics, /openapi.yaml and /docs. They ask
// no token. The gateway, which answers strangers, has /health and /metrics of its own and takes contract_routes()
// alone. Routes are built once; what is passed by reference must outlive them.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/openapi/contract.h"
#include "http/router.h"

namespace parley {
class Metrics;
}

namespace parley::http {

// One thing that the role depends on. `ask` is called for each GET /health, on its loop; it must answer by the
// deadline.
struct HealthCheck {
  std::string name;
  bool needed = true;  // when it is down, so is the role (503); else the role is degraded
  std::function<Task<Result<>>(SteadyTime deadline)> ask;
};

// How long one dependency may take to answer before it counts as down.
inline constexpr std::chrono::milliseconds kHealthCheckTime{1'000};

std::vector<Route> health_routes(const openapi::Contract& contract, std::vector<HealthCheck> checks,
                                 const Clock& clock);
Route metrics_route(const openapi::Contract& contract, const Metrics& metrics);
// /, /openapi.yaml, /docs, and what that page loads from /docs/…
std::vector<Route> contract_routes(std::shared_ptr<const openapi::Contract> contract);

// All of them.
std::vector<Route> operational_routes(std::shared_ptr<const openapi::Contract> contract,
                                      std::vector<HealthCheck> checks, const Metrics& metrics, const Clock& clock);

}  // namespace parley::http
