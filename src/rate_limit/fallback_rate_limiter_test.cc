#include "rate_limit/fallback_rate_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/run_on_loop.h"
#include "rate_limit/memory_rate_limiter.h"
#include "rate_limit/testing/rate_limiter_contract.h"

namespace parley::testing {
namespace {

using ::testing::HasSubstr;

// Counts as one in memory does, while it is there.
class SharedLimiter final : public RateLimiter {
 public:
  explicit SharedLimiter(const Clock& clock) : limiter_(clock) {}
  Task<Result<RateDecision>> take(std::string key, RateRule rule) override {
    ++asked;
    if (away) co_return unavailable("unavailable", "no");
    co_return co_await limiter_.take(std::move(key), rule);
  }
  Task<Result<RateDecision>> give_back(std::string key, RateRule rule) override {
    ++asked;
    if (away) co_return unavailable("unavailable", "no");
    co_return co_await limiter_.give_back(std::move(key), rule);
  }

  bool away = false;
  int asked = 0;

 private:
  MemoryRateLimiter limiter_;
};

class WellShared {
 public:
  RateLimiter& limiter() { return limiter_; }
  void advance(std::chrono::milliseconds by) { clock_.advance(by); }

 private:
  ManualClock clock_;
  Metrics metrics_;
  SharedLimiter shared_{clock_};
  MemoryRateLimiter local_{clock_};
  FallbackRateLimiter limiter_{shared_, local_, clock_, metrics_};
};
INSTANTIATE_TYPED_TEST_SUITE_P(WellShared, RateLimiterContract, WellShared);

class WithoutShared {
 public:
  WithoutShared() { shared_.away = true; }
  RateLimiter& limiter() { return limiter_; }
  void advance(std::chrono::milliseconds by) { clock_.advance(by); }

 private:
  ManualClock clock_;
  Metrics metrics_;
  SharedLimiter shared_{clock_};
  MemoryRateLimiter local_{clock_};
  FallbackRateLimiter limiter_{shared_, local_, clock_, metrics_};
};
INSTANTIATE_TYPED_TEST_SUITE_P(WithoutShared, RateLimiterContract, WithoutShared);

class FallbackRateLimiterTest : public ::testing::Test {
 protected:
  FallbackRateLimiterTest() : loops_(1) { loops_.start(); }
  ~FallbackRateLimiterTest() override { loops_.stop(); }
  RateDecision take(RateRule rule = {.limit = 1'000}) {
    return run_on_loop(loops_.at(0), limiter_.take("u1", rule)).value();
  }

  ManualClock clock_;
  Metrics metrics_;
  SharedLimiter shared_{clock_};
  MemoryRateLimiter local_{clock_};
  FallbackRateLimiter limiter_{shared_, local_, clock_, metrics_};
  EventLoops loops_;
};

TEST_F(FallbackRateLimiterTest, DecidesByTheSharedOneWhileItAnswers) {
  EXPECT_EQ(take().remaining, 999u);
  EXPECT_EQ(take().remaining, 998u);
  EXPECT_FALSE(limiter_.is_local());
  EXPECT_THAT(metrics_.text(), HasSubstr("parley_rate_limit_shared 1"));
}

TEST_F(FallbackRateLimiterTest, LimitsLocallyWhileTheSharedOneIsAwayAndAsksItNoMore) {
  take();
  shared_.away = true;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(take({.limit = 100}).allowed);
  EXPECT_FALSE(take({.limit = 100}).allowed);
  EXPECT_TRUE(limiter_.is_local());
  EXPECT_LE(shared_.asked, 5);
  EXPECT_THAT(metrics_.text(), HasSubstr("parley_rate_limit_shared 0"));
  EXPECT_THAT(metrics_.text(), HasSubstr("parley_rate_limit_local_decisions_total 101"));
}

TEST_F(FallbackRateLimiterTest, GoesBackByItself) {
  shared_.away = true;
  for (int i = 0; i < 10; ++i) take();
  ASSERT_TRUE(limiter_.is_local());
  clock_.advance(FallbackRateLimiter::kBreaker.open_time);
  const int asked = shared_.asked;
  take();  // a look, which fails
  take();
  EXPECT_EQ(shared_.asked, asked + 1);
  EXPECT_TRUE(limiter_.is_local());
  shared_.away = false;
  clock_.advance(FallbackRateLimiter::kBreaker.open_time);
  for (int i = 0; i < 3; ++i) take();
  EXPECT_FALSE(limiter_.is_local());
  EXPECT_THAT(metrics_.text(), HasSubstr("parley_rate_limit_shared 1"));
}

TEST_F(FallbackRateLimiterTest, GoesBackWhenItIsAskedForItsHealthThoughNobodyIsLimited) {
  const auto is_still_local = [&] { return run_on_loop(loops_.at(0), limiter_.is_still_local()); };
  EXPECT_FALSE(is_still_local());
  shared_.away = true;
  for (int i = 0; i < 10; ++i) take();
  EXPECT_TRUE(is_still_local());
  clock_.advance(FallbackRateLimiter::kBreaker.open_time);
  EXPECT_TRUE(is_still_local());
  shared_.away = false;
  EXPECT_TRUE(is_still_local());  // it is too soon to look again
  clock_.advance(FallbackRateLimiter::kBreaker.open_time);
  EXPECT_FALSE(is_still_local());
}

TEST_F(FallbackRateLimiterTest, OneFailureAmongManyAnswersChangesNothing) {
  for (int i = 0; i < 20; ++i) take();
  shared_.away = true;
  EXPECT_TRUE(take().allowed);
  shared_.away = false;
  take();
  EXPECT_FALSE(limiter_.is_local());
}

TEST_F(FallbackRateLimiterTest, WithoutALimitNobodyIsAsked) {
  EXPECT_TRUE(take({.limit = 0}).allowed);
  EXPECT_EQ(shared_.asked, 0);
}

}  // namespace
}  // namespace parley::testing
