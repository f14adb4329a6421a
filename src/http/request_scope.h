// The first two steps of every role's middleware.
//   RequestScope     request id, trace context, time of start and deadline, the client behind trusted proxies; puts
//   X-Request-Id on every answer
//   RequestRecorder  one access log line and the metrics of each request; a streamed answer is recorded when it has
//   ended
#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "base/ip_networks.h"
#include "http/service.h"
#include "telemetry/request_metrics.h"
#include "telemetry/trace_context.h"

namespace parley::http {

// This thread's maker of request ids.
RequestIds& request_ids();

class RequestScope final : public Middleware {
 public:
  // `deadline`: the longest a handler may take until it has an answer's head.
  explicit RequestScope(std::chrono::milliseconds deadline, IpNetworks trusted_proxies = {})
      : deadline_(deadline), trusted_proxies_(std::move(trusted_proxies)) {}
  Verdict before(Exchange& exchange) override;
  void after(Exchange& exchange, Response& response) override;

 private:
  const std::chrono::milliseconds deadline_;
  const IpNetworks trusted_proxies_;
};

class RequestRecorder final : public Middleware {
 public:
  RequestRecorder(std::string role, std::shared_ptr<RequestMetrics> metrics);
  void after(Exchange& exchange, Response& response) override;

 private:
  const std::string role_;
  const std::shared_ptr<RequestMetrics> metrics_;
};

// The labels that RequestMetrics wants, in the order of the table.
std::vector<RouteLabel> route_labels(const std::vector<Route>& routes);

}  // namespace parley::http
