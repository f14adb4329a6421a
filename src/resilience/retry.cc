#include "resilience/retry.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace parley {

namespace {
constexpr std::int64_t kOne = 1'000;

std::int64_t steady_ms(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now().time_since_epoch()).count();
}
}  // namespace

std::chrono::nanoseconds retry_delay(const RetryPolicy& policy, unsigned retry, Random& random) {
  CHECK(retry >= 1);
  std::chrono::nanoseconds ceiling = policy.base_delay;
  for (unsigned i = 1; i < retry && ceiling < policy.max_delay; ++i) ceiling *= 2;
  ceiling = std::min<std::chrono::nanoseconds>(ceiling, policy.max_delay);
  return std::chrono::nanoseconds(std::llround(random.unit() * static_cast<double>(ceiling.count())));
}

RetryBudget::RetryBudget(RetryBudgetSettings settings, const Clock& clock)
    : clock_(clock),
      per_request_(std::llround(settings.share * kOne)),
      capacity_(static_cast<std::int64_t>(settings.capacity) * kOne),
      min_per_second_(settings.min_per_second),
      tokens_(capacity_),
      earned_until_ms_(steady_ms(clock)) {
  CHECK(settings.share >= 0 && settings.share <= 1);
  CHECK(settings.capacity >= 1);
}

void RetryBudget::count_request() {
  earn(per_request_);
}

bool RetryBudget::take() {
  earn_by_time();
  std::int64_t have = tokens_.load(std::memory_order_relaxed);
  while (have >= kOne) {
    if (tokens_.compare_exchange_weak(have, have - kOne, std::memory_order_relaxed)) return true;
  }
  return false;
}

double RetryBudget::available() const {
  return static_cast<double>(tokens_.load(std::memory_order_relaxed)) / static_cast<double>(kOne);
}

void RetryBudget::earn(std::int64_t millitokens) {
  std::int64_t have = tokens_.load(std::memory_order_relaxed);
  while (have < capacity_) {
    if (tokens_.compare_exchange_weak(have, std::min(capacity_, have + millitokens), std::memory_order_relaxed)) return;
  }
}

void RetryBudget::earn_by_time() {
  const std::int64_t now = steady_ms(clock_);
  std::int64_t until = earned_until_ms_.load(std::memory_order_relaxed);
  // Thousandths per second are units per millisecond: nothing is lost to rounding.
  while (until < now) {
    if (earned_until_ms_.compare_exchange_weak(until, now, std::memory_order_relaxed)) {
      return earn((now - until) * min_per_second_);
    }
  }
}

}  // namespace parley
