#include "gateway/change_numbers.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

using std::chrono::seconds;

class ChangeNumbersTest : public ::testing::Test {
 protected:
  std::int64_t changed(std::string_view tenant) const { return numbers.current(tenant).value().changed; }
  ManualClock clock;
  ChangeNumbers numbers;
};

TEST_F(ChangeNumbersTest, NothingIsKnownBeforeSearchIsHeard) {
  EXPECT_FALSE(numbers.current("acme").has_value());
}

TEST_F(ChangeNumbersTest, ATenantStandsWhereItsLastChangeWasHeard) {
  numbers.hear("i", 5, true, {});
  numbers.hear("i", 7, false, {"acme"});
  numbers.hear("i", 9, false, {"other"});
  const auto standing = numbers.current("acme").value();
  EXPECT_EQ(standing.instance, "i");
  EXPECT_EQ(standing.heard, 9);
  EXPECT_EQ(standing.changed, 7);
  EXPECT_EQ(changed("other"), 9);
  EXPECT_EQ(changed("third"), 5);
  EXPECT_TRUE(standing.allows("i", 7));
  EXPECT_TRUE(standing.allows("i", 12));
  EXPECT_FALSE(standing.allows("i", 6));
  EXPECT_FALSE(standing.allows("j", 7));
}

TEST_F(ChangeNumbersTest, WhatChangedAllAndAnotherInstanceLeaveNothingFromBefore) {
  numbers.hear("i", 5, true, {});
  numbers.hear("i", 8, true, {});
  EXPECT_EQ(changed("acme"), 8);
  numbers.hear("i", 9, false, {"acme"});
  numbers.hear("j", 2, false, {});
  EXPECT_EQ(changed("acme"), 2);
  EXPECT_FALSE(numbers.current("acme")->allows("i", 100));
}

TEST_F(ChangeNumbersTest, AWriteKeepsItsTenantFromOthersUntilItIsIndexedAndNotBecauseTimePasses) {
  numbers.hear("i", 5, true, {});
  const SteadyTime before = clock.steady_now();
  clock.advance(seconds(1));
  numbers.written("acme", clock.steady_now());
  EXPECT_FALSE(numbers.current("acme").has_value());
  EXPECT_TRUE(numbers.current("other").has_value());
  numbers.settled(before);
  clock.advance(seconds(3600));
  EXPECT_FALSE(numbers.current("acme").has_value());
  numbers.settled(clock.steady_now());
  EXPECT_TRUE(numbers.current("acme").has_value());
  numbers.settled(before);  // never back
  EXPECT_TRUE(numbers.current("acme").has_value());
}

}  // namespace
}  // namespace parley::gateway
