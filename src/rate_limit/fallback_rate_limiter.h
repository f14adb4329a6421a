// FallbackRateLimiter: limits that are shared while they can be, and this process's own while they cannot. A request
// waits for the shared limiter at most as long as that one does; after a few failures a breaker has the next ones
// decided here at once, and looks by single requests whether the other is back. Never fails, as long as the local one
// does not. Owned by the wiring, called on any loop; what it refers to must outlive it.
#pragma once
#include "base/clock.h"
#include "rate_limit/rate_limiter.h"
#include "resilience/circuit_breaker.h"
#include "telemetry/metrics.h"

namespace parley {

class FallbackRateLimiter final : public RateLimiter {
 public:
  // Gives way after this much trouble, and looks again this soon.
  static constexpr CircuitBreakerSettings kBreaker{.window = std::chrono::milliseconds(2'000),
                                                   .volume_threshold = 3,
                                                   .error_share = 0.5,
                                                   .open_time = std::chrono::milliseconds(1'000),
                                                   .half_open_probes = 2};

  FallbackRateLimiter(RateLimiter& shared, RateLimiter& local, const Clock& clock, Metrics& metrics,
                      CircuitBreakerSettings breaker = kBreaker);

  Task<Result<RateDecision>> take(std::string key, RateRule rule) override;
  Task<Result<RateDecision>> give_back(std::string key, RateRule rule) override;

  // Whether this process decides by itself at present.
  bool is_local() const { return breaker_.state() != BreakerState::kClosed; }
  // The same, after a look whether the shared one is back, where it is time for that: with nobody to be limited, nobody
  // else looks.
  Task<bool> is_still_local();

 private:
  using Ask = Task<Result<RateDecision>> (RateLimiter::*)(std::string key, RateRule rule);
  Task<Result<RateDecision>> decide(Ask ask, std::string key, RateRule rule);
  void report(const BreakerChange& change);

  RateLimiter& shared_;
  RateLimiter& local_;
  Gauge& is_shared_;
  Counter& decided_locally_;
  CircuitBreaker breaker_;
};

}  // namespace parley
