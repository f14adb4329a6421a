#include "rate_limit/memory_rate_limiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "rate_limit/testing/rate_limiter_contract.h"

namespace parley::testing {
namespace {

class InMemory {
 public:
  RateLimiter& limiter() { return limiter_; }
  void advance(std::chrono::milliseconds by) { clock_.advance(by); }

 private:
  ManualClock clock_;
  MemoryRateLimiter limiter_{clock_};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, RateLimiterContract, InMemory);

RateDecision run(EventLoop& loop, Task<Result<RateDecision>> task) {
  return asio::co_spawn(loop.io(), std::move(task), asio::use_future).get().value();
}

TEST(MemoryRateLimiter, HoldsABoundedNumberOfKeysAndForgetsTheLongestUnused) {
  ManualClock clock;
  MemoryRateLimiter limiter(clock, 64);
  EventLoops loops(1);
  loops.start();
  const RateRule rule{.limit = 1};
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(run(loops.at(0), limiter.take("key" + std::to_string(i), rule)).allowed);
    EXPECT_FALSE(run(loops.at(0), limiter.take("key" + std::to_string(i), rule)).allowed);
  }
  EXPECT_LE(limiter.size(), 64u);
}

Task<int> take_many(RateLimiter& limiter, int times) {
  int allowed = 0;
  for (int i = 0; i < times; ++i) allowed += (co_await limiter.take("shared", {.limit = 1000}))->allowed ? 1 : 0;
  co_return allowed;
}

TEST(MemoryRateLimiter, LoopsTogetherTakeExactlyTheLimit) {
  ManualClock clock;
  MemoryRateLimiter limiter(clock);
  EventLoops loops(4);
  loops.start();
  std::vector<std::future<int>> counts;
  for (std::size_t i = 0; i < 4; ++i) {
    counts.push_back(asio::co_spawn(loops.at(i).io(), take_many(limiter, 500), asio::use_future));
  }
  int total = 0;
  for (auto& count : counts) total += count.get();
  EXPECT_EQ(total, 1000);
}

TEST(RateLimitFields, SayLimitRemainingAndResetOrNothing) {
  const auto fields = rate_limit_fields({.limit = 60, .remaining = 7, .reset = std::chrono::seconds(42)});
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0], (std::pair<std::string_view, std::string>("RateLimit-Limit", "60")));
  EXPECT_EQ(fields[1], (std::pair<std::string_view, std::string>("RateLimit-Remaining", "7")));
  EXPECT_EQ(fields[2], (std::pair<std::string_view, std::string>("RateLimit-Reset", "42")));
  EXPECT_TRUE(rate_limit_fields({}).empty());
}

TEST(RateLimited, Is429WithRetryAfter) {
  const Error error = rate_limited({.allowed = false, .limit = 60, .retry_after = std::chrono::seconds(9)});
  EXPECT_EQ(error.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(error.code, "rate_limited");
  EXPECT_EQ(error.retry_after, std::chrono::seconds(9));
}

}  // namespace
}  // namespace parley::testing
