// What breaker and budget cost a call that goes well, on one thread and on all at once, and a call that is turned away.
#include <benchmark/benchmark.h>

#include "resilience/circuit_breaker.h"
#include "resilience/retry.h"

namespace parley {
namespace {

const SystemClock kClock;

void closed_success(benchmark::State& state) {
  static CircuitBreaker breaker({}, kClock);
  for (auto _ : state) breaker.acquire()->success();
}
BENCHMARK(closed_success)->ThreadRange(1, 4)->UseRealTime();

void clock_alone(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(kClock.steady_now());
}
BENCHMARK(clock_alone);

void open_denied(benchmark::State& state) {
  CircuitBreaker breaker({.open_time = std::chrono::hours(1)}, kClock);
  while (breaker.state() == BreakerState::kClosed) breaker.acquire()->failure();
  for (auto _ : state) benchmark::DoNotOptimize(breaker.acquire());
}
BENCHMARK(open_denied);

void full_budget(benchmark::State& state) {
  static RetryBudget budget({}, kClock);
  for (auto _ : state) budget.count_request();
}
BENCHMARK(full_budget)->ThreadRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace parley
