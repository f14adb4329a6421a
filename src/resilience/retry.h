// When to try again, how long to wait before it, and how much trying again a process allows itself. RetryPolicy and
// retry_delay are pure; a RetryBudget is one per upstream, owned by whoever retries, used from all loops at once.
// Whether a request MAY be repeated is not decided here: that needs the meaning of the route.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace parley {

struct RetryPolicy {
  unsigned max_attempts = 3;                         // the first included; 1: never again
  std::chrono::milliseconds base_delay{25};          // ceiling of the first wait; doubles with each
  std::chrono::milliseconds max_delay{250};          // ceiling of any wait
  std::chrono::milliseconds max_retry_after{1'000};  // a Retry-After above this is passed on, not waited for
};

// The wait before retry number `retry` (1 for the first): uniform between zero and the doubling ceiling. "Full jitter"
// of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: of the forms compared there it costs
// the server the least work, and callers that failed together do not come back together.
std::chrono::nanoseconds retry_delay(const RetryPolicy& policy, unsigned retry, Random& random);

struct RetryBudgetSettings {
  double share = 0.1;                // retries earned by each request; in [0, 1]
  std::uint32_t capacity = 100;      // most that can be saved up, and what one begins with; ≥ 1
  std::uint32_t min_per_second = 3;  // earned by time, so that a quiet process may retry too
};

// A token bucket: when an upstream fails altogether, retries add at most `share` to its load instead of multiplying it
// by the number of attempts. Over any time, retries ≤ capacity + share × requests + min_per_second × seconds.
class RetryBudget {
 public:
  // CHECK-fails on settings outside their bounds. `clock` must outlive the budget.
  RetryBudget(RetryBudgetSettings settings, const Clock& clock);

  // Once per request. A full bucket is only read, so that in good times no core writes to it.
  void count_request();
  // Takes one retry; false when there is none left.
  bool take();
  double available() const;

 private:
  void earn(std::int64_t millitokens);
  void earn_by_time();

  const Clock& clock_;
  const std::int64_t per_request_;  // in thousandths of a retry
  const std::int64_t capacity_;
  const std::uint32_t min_per_second_;
  std::atomic<std::int64_t> tokens_;
  std::atomic<std::int64_t> earned_until_ms_;
};

}  // namespace parley
