#include "rate_limit/sliding_window.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

using std::chrono::seconds;

constexpr RateRule kOneAMinute{.limit = 1};

// The steady clock counts from boot.
TEST(SlidingWindow, SaysTheRightWaitInTheFirstMinuteAfterBoot) {
  for (int boot_age = 0; boot_age < 130; ++boot_age) {
    SlidingWindow window;
    SteadyTime now{seconds(boot_age)};
    ASSERT_TRUE(window.take(kOneAMinute, now).allowed) << boot_age;
    const RateDecision refused = window.take(kOneAMinute, now);
    ASSERT_FALSE(refused.allowed) << boot_age;
    EXPECT_GT(refused.retry_after, seconds(60)) << boot_age;
    EXPECT_EQ(refused.reset, refused.retry_after) << boot_age;
    now += refused.retry_after;
    EXPECT_FALSE(window.take(kOneAMinute, now - seconds(1)).allowed) << boot_age;
    EXPECT_TRUE(window.take(kOneAMinute, now).allowed) << boot_age;
  }
}

TEST(SlidingWindow, GivesBackInTheFirstMinuteAfterBoot) {
  for (int boot_age = 0; boot_age < 70; ++boot_age) {
    SlidingWindow window;
    const SteadyTime now{seconds(boot_age)};
    ASSERT_TRUE(window.take(kOneAMinute, now).allowed);
    EXPECT_EQ(window.give_back(kOneAMinute, now).remaining, 1u) << boot_age;
    EXPECT_TRUE(window.take(kOneAMinute, now).allowed) << boot_age;
  }
}

}  // namespace
}  // namespace parley
