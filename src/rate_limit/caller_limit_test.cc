#include "rate_limit/caller_limit.h"

#include <gtest/gtest.h>

#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "rate_limit/memory_rate_limiter.h"

namespace parley {
namespace {

class AbsentLimiter final : public RateLimiter {
 public:
  Task<Result<RateDecision>> take(std::string, RateRule) override { co_return unavailable("unavailable", "no"); }
  Task<Result<RateDecision>> give_back(std::string, RateRule) override { co_return unavailable("unavailable", "no"); }
};

class CallerLimitTest : public ::testing::Test {
 protected:
  CallerLimitTest() { loops_.start(); }
  ~CallerLimitTest() override { loops_.stop(); }
  static std::shared_ptr<const Caller> caller(std::string user, bool service = false, std::string bearer = "") {
    Caller made{TenantId("acme"), UserId(std::move(user)), {}, {}, UserId(std::move(bearer))};
    made.roles.service = service;
    return std::make_shared<const Caller>(std::move(made));
  }
  std::optional<RateDecision> take(CallerLimit& limit, std::shared_ptr<const Caller> who) {
    return run_on_loop(loops_.at(0), limit.take(std::move(who)));
  }

  ManualClock clock_;
  MemoryRateLimiter limiter_{clock_};
  EventLoops loops_{1};
};

TEST_F(CallerLimitTest, CountsEachUserByItself) {
  CallerLimit limit(limiter_, "things", {1}, {});
  EXPECT_TRUE(take(limit, caller("ada"))->allowed);
  EXPECT_FALSE(take(limit, caller("ada"))->allowed);
  EXPECT_TRUE(take(limit, caller("ben"))->allowed);
}

TEST_F(CallerLimitTest, CountsAServiceTokenForAllItsUsersTogether) {
  CallerLimit limit(limiter_, "things", {1}, {2});
  EXPECT_TRUE(take(limit, caller("ada", true, "bot"))->allowed);
  EXPECT_TRUE(take(limit, caller("ben", true, "bot"))->allowed);
  EXPECT_FALSE(take(limit, caller("cyd", true, "bot"))->allowed);
  EXPECT_TRUE(take(limit, caller("ada"))->allowed);
}

TEST_F(CallerLimitTest, OneKindOfThingIsNotCountedAgainstAnother) {
  CallerLimit messages(limiter_, "messages", {1}, {}), searches(limiter_, "searches", {1}, {});
  EXPECT_TRUE(take(messages, caller("ada"))->allowed);
  EXPECT_TRUE(take(searches, caller("ada"))->allowed);
}

TEST_F(CallerLimitTest, WhatIsGivenBackCanBeTakenAgain) {
  CallerLimit limit(limiter_, "things", {1}, {});
  take(limit, caller("ada"));
  EXPECT_EQ(run_on_loop(loops_.at(0), limit.give_back(caller("ada")))->remaining, 1u);
  EXPECT_TRUE(take(limit, caller("ada"))->allowed);
}

TEST_F(CallerLimitTest, WithoutALimitThereIsNothingToTell) {
  CallerLimit limit(limiter_, "things", {0}, {});
  EXPECT_FALSE(take(limit, caller("ada")).has_value());
}

TEST_F(CallerLimitTest, ALimiterThatCannotAnswerLetsTheCallerOn) {
  AbsentLimiter absent;
  CallerLimit limit(absent, "things", {1}, {});
  EXPECT_FALSE(take(limit, caller("ada")).has_value());
  EXPECT_FALSE(run_on_loop(loops_.at(0), limit.give_back(caller("ada"))).has_value());
}

}  // namespace
}  // namespace parley
