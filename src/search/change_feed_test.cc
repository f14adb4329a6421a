#include "search/change_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/run_on_loop.h"

namespace parley::search {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ChangeFeedTest : public ::testing::Test {
 protected:
  ChangeFeedTest() : loops_(1), random_(1), feed_(random_) { loops_.start(); }
  ~ChangeFeedTest() override { loops_.stop(); }
  Changes since(std::int64_t after, SteadyTime deadline = SteadyTime::max()) {
    return run_on_loop(loops_.at(0), feed_.since(feed_.instance(), after, deadline));
  }
  static SteadyTime soon() { return std::chrono::steady_clock::now() + std::chrono::milliseconds(1); }

  EventLoops loops_;
  SeededRandom random_;
  ChangeFeed feed_;
};

TEST_F(ChangeFeedTest, TellsEachChangedTenantOnce) {
  feed_.touched({TenantId("b"), TenantId("a")});
  feed_.touched({TenantId("a")});
  const Changes changes = since(0);
  EXPECT_THAT(changes.tenants, ElementsAre(TenantId("a"), TenantId("b")));
  EXPECT_FALSE(changes.all);
  EXPECT_EQ(changes.through, 3);
  EXPECT_THAT(since(2).tenants, ElementsAre(TenantId("a")));
}

TEST_F(ChangeFeedTest, AnswersNothingWhenNothingChangedInTime) {
  feed_.touched({TenantId("a")});
  const Changes changes = since(1, soon());
  EXPECT_THAT(changes.tenants, IsEmpty());
  EXPECT_FALSE(changes.all);
  EXPECT_EQ(changes.through, 1);
}

TEST_F(ChangeFeedTest, AnswersAsSoonAsSomethingChanges) {
  auto waiting = std::async(std::launch::async, [this] { return since(0); });
  feed_.touched({});
  feed_.touched({TenantId("a")});
  EXPECT_THAT(waiting.get().tenants, ElementsAre(TenantId("a")));
}

TEST_F(ChangeFeedTest, WhoComesFromAnotherStartIsToldEverything) {
  feed_.touched({TenantId("a")});
  for (const char* instance : {"", "other"}) {
    const Changes changes = run_on_loop(loops_.at(0), feed_.since(instance, 0, SteadyTime::max()));
    EXPECT_TRUE(changes.all);
    EXPECT_EQ(changes.through, 1);
    EXPECT_EQ(changes.instance, feed_.instance());
  }
  EXPECT_NE(ChangeFeed(random_).instance(), feed_.instance());
}

TEST_F(ChangeFeedTest, TellsWithoutWaitingToo) {
  EXPECT_THAT(feed_.so_far(feed_.instance(), 0).tenants, IsEmpty());
  feed_.touched({TenantId("a")});
  EXPECT_THAT(feed_.so_far(feed_.instance(), 0).tenants, ElementsAre(TenantId("a")));
  EXPECT_THAT(feed_.so_far(feed_.instance(), 1).tenants, IsEmpty());
  EXPECT_TRUE(feed_.so_far("other", 1).all);
}

TEST_F(ChangeFeedTest, WhoWasAwayForTooLongOrIsAheadIsToldEverything) {
  for (std::size_t i = 0; i < ChangeFeed::kRemembered; ++i) feed_.touched({TenantId("a")});
  EXPECT_FALSE(since(0).all);
  feed_.touched({TenantId("b")});
  EXPECT_TRUE(since(0).all);
  EXPECT_FALSE(since(1).all);
  EXPECT_TRUE(since(static_cast<std::int64_t>(ChangeFeed::kRemembered) + 2).all);
  EXPECT_TRUE(since(-1).all);
}

TEST_F(ChangeFeedTest, WhenAnythingMayHaveChangedEveryoneIsToldSoOnce) {
  feed_.touched({TenantId("a")});
  auto waiting = std::async(std::launch::async, [this] { return since(1); });
  feed_.touched_anything();
  const Changes changes = waiting.get();
  EXPECT_TRUE(changes.all);
  feed_.touched({TenantId("b")});
  EXPECT_THAT(since(changes.through).tenants, ElementsAre(TenantId("b")));
}

}  // namespace
}  // namespace parley::search
