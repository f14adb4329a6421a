#include "http/request_scope.h"

#include "base/event_loop.h"
#include "base/random.h"
#include "http/client_address.h"
#include "telemetry/log.h"
#include "tenancy/caller.h"

namespace parley::http {

namespace {

// Owns what an access record of a streamed answer refers to until the stream has ended.
struct PendingRecord {
  std::string request_id, tenant, user, method, peer;
  std::string_view role;
  std::string_view route;  // lives as long as the router
  std::size_t route_index = RequestMetrics::kNoRoute;
  int status = 0;
  SteadyTime started_at{};
  std::uint64_t bytes_in = 0;
};

}  // namespace

RequestIds& request_ids() {
  thread_local RequestIds ids = [] {
    SecureRandom seed;
    return RequestIds(seed);
  }();
  return ids;
}

Middleware::Verdict RequestScope::before(Exchange& exchange) {
  RequestIds& ids = request_ids();
  const Fields& fields = exchange.request.fields;
  exchange.request_id = ids.request_id_for(fields.find("X-Request-Id").value_or(std::string_view()));
  if (const auto trace = fields.find("traceparent")) exchange.traceparent = ids.traceparent_for(*trace);
  exchange.client = client_address(exchange.request, trusted_proxies_);
  exchange.started_at = std::chrono::steady_clock::now();
  exchange.deadline = std::min(exchange.started_at + deadline_, exchange.request.deadline);
  return {};
}

void RequestScope::after(Exchange& exchange, Response& response) {
  if (!response.headers.find("X-Request-Id")) response.headers.add("X-Request-Id", exchange.request_id);
}

RequestRecorder::RequestRecorder(std::string role, std::shared_ptr<RequestMetrics> metrics)
    : role_(std::move(role)), metrics_(std::move(metrics)) {}

void RequestRecorder::after(Exchange& exchange, Response& response) {
  const Request& request = exchange.request;
  const std::size_t index = exchange.route ? exchange.route->index : RequestMetrics::kNoRoute;
  const std::string_view route = exchange.route ? std::string_view(exchange.route->pattern) : "none";
  const std::uint64_t bytes_in = request.body ? request.body->size().value_or(0) : 0;
  // Roles poll each other several times a second: a line only when that fails. In one process the asker logs it.
  const bool routine = exchange.route && exchange.route->access == Access::kInternal && response.status < 400;
  const bool logged = !request.peer.empty() && !routine && log_enabled(LogLevel::kInfo);

  if (!response.stream) {
    const auto duration = std::chrono::steady_clock::now() - exchange.started_at;
    metrics_->record(EventLoop::current().index(), index, response.status, duration, bytes_in, response.body.size());
    if (!logged) return;
    AccessRecord record{.role = role_,
                        .request_id = exchange.request_id,
                        .method = request.method_text,
                        .route = route,
                        .peer = exchange.client,
                        .status = response.status,
                        .duration = duration,
                        .bytes_in = bytes_in,
                        .bytes_out = response.body.size()};
    if (exchange.caller) {
      record.tenant = exchange.caller->tenant.value;
      record.user = exchange.caller->user.value;
    }
    log_access(record);
    return;
  }

  auto pending = std::make_unique<PendingRecord>();
  pending->request_id = exchange.request_id;
  if (exchange.caller) {
    pending->tenant = exchange.caller->tenant.value;
    pending->user = exchange.caller->user.value;
  }
  pending->method = request.method_text;
  pending->peer = exchange.client;
  pending->role = role_;
  pending->route = route;
  pending->route_index = index;
  pending->status = response.status;
  pending->started_at = exchange.started_at;
  pending->bytes_in = bytes_in;
  response.on_sent = [metrics = metrics_, logged, pending = std::move(pending), inner = std::move(response.on_sent)](
                         std::uint64_t sent, bool complete) mutable {
    if (inner) inner(sent, complete);
    const auto duration = std::chrono::steady_clock::now() - pending->started_at;
    metrics->record(EventLoop::current().index(), pending->route_index, pending->status, duration, pending->bytes_in,
                    sent);
    if (!logged) return;
    log_access({.role = pending->role,
                .request_id = pending->request_id,
                .tenant = pending->tenant,
                .user = pending->user,
                .method = pending->method,
                .route = pending->route,
                .peer = pending->peer,
                .status = pending->status,
                .duration = duration,
                .bytes_in = pending->bytes_in,
                .bytes_out = sent});
  };
}

std::vector<RouteLabel> route_labels(const std::vector<Route>& routes) {
  std::vector<RouteLabel> labels;
  for (const Route& route : routes) labels.push_back({std::string(to_string(route.method)), route.pattern});
  return labels;
}

}  // namespace parley::http
