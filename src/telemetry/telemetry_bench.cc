// What logging and counting a request costs its event loop.
#include <benchmark/benchmark.h>

#include "telemetry/log.h"
#include "telemetry/request_metrics.h"
#include "telemetry/trace_context.h"

namespace parley {
namespace {

// The log's own thread must not run out of buffer: flushing is part of what is measured, as in the server.
LogOptions into_nothing(LogLevel level) {
  return {.level = level, .sink = [](std::string_view lines) { benchmark::DoNotOptimize(lines.data()); }};
}

void access_log_line(benchmark::State& state) {
  const Log log(into_nothing(LogLevel::kInfo));
  std::chrono::nanoseconds duration(812'345);
  for (auto _ : state) {
    log_access({.role = "gateway",
                .request_id = "k3f9a1c2b7d4e5f",
                .tenant = "acme",
                .user = "0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                .method = "POST",
                .route = "/v1/messages",
                .peer = "127.0.0.1",
                .status = 201,
                .duration = duration,
                .bytes_in = 60,
                .bytes_out = 812});
    duration += std::chrono::microseconds(1);
  }
  state.counters["dropped"] = static_cast<double>(Log::dropped());
}
BENCHMARK(access_log_line)->Iterations(150)->Repetitions(5)->ReportAggregatesOnly();
BENCHMARK(access_log_line);

void disabled_level(benchmark::State& state) {
  const Log log(into_nothing(LogLevel::kInfo));
  int n = 0;
  for (auto _ : state) {
    log_debug("nobody wants to know", {{"n", n}, {"text", "text"}});
    benchmark::DoNotOptimize(++n);
  }
}
BENCHMARK(disabled_level);

void record_request(benchmark::State& state) {
  Metrics metrics;
  RequestMetrics requests(metrics, "gateway", std::vector<RouteLabel>(30, {"GET", "/a"}), 2);
  std::size_t route = 0;
  for (auto _ : state) {
    requests.record(0, route, 200, std::chrono::microseconds(100 + 37 * route), 60, 812);
    route = route + 1 == 30 ? 0 : route + 1;
  }
}
BENCHMARK(record_request);

void counter_increment(benchmark::State& state) {
  Metrics metrics;
  Counter& counter = metrics.counter("parley_a_total", "A.");
  for (auto _ : state) counter.Increment();
}
BENCHMARK(counter_increment);

void histogram_observe(benchmark::State& state) {
  Metrics metrics;
  Histogram& histogram = metrics.histogram("parley_a_seconds", "A.");
  for (auto _ : state) histogram.Observe(0.003);
}
BENCHMARK(histogram_observe);

void scrape(benchmark::State& state) {
  Metrics metrics;
  RequestMetrics requests(metrics, "gateway", std::vector<RouteLabel>(30, {"GET", "/a"}), 2);
  for (std::size_t route = 0; route < 30; ++route) requests.record(0, route, 200, std::chrono::microseconds(100), 1, 1);
  for (auto _ : state) benchmark::DoNotOptimize(metrics.text());
}
BENCHMARK(scrape)->Unit(benchmark::kMicrosecond);

void request_id(benchmark::State& state) {
  SecureRandom random;
  RequestIds ids(random);
  for (auto _ : state) benchmark::DoNotOptimize(ids.next_request_id());
}
BENCHMARK(request_id);

void traceparent_child(benchmark::State& state) {
  SecureRandom random;
  RequestIds ids(random);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ids.traceparent_for("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  }
}
BENCHMARK(traceparent_child);

}  // namespace
}  // namespace parley
