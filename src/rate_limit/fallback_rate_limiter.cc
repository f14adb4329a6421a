#include "rate_limit/fallback_rate_limiter.h"

#include "telemetry/log.h"

namespace parley {

FallbackRateLimiter::FallbackRateLimiter(RateLimiter& shared, RateLimiter& local, const Clock& clock, Metrics& metrics,
                                         CircuitBreakerSettings breaker)
    : shared_(shared),
      local_(local),
      is_shared_(metrics.gauge("parley_rate_limit_shared",
                               "1 while limits are counted for all processes together, 0 while each counts alone.")),
      decided_locally_(metrics.counter("parley_rate_limit_local_decisions_total",
                                       "Limits decided by this process alone, for want of the shared count.")),
      breaker_(breaker, clock, [this](const BreakerChange& change) { report(change); }) {
  is_shared_.Set(1);
}

Task<Result<RateDecision>> FallbackRateLimiter::take(std::string key, RateRule rule) {
  return decide(&RateLimiter::take, std::move(key), rule);
}

// To whom it was taken from, unless that has changed in between: then to the other, where it is one too many, once.
Task<Result<RateDecision>> FallbackRateLimiter::give_back(std::string key, RateRule rule) {
  return decide(&RateLimiter::give_back, std::move(key), rule);
}

Task<Result<RateDecision>> FallbackRateLimiter::decide(Ask ask, std::string key, RateRule rule) {
  if (rule.limit == 0) co_return RateDecision{};
  if (auto permit = breaker_.acquire()) {
    Result<RateDecision> decision = co_await (shared_.*ask)(key, rule);
    if (decision) {
      permit->success();
      co_return decision;
    }
    permit->failure();
  }
  decided_locally_.Increment();
  co_return co_await (local_.*ask)(std::move(key), rule);
}

Task<bool> FallbackRateLimiter::is_still_local() {
  while (is_local()) {
    auto permit = breaker_.acquire();
    if (!permit) break;
    // Of a key that nobody takes from: it changes nothing.
    if (!co_await shared_.give_back("look", {.limit = 1})) {
      permit->failure();
      break;
    }
    permit->success();
  }
  co_return is_local();
}

void FallbackRateLimiter::report(const BreakerChange& change) {
  if (change.to == BreakerState::kHalfOpen || change.from == BreakerState::kHalfOpen) {
    if (change.to != BreakerState::kClosed) return;
    is_shared_.Set(1);
    log_info("limits are shared again");
  } else if (change.to == BreakerState::kOpen) {
    is_shared_.Set(0);
    log_warn("limits are not shared: each process counts for itself");
  }
}

}  // namespace parley
