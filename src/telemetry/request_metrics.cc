#include "telemetry/request_metrics.h"

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>

#include "base/check.h"

namespace parley {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The statuses that are counted each for itself; any other goes to its class's x00.
constexpr std::array kStatuses{100, 101, 200, 201, 202, 204, 206, 300, 301, 302, 304, 307, 308,
                               400, 401, 403, 404, 405, 408, 409, 410, 411, 412, 413, 415, 416,
                               417, 426, 429, 431, 460, 499, 500, 501, 502, 503, 504, 505, 507};

constexpr std::size_t slot_of_listed(int status) {
  for (std::size_t i = 0; i < kStatuses.size(); ++i) {
    if (kStatuses[i] == status) return i;
  }
  return SIZE_MAX;
}

constexpr std::array<std::uint8_t, 500> kSlots = [] {
  std::array<std::uint8_t, 500> slots{};
  for (int status = 100; status < 600; ++status) {
    std::size_t slot = slot_of_listed(status);
    if (slot == SIZE_MAX) slot = slot_of_listed(status / 100 * 100);
    slots[static_cast<std::size_t>(status - 100)] = static_cast<std::uint8_t>(slot);
  }
  return slots;
}();

std::size_t slot_of(int status) {
  return status >= 100 && status < 600 ? kSlots[static_cast<std::size_t>(status - 100)] : slot_of_listed(500);
}

constexpr std::size_t kBuckets = 14;

// Written by one thread, read by any: a plain addition that a reader cannot see torn.
class LoopCounter {
 public:
  void add(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct RouteCounters {
  std::array<LoopCounter, kStatuses.size()> by_status;
  std::array<LoopCounter, kBuckets + 1> by_latency;  // not cumulative; the last is beyond every bound
  LoopCounter total_ns;
};

struct alignas(64) LoopCounters {
  explicit LoopCounters(std::size_t routes) : by_route(routes) {}
  std::vector<RouteCounters> by_route;
  LoopCounter bytes_in;
  LoopCounter bytes_out;
};

}  // namespace

class RequestMetrics::Source final : public prometheus::Collectable {
 public:
  Source(std::string_view role, std::vector<RouteLabel> routes, std::size_t loops)
      : role_(role), routes_(std::move(routes)) {
    CHECK(loops > 0 && latency_buckets().size() == kBuckets);
    routes_.push_back({"", "none"});
    for (std::size_t i = 0; i < kBuckets; ++i)
      bounds_ns_[i] = static_cast<std::int64_t>(latency_buckets()[i] * 1e9 + 0.5);
    for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<LoopCounters>(routes_.size()));
  }

  void record(std::size_t loop, std::size_t route, int status, std::int64_t ns, std::uint64_t bytes_in,
              std::uint64_t bytes_out) {
    CHECK(loop < loops_.size());
    LoopCounters& mine = *loops_[loop];
    RouteCounters& counters = mine.by_route[std::min(route, routes_.size() - 1)];
    counters.by_status[slot_of(status)].add(1);
    std::size_t bucket = 0;
    while (bucket < kBuckets && ns > bounds_ns_[bucket]) ++bucket;
    counters.by_latency[bucket].add(1);
    counters.total_ns.add(ns > 0 ? static_cast<std::uint64_t>(ns) : 0);
    mine.bytes_in.add(bytes_in);
    mine.bytes_out.add(bytes_out);
  }

  std::vector<MetricFamily> Collect() const override {
    MetricFamily requests{"parley_http_requests_total", "Requests answered.", MetricType::Counter, {}};
    MetricFamily latency{"parley_http_request_duration_seconds",
                         "Time from a request's head to the end of its answer.",
                         MetricType::Histogram,
                         {}};
    for (std::size_t route = 0; route < routes_.size(); ++route) collect_route(route, requests, latency);
    MetricFamily in{"parley_http_request_bytes_total", "Bytes of request bodies.", MetricType::Counter, {bytes(true)}};
    MetricFamily out{
        "parley_http_response_bytes_total", "Bytes of response bodies.", MetricType::Counter, {bytes(false)}};
    return {std::move(requests), std::move(latency), std::move(in), std::move(out)};
  }

 private:
  void collect_route(std::size_t route, MetricFamily& requests, MetricFamily& latency) const {
    const std::vector<ClientMetric::Label> labels{
        {"method", routes_[route].method}, {"role", role_}, {"route", routes_[route].pattern}};
    for (std::size_t slot = 0; slot < kStatuses.size(); ++slot) {
      std::uint64_t count = 0;
      for (const auto& loop : loops_) count += loop->by_route[route].by_status[slot].value();
      if (count == 0) continue;
      ClientMetric metric;
      metric.label = labels;
      metric.label.push_back({"status", std::to_string(kStatuses[slot])});
      metric.counter.value = static_cast<double>(count);
      requests.metric.push_back(std::move(metric));
    }
    ClientMetric metric;
    metric.label = labels;
    std::uint64_t cumulative = 0, total_ns = 0;
    for (std::size_t bucket = 0; bucket <= kBuckets; ++bucket) {
      for (const auto& loop : loops_) cumulative += loop->by_route[route].by_latency[bucket].value();
      const double bound = bucket < kBuckets ? latency_buckets()[bucket] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    if (cumulative == 0) return;
    for (const auto& loop : loops_) total_ns += loop->by_route[route].total_ns.value();
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = static_cast<double>(total_ns) / 1e9;
    latency.metric.push_back(std::move(metric));
  }

  ClientMetric bytes(bool in) const {
    std::uint64_t sum = 0;
    for (const auto& loop : loops_) sum += (in ? loop->bytes_in : loop->bytes_out).value();
    ClientMetric metric;
    metric.label = {{"role", role_}};
    metric.counter.value = static_cast<double>(sum);
    return metric;
  }

  const std::string role_;
  std::vector<RouteLabel> routes_;
  std::array<std::int64_t, kBuckets> bounds_ns_{};
  std::vector<std::unique_ptr<LoopCounters>> loops_;
};

RequestMetrics::RequestMetrics(Metrics& metrics, std::string_view role, std::vector<RouteLabel> routes,
                               std::size_t loops)
    : source_(std::make_shared<Source>(role, std::move(routes), loops)) {
  metrics.add(source_);
}

RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::record(std::size_t loop, std::size_t route, int status, std::chrono::nanoseconds duration,
                            std::uint64_t bytes_in, std::uint64_t bytes_out) {
  source_->record(loop, route, status, duration.count(), bytes_in, bytes_out);
}

}  // namespace parley
