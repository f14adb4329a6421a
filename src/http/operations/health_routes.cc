#include "base/json_writer.h"
#include "http/operations/operational_routes.h"

namespace parley::http {

namespace {

struct Finding {
  bool up = false;
  std::chrono::microseconds latency{};
};

Task<Response> answer_health(const std::vector<HealthCheck>& checks, const Clock& clock) {
  std::vector<Finding> findings;
  bool down = false, degraded = false;
  for (const HealthCheck& check : checks) {
    const SteadyTime asked = clock.steady_now();
    const Result<> answer = co_await check.ask(asked + kHealthCheckTime);
    findings.push_back(
        {answer.has_value(), std::chrono::duration_cast<std::chrono::microseconds>(clock.steady_now() - asked)});
    if (!answer) (check.needed ? down : degraded) = true;
  }

  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("status").string(down ? "down" : degraded ? "degraded" : "ok");
  json.key("dependencies").begin_object();
  for (std::size_t i = 0; i < checks.size(); ++i) {
    json.key(checks[i].name).begin_object();
    json.key("status").string(findings[i].up ? "ok" : "down");
    json.key("latency_ms").number(static_cast<double>(findings[i].latency.count()) / 1000);
    json.end_object();
  }
  json.end_object().end_object();
  Response response = json_response(down ? 503 : 200, std::move(body));
  response.headers.add("Cache-Control", "no-store");
  if (down) response.headers.add("Retry-After", "1");
  co_return response;
}

Task<Response> answer_liveness() {
  Response response = json_response(200, R"({"status":"ok"})");
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

std::vector<Route> health_routes(const openapi::Contract& contract, std::vector<HealthCheck> checks,
                                 const Clock& clock) {
  const auto kept = std::make_shared<const std::vector<HealthCheck>>(std::move(checks));
  return {contract.route("get_health", [kept, &clock](Exchange&) { return answer_health(*kept, clock); }),
          contract.route("get_liveness", [](Exchange&) { return answer_liveness(); })};
}

}  // namespace parley::http
