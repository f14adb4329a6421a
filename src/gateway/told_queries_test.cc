#include "gateway/told_queries.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;

class ToldQueriesTest : public ::testing::Test {
 protected:
  bool ask(const char* q, const char* user = "ada", const char* tenant = "acme") {
    return queries->should_tell(who(user, tenant), q, now);
  }
  static Caller who(const char* user, const char* tenant = "acme") {
    return {.tenant = TenantId(tenant), .user = UserId(user)};
  }

  std::unique_ptr<ToldQueries> queries = std::make_unique<ToldQueries>();
  SteadyTime now = SteadyTime(std::chrono::hours(1));
};

TEST_F(ToldQueriesTest, TheSameAgainIsToldOnceASecond) {
  EXPECT_TRUE(ask("a"));
  now += milliseconds(999);
  EXPECT_FALSE(ask("a"));
  now += milliseconds(1);
  EXPECT_TRUE(ask("a"));
  EXPECT_FALSE(ask("a"));
}

TEST_F(ToldQueriesTest, AnotherInBetweenMakesItNewsAtOnce) {
  queries->told(who("ada"), "a", now);
  EXPECT_FALSE(ask("a"));
  queries->told(who("ada"), "b", now);
  EXPECT_TRUE(ask("a"));
  EXPECT_TRUE(ask("b"));
  queries->forget(who("ada"));
  EXPECT_TRUE(ask("b"));
}

TEST_F(ToldQueriesTest, IsEachUsersOwn) {
  EXPECT_TRUE(ask("a"));
  EXPECT_TRUE(ask("a", "ben"));
  EXPECT_TRUE(ask("a", "ada", "other"));
  EXPECT_FALSE(ask("a"));
  EXPECT_FALSE(ask("a", "ben"));
}

TEST_F(ToldQueriesTest, WhoGoesToAndFroIsToldOfSoOftenASecondAndNoMore) {
  int told = 0;
  for (int i = 0; i < 1'000; ++i) told += ask(i % 2 == 0 ? "a" : "b");
  EXPECT_EQ(told, ToldQueries::kMostASecond);
  EXPECT_TRUE(ask("a", "ben"));
  now += milliseconds(1'000);
  EXPECT_TRUE(ask("a"));
}

}  // namespace
}  // namespace parley::gateway
