#include "search/testing/search_fixture.h"

namespace parley::search::testing {
namespace {

class SearchLimits : public SearchFixture {
 protected:
  SearchLimits() : SearchFixture(2, 3) {}
};

TEST_F(SearchLimits, AllSearchesOfAUserShareOneLimit) {
  const Answer first = client("ada").get("/search/messages?q=a");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("RateLimit-Limit"), "2");
  EXPECT_EQ(first.header("RateLimit-Remaining"), "1");
  EXPECT_EQ(client("ada").get("/search/users?q=a").status, 200);
  const Answer third = client("ada").get("/search?q=a");
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.code(), "rate_limited");
  EXPECT_FALSE(third.header("Retry-After").empty());
  EXPECT_EQ(third.header("RateLimit-Remaining"), "0");
  clock_.advance(std::chrono::seconds(66));
  EXPECT_EQ(client("ada").get("/search?q=a").status, 200);
}

TEST_F(SearchLimits, OneUsersSearchesAreNotCountedAgainstAnother) {
  for (int i = 0; i < 3; ++i) client("ada").get("/search/messages?q=a");
  EXPECT_EQ(client("ben").get("/search/messages?q=a").status, 200);
  EXPECT_EQ(client("ada", "umbrella").get("/search/messages?q=a").status, 200);
}

TEST_F(SearchLimits, SuggestionsHaveALimitOfTheirOwnTenTimesAsHigh) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client("ada").get("/search/suggestions?q=a").status, 200);
  EXPECT_EQ(client("ada").get("/search/suggestions?q=a").status, 429);
  EXPECT_EQ(client("ada").get("/search/messages?q=a").status, 200);
}

TEST_F(SearchLimits, RecentSearchesAreOutsideTheLimit) {
  for (int i = 0; i < 5; ++i) {
    const Answer answer = client("ada").get("/search/recent");
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.header("RateLimit-Limit").empty());
  }
}

TEST_F(SearchLimits, ServiceTokensHaveALimitOfTheirOwn) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client("bot", "acme", "service").get("/search/users?q=a").status, 200);
  EXPECT_EQ(client("bot", "acme", "service").get("/search/users?q=a").status, 429);
}

TEST_F(SearchLimits, WhatFailsForAReasonOfOursIsNotCounted) {
  messaging_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  for (int i = 0; i < 5; ++i) {
    const Answer answer = client("ada").get("/search/messages?q=a");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("RateLimit-Remaining"), "2");
  }
}

TEST_F(SearchLimits, WhatRanOutOfTimeIsCountedForItCostThatTime) {
  index_.failure = Error{ErrorKind::kTimeout, "deadline_exceeded", "too slow", {}, {}};
  for (const char* const remaining : {"1", "0"}) {
    const Answer answer = client("ada").get("/search/messages?q=a");
    EXPECT_EQ(answer.status, 504);
    EXPECT_EQ(answer.header("RateLimit-Remaining"), remaining);
  }
  EXPECT_EQ(client("ada").get("/search/messages?q=a").status, 429);
}

TEST_F(SearchLimits, WhatIsRefusedIsNotCounted) {
  for (const char* const query : {"", "?q=a&limit=0", "?q=a&before=soon-or-later", "?q=a&min_position=AAAA"}) {
    EXPECT_EQ(client("ada").get(std::string("/search/messages") + query).status, 400) << query;
  }
  EXPECT_EQ(client("ada").get("/search/messages?q=a").header("RateLimit-Remaining"), "1");
}

class NoSearchLimits : public SearchFixture {};

TEST_F(NoSearchLimits, WithALimitOfZeroNothingIsLimited) {
  for (int i = 0; i < 100; ++i) {
    const Answer answer = client("ada").get("/search/messages?q=a");
    ASSERT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.header("RateLimit-Limit").empty());
  }
}

}  // namespace
}  // namespace parley::search::testing
