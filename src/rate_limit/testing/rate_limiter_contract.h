// What every RateLimiter must do. An adapter's test names a fixture type with `RateLimiter& limiter()` and
// `void advance(milliseconds)` and says INSTANTIATE_TYPED_TEST_SUITE_P(Name, RateLimiterContract, ThatType). Where the
// type has a `static bool is_there()` that answers false, its cases are skipped.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/event_loop.h"
#include "rate_limit/rate_limiter.h"

namespace parley::testing {

template <class Adapter>
class RateLimiterContract : public ::testing::Test {
 protected:
  void SetUp() override {
    if constexpr (requires { Adapter::is_there(); }) {
      if (!Adapter::is_there()) GTEST_SKIP() << "its engine is not there";
    }
    loops_.start();
  }

  RateDecision take(std::string key, RateRule rule) { return run(adapter_.limiter().take(std::move(key), rule)); }
  RateDecision give_back(std::string key, RateRule rule) {
    return run(adapter_.limiter().give_back(std::move(key), rule));
  }
  void advance(std::chrono::milliseconds by) { adapter_.advance(by); }

 private:
  RateDecision run(Task<Result<RateDecision>> task) {
    return asio::co_spawn(loops_.at(0).io(), std::move(task), asio::use_future).get().value();
  }
  Adapter adapter_;
  EventLoops loops_{1};
};

TYPED_TEST_SUITE_P(RateLimiterContract);

TYPED_TEST_P(RateLimiterContract, LetsThroughTheLimitAndNotOneMore) {
  const RateRule rule{.limit = 60};
  for (std::uint32_t i = 0; i < 60; ++i) {
    const RateDecision decision = this->take("u1", rule);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.limit, 60u);
    EXPECT_EQ(decision.remaining, 59 - i);
    EXPECT_EQ(decision.retry_after.count(), 0);
  }
  const RateDecision refused = this->take("u1", rule);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0u);
  EXPECT_GT(refused.retry_after.count(), 0);
  EXPECT_LE(refused.retry_after.count(), 65);
  EXPECT_GE(refused.reset, refused.retry_after);
}

TYPED_TEST_P(RateLimiterContract, LetsThroughAgainAfterRetryAfter) {
  const RateRule rule{.limit = 3};
  for (int i = 0; i < 3; ++i) this->take("u1", rule);
  const RateDecision refused = this->take("u1", rule);
  ASSERT_FALSE(refused.allowed);
  this->advance(refused.retry_after);
  EXPECT_TRUE(this->take("u1", rule).allowed);
}

TYPED_TEST_P(RateLimiterContract, HasAllLeftAgainAfterReset) {
  const RateRule rule{.limit = 5};
  this->take("u1", rule);
  this->advance(std::chrono::seconds(20));
  const RateDecision last = this->take("u1", rule);
  this->advance(last.reset);
  EXPECT_EQ(this->take("u1", rule).remaining, 4u);
}

TYPED_TEST_P(RateLimiterContract, NoWindowHoldsMoreThanTheLimitHoweverTheyAreSpread) {
  const RateRule rule{.limit = 7, .window = std::chrono::seconds(12)};
  std::vector<std::int64_t> taken_ms;
  for (std::int64_t ms = 0; ms < 120'000; ms += 137) {
    if (this->take("u1", rule).allowed) taken_ms.push_back(ms);
    this->advance(std::chrono::milliseconds(137));
  }
  for (std::size_t i = 7; i < taken_ms.size(); ++i) EXPECT_GE(taken_ms[i] - taken_ms[i - 7], 12'000);
  EXPECT_GE(taken_ms.size(), 60u);  // 70 would be the most; steps cost a twelfth
}

TYPED_TEST_P(RateLimiterContract, ARefusalTakesNothing) {
  const RateRule rule{.limit = 1};
  this->take("u1", rule);
  const auto first_wait = this->take("u1", rule).retry_after;
  for (int i = 0; i < 100; ++i) this->take("u1", rule);
  EXPECT_EQ(this->take("u1", rule).retry_after, first_wait);
  this->advance(first_wait);
  EXPECT_TRUE(this->take("u1", rule).allowed);
}

TYPED_TEST_P(RateLimiterContract, WhatIsGivenBackMayBeTakenAgain) {
  const RateRule rule{.limit = 2};
  this->take("u1", rule);
  this->take("u1", rule);
  EXPECT_EQ(this->give_back("u1", rule).remaining, 1u);
  EXPECT_TRUE(this->take("u1", rule).allowed);
  EXPECT_FALSE(this->take("u1", rule).allowed);
}

TYPED_TEST_P(RateLimiterContract, GivingBackWhatWasNotTakenChangesNothing) {
  const RateRule rule{.limit = 2};
  EXPECT_EQ(this->give_back("u1", rule).remaining, 2u);
  this->take("u1", rule);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(this->give_back("u1", rule).remaining, 2u);
  EXPECT_EQ(this->take("u1", rule).remaining, 1u);
}

TYPED_TEST_P(RateLimiterContract, KeysDoNotShareALimit) {
  const RateRule rule{.limit = 1};
  EXPECT_TRUE(this->take(rate_key("messages", TenantId("a"), UserId("u")), rule).allowed);
  EXPECT_TRUE(this->take(rate_key("messages", TenantId("b"), UserId("u")), rule).allowed);
  EXPECT_TRUE(this->take(rate_key("searches", TenantId("a"), UserId("u")), rule).allowed);
  EXPECT_FALSE(this->take(rate_key("messages", TenantId("a"), UserId("u")), rule).allowed);
}

TYPED_TEST_P(RateLimiterContract, ZeroIsNoLimit) {
  for (int i = 0; i < 1000; ++i) {
    const RateDecision decision = this->take("u1", {.limit = 0});
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.limit, 0u);
  }
  EXPECT_TRUE(this->give_back("u1", {.limit = 0}).allowed);
}

TYPED_TEST_P(RateLimiterContract, ALoweredLimitHoldsAtOnce) {
  for (int i = 0; i < 10; ++i) this->take("u1", {.limit = 10});
  const RateDecision refused = this->take("u1", {.limit = 2});
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0u);
  this->advance(refused.retry_after);
  EXPECT_TRUE(this->take("u1", {.limit = 2}).allowed);
}

REGISTER_TYPED_TEST_SUITE_P(RateLimiterContract, LetsThroughTheLimitAndNotOneMore, LetsThroughAgainAfterRetryAfter,
                            HasAllLeftAgainAfterReset, NoWindowHoldsMoreThanTheLimitHoweverTheyAreSpread,
                            ARefusalTakesNothing, WhatIsGivenBackMayBeTakenAgain,
                            GivingBackWhatWasNotTakenChangesNothing, KeysDoNotShareALimit, ZeroIsNoLimit,
                            ALoweredLimitHoldsAtOnce);

}  // namespace parley::testing
