#include "resilience/retry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "resilience/deadline.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(RetryDelay, StaysBelowACeilingThatDoublesUpToTheGreatest) {
  const RetryPolicy policy{.max_attempts = 10, .base_delay = milliseconds(10), .max_delay = milliseconds(35)};
  SeededRandom random(7);
  const milliseconds ceilings[] = {milliseconds(10), milliseconds(20), milliseconds(35), milliseconds(35)};
  for (unsigned retry = 1; retry <= 4; ++retry) {
    nanoseconds longest{0};
    for (int i = 0; i < 2'000; ++i) {
      const nanoseconds delay = retry_delay(policy, retry, random);
      ASSERT_GE(delay, nanoseconds(0));
      ASSERT_LE(delay, ceilings[retry - 1]);
      longest = std::max(longest, delay);
    }
    EXPECT_GT(longest, ceilings[retry - 1] * 9 / 10);
  }
  EXPECT_LE(retry_delay(policy, 4'000'000, random), milliseconds(35));
}

TEST(RetryBudget, AllowsWhatIsSavedUpAndThenTheShareOfRequests) {
  ManualClock clock;
  RetryBudget budget({.share = 0.25, .capacity = 5, .min_per_second = 0}, clock);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
  for (int i = 0; i < 3; ++i) budget.count_request();
  EXPECT_FALSE(budget.take());
  budget.count_request();
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

TEST(RetryBudget, EarnsWithTimeSoThatAQuietProcessMayRetry) {
  ManualClock clock;
  RetryBudget budget({.share = 0, .capacity = 2, .min_per_second = 1}, clock);
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  clock.advance(milliseconds(999));
  EXPECT_FALSE(budget.take());
  clock.advance(milliseconds(1));
  EXPECT_TRUE(budget.take());
}

TEST(RetryBudget, NeverSavesMoreThanItsCapacity) {
  ManualClock clock;
  RetryBudget budget({.share = 1, .capacity = 3, .min_per_second = 10}, clock);
  for (int i = 0; i < 1'000; ++i) budget.count_request();
  clock.advance(seconds(1'000'000));
  int taken = 0;
  while (taken < 10 && budget.take()) ++taken;
  EXPECT_EQ(taken, 3);
}

TEST(RetryBudgetProperty, IsNeverExceededInRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    ManualClock clock;
    const RetryBudgetSettings settings{.share = static_cast<double>(random.below(101)) / 100,
                                       .capacity = static_cast<std::uint32_t>(1 + random.below(20)),
                                       .min_per_second = static_cast<std::uint32_t>(random.below(5))};
    RetryBudget budget(settings, clock);
    double requests = 0, retries = 0, elapsed_ms = 0;
    for (int step = 0; step < 1'000; ++step) {
      const std::uint64_t what = random.below(10);
      if (what < 5) budget.count_request(), ++requests;
      if (what == 5) {
        const std::uint64_t ms = random.below(100);
        clock.advance(milliseconds(ms)), elapsed_ms += static_cast<double>(ms);
      }
      if (what > 5 && budget.take()) ++retries;
      ASSERT_LE(retries,
                settings.capacity + settings.share * requests + settings.min_per_second * elapsed_ms / 1'000 + 1e-6);
    }
  }
}

TEST(RetryBudgetConcurrent, IsNotExceededByManyThreadsAtOnce) {
  ManualClock clock;
  RetryBudget budget({.share = 0.1, .capacity = 10, .min_per_second = 0}, clock);
  std::atomic<int> retries{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        budget.count_request();
        if (budget.take()) retries.fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(retries.load(), 10 + 4'000);
  EXPECT_GE(retries.load(), 4'000 - 10);
}

TEST(AttemptDeadline, IsTheTimeoutFromNowButNeverAfterTheTotal) {
  const SteadyTime now(seconds(100));
  EXPECT_EQ(attempt_deadline(now, now + seconds(10), seconds(3)), now + seconds(3));
  EXPECT_EQ(attempt_deadline(now, now + seconds(2), seconds(3)), now + seconds(2));
  EXPECT_EQ(attempt_deadline(now, now - seconds(1), seconds(3)), now - seconds(1));
  EXPECT_EQ(attempt_deadline(now, now + seconds(2), seconds(0)), now + seconds(2));
  EXPECT_EQ(attempt_deadline(now, SteadyTime::max(), seconds(3)), now + seconds(3));
}

TEST(Remaining, IsZeroOnceTheDeadlinePassed) {
  const SteadyTime now(seconds(100));
  EXPECT_EQ(remaining(now, now + seconds(1)), seconds(1));
  EXPECT_EQ(remaining(now, now), seconds(0));
  EXPECT_EQ(remaining(now, now - seconds(1)), seconds(0));
}

}  // namespace
}  // namespace parley
