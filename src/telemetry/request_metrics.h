// Requests of one role by route, method and status, with latency: what every request records. Each event loop has
// counters of its own, so that record() is a handful of plain additions; they are merged when somebody scrapes.
//   parley_http_requests_total{role,route,method,status}   parley_http_request_duration_seconds{role,route,method}
//   parley_http_request_bytes_total{role}                  parley_http_response_bytes_total{role}
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metrics.h"

namespace parley {

struct RouteLabel {
  std::string method;
  std::string pattern;
};

class RequestMetrics {
 public:
  // `routes` in the order of the router's table; `loops` as EventLoops has. Shows up in `metrics` while it lives.
  RequestMetrics(Metrics& metrics, std::string_view role, std::vector<RouteLabel> routes, std::size_t loops);
  ~RequestMetrics();

  // On loop number `loop`. `route` is the index in the table; anything beyond it (kNoRoute) is counted as route "none".
  static constexpr std::size_t kNoRoute = SIZE_MAX;
  void record(std::size_t loop, std::size_t route, int status, std::chrono::nanoseconds duration,
              std::uint64_t bytes_in, std::uint64_t bytes_out);

 private:
  class Source;
  std::shared_ptr<Source> source_;
};

}  // namespace parley
