// ResilientUpstream: an upstream behind a circuit breaker, with a deadline, retries within a budget, and an observer.
// One per upstream, used from all loops. Errors are the wrapped upstream's, or kUnavailable `circuit_open`, which costs
// microseconds and says when to come back.
//
// Sent again are requests that cannot do harm twice, and only before a byte of an answer was passed on: safe methods
// without a body, and requests whose ForwardedBody is held (their route honours the Idempotency-Key they carry).
// Reasons: no connection, no answer in the attempt's time, 502, 503, 504; a Retry-After longer than the policy waits
// for is passed on. The breaker counts connection errors, timeouts and 5xx but 501 and 507 (the upstream is well, it
// just will not); a call that failed for the client's sake counts for nothing. An answer that says of itself that the
// upstream is well (http::kRoleIsWell) is a good one, whatever its status.
#pragma once
#include <memory>

#include "gateway/forwarded_body.h"
#include "gateway/upstream_observer.h"
#include "http/upstream.h"
#include "resilience/circuit_breaker.h"
#include "resilience/retry.h"
#include "resilience/timer.h"

namespace parley::gateway {

struct ResilienceSettings {
  CircuitBreakerSettings breaker;
  RetryPolicy retry;
  RetryBudgetSettings budget;
  std::chrono::milliseconds call_timeout{10'000};  // all attempts together; 0: only the request's own deadline
  std::chrono::milliseconds attempt_timeout{0};    // of one attempt that could be repeated; 0: none of its own
};

class ResilientUpstream final : public http::Upstream {
 public:
  // What is passed by reference must outlive this.
  ResilientUpstream(std::shared_ptr<http::Upstream> upstream, ResilienceSettings settings, const Clock& clock,
                    Random& random, Timer& timer, std::shared_ptr<UpstreamObserver> observer);

  std::string_view name() const override { return upstream_->name(); }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime deadline) override {
    return call(request, nullptr, deadline);
  }
  // `body`: the request's body, if it is a ForwardedBody; null otherwise. `more_time`: added to the call's timeout.
  Task<Result<http::Response>> call(http::Request& request, ForwardedBody* body, SteadyTime deadline,
                                    std::chrono::milliseconds more_time = {});

  // `circuit_open` if a call would be turned away now, so that no body need be read for it.
  std::optional<Error> turned_away() const;

  const CircuitBreaker& breaker() const { return breaker_; }
  http::Upstream& wrapped() const { return *upstream_; }

 private:
  Error circuit_open(std::chrono::milliseconds retry_after) const;
  // Tells the breaker and the observer how the attempt ended. True: it was a failure of a kind that a retry may mend.
  bool judge(Result<http::Response>& answer, const ForwardedBody* body, CircuitBreaker::Permit permit);
  // When to try again after attempt number `attempt`; nullopt: not at all.
  std::optional<SteadyTime> next_attempt(const Result<http::Response>& answer, unsigned attempt, SteadyTime deadline);

  const std::shared_ptr<http::Upstream> upstream_;
  const ResilienceSettings settings_;
  const Clock& clock_;
  Random& random_;
  Timer& timer_;
  const std::shared_ptr<UpstreamObserver> observer_;
  CircuitBreaker breaker_;
  RetryBudget budget_;
};

}  // namespace parley::gateway
