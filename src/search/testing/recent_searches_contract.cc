#include "search/testing/recent_searches_contract.h"

#include "search/query_parser.h"

namespace parley::search::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RecentSearchesContract::RecentSearchesContract() : loops_(1), under_test_(GetParam()(clock_)) {
  loops_.start();
}
Result<> RecentSearchesContract::add(std::string query, const char* user, const char* tenant) {
  return wait(searches().add(TenantId(tenant), UserId(user), std::move(query), kNoHurry));
}
std::vector<std::string> RecentSearchesContract::listed(const char* user, const char* tenant) {
  auto found = wait(searches().list(TenantId(tenant), UserId(user), kNoHurry));
  EXPECT_TRUE(found.has_value());
  std::vector<std::string> queries;
  if (found) {
    for (RecentSearch& each : *found) queries.push_back(std::move(each.query));
  }
  return queries;
}

namespace {

TEST_P(RecentSearchesContract, TheNewestComesFirstWithItsTime) {
  EXPECT_THAT(listed(), IsEmpty());
  const WallTime at = clock_.wall_now();
  EXPECT_TRUE(add("grub").has_value());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(add("boot \"how do i\" from:bob").has_value());
  EXPECT_THAT(listed(), ElementsAre("boot \"how do i\" from:bob", "grub"));
  const auto found = wait(searches().list(TenantId("acme"), UserId("ada"), kNoHurry)).value();
  EXPECT_EQ(found[0].searched_at, at + std::chrono::seconds(1));
  EXPECT_EQ(found[1].searched_at, at);
}

TEST_P(RecentSearchesContract, SearchesOfOneMomentKeepTheirOrder) {
  for (const char* query : {"a", "b", "c"}) add(query);
  EXPECT_THAT(listed(), ElementsAre("c", "b", "a"));
}

TEST_P(RecentSearchesContract, AClockThatStepsBackDoesNotTurnTheOrder) {
  add("first");
  clock_.advance(-std::chrono::hours(1));
  add("second");
  EXPECT_THAT(listed(), ElementsAre("second", "first"));
}

TEST_P(RecentSearchesContract, WhatIsSearchedAgainMovesUpAndStandsOnce) {
  add("Café");
  add("boot");
  clock_.advance(std::chrono::minutes(1));
  add("  CAFE\t");
  EXPECT_THAT(listed(), ElementsAre("CAFE", "boot"));
  add("grub  boot");
  add("grub boot ");
  add("\u3000会議\u3000");
  add("会議");
  EXPECT_THAT(listed(), ElementsAre("会議", "grub boot", "CAFE", "boot"));
  add("-boot");
  EXPECT_THAT(listed(), SizeIs(5));
}

TEST_P(RecentSearchesContract, TheLastFiftyAreKept) {
  for (std::size_t i = 0; i < kMaxRecentSearches + 3; ++i) add("q" + std::to_string(i));
  const auto queries = listed();
  ASSERT_THAT(queries, SizeIs(kMaxRecentSearches));
  EXPECT_EQ(queries.front(), "q52");
  EXPECT_EQ(queries.back(), "q3");
  add("q3");  // one that is there already pushes none out
  EXPECT_THAT(listed(), SizeIs(kMaxRecentSearches));
  EXPECT_EQ(listed().back(), "q4");
}

TEST_P(RecentSearchesContract, NobodySeesOrClearsTheSearchesOfAnother) {
  add("mine");
  add("of bob", "bob");
  add("elsewhere", "ada", "other");
  EXPECT_THAT(listed(), ElementsAre("mine"));
  EXPECT_THAT(listed("bob"), ElementsAre("of bob"));
  EXPECT_THAT(listed("ada", "other"), ElementsAre("elsewhere"));
  EXPECT_THAT(listed("acme", "ada"), IsEmpty());
  EXPECT_TRUE(wait(searches().clear(TenantId("acme"), UserId("ada"), kNoHurry)).has_value());
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_THAT(listed("bob"), ElementsAre("of bob"));
  EXPECT_THAT(listed("ada", "other"), ElementsAre("elsewhere"));
}

TEST_P(RecentSearchesContract, TheManySearchesOfOneUserPushOutNoneOfAnother) {
  add("mine");
  for (std::size_t i = 0; i < kMaxRecentSearches + 3; ++i) add("q" + std::to_string(i), "bob");
  EXPECT_THAT(listed(), ElementsAre("mine"));
}

TEST_P(RecentSearchesContract, ClearingNothingIsNoFault) {
  EXPECT_TRUE(wait(searches().clear(TenantId("acme"), UserId("nobody"), kNoHurry)).has_value());
}

TEST_P(RecentSearchesContract, WhatIsTooOldIsNotListedWhetherItWasSweptOrNot) {
  add("old");
  clock_.advance(std::chrono::seconds(1));
  add("newer");
  clock_.advance(RecentSearchesUnderTest::kLife - std::chrono::seconds(2));
  EXPECT_THAT(listed(), ElementsAre("newer", "old"));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(listed(), ElementsAre("newer"));
  add("newest");
  EXPECT_THAT(listed(), ElementsAre("newest", "newer"));
}

TEST_P(RecentSearchesContract, SweepingErasesTheExpiredInBoundedSteps) {
  for (int i = 0; i < 5; ++i) add("old" + std::to_string(i), i % 2 == 0 ? "ada" : "bob");
  clock_.advance(RecentSearchesUnderTest::kLife);
  add("new", "eve");
  const auto sweep = [&](std::size_t limit) { return wait(searches().sweep(limit, kNoHurry)).value(); };
  EXPECT_TRUE(sweep(2));
  EXPECT_TRUE(sweep(2));
  EXPECT_FALSE(sweep(2));
  EXPECT_FALSE(sweep(2));
  EXPECT_FALSE(sweep(0));
  clock_.advance(-RecentSearchesUnderTest::kLife);  // what was only hidden would show again
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_THAT(listed("bob"), IsEmpty());
  EXPECT_THAT(listed("eve"), ElementsAre("new"));
}

TEST_P(RecentSearchesContract, ATextOfSpacesIsNotKept) {
  for (const char* query : {"", " ", "\t\n ", "\u3000"}) EXPECT_TRUE(add(query).has_value());
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_P(RecentSearchesContract, WhatCannotBeAQueryIsRefused) {
  const std::string longest(kMaxQueryBytes, 'q');
  EXPECT_TRUE(add(longest).has_value());
  for (const std::string& query : {longest + "q", std::string("\xff"), std::string("a\xed\xa0\x80")}) {
    const auto answer = add(query);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(answer.error().fields.front().path, "query.q");
  }
  EXPECT_THAT(listed(), ElementsAre(longest));
}

TEST_P(RecentSearchesContract, AnyTextComesBackAsItWas) {
  const std::string zero("a\0b", 3);
  for (const std::string& query :
       {std::string("'; DROP TABLE searches; --"), std::string("<script>"), std::string("100%_"), zero}) {
    add(query);
    EXPECT_EQ(listed().front(), query);
  }
}

TEST_P(RecentSearchesContract, ARestartForgetsNothing) {
  add("grub");
  add("boot");
  under_test_->reopen();
  EXPECT_THAT(listed(), ElementsAre("boot", "grub"));
}

TEST_P(RecentSearchesContract, PastTheDeadlineNothingIsDone) {
  const SteadyTime past = clock_.steady_now() - std::chrono::milliseconds(1);
  const TenantId tenant("acme");
  const UserId ada("ada");
  add("grub");
  EXPECT_EQ(wait(searches().add(tenant, ada, "boot", past)).error().code, "deadline_exceeded");
  EXPECT_EQ(wait(searches().list(tenant, ada, past)).error().code, "deadline_exceeded");
  EXPECT_EQ(wait(searches().clear(tenant, ada, past)).error().code, "deadline_exceeded");
  EXPECT_EQ(wait(searches().sweep(1, past)).error().code, "deadline_exceeded");
  EXPECT_THAT(listed(), ElementsAre("grub"));
}

}  // namespace
}  // namespace parley::search::testing
