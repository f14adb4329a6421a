#include "search/indexer.h"

#include "search/testing/indexing_fixture.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IndexerTest : public IndexingFixture {
 protected:
  double value(const std::string& line) {
    const std::string text = metrics_.text();
    const auto at = text.find("\n" + line + " ");
    EXPECT_NE(at, text.npos) << line;
    return at == text.npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }
};

TEST_F(IndexerTest, TheIndexFollowsTheStore) {
  on_loop([this] {
    chat_.make_conversation("c1");
    const MessageId first = chat_.say("c1", "one"), second = chat_.say("c1", "two"), third = chat_.say("c1", "three");
    chat_.edit("c1", second, "zwei");
    chat_.remove("c1", third);
    chat_.react("c1", first, true);
    chat_.make_conversation("c2");
    chat_.say("c2", "gone");
    chat_.erase_conversation("c2");
    chat_.name_user("ada", "Ada");
    chat_.say("c1", "elsewhere", "other");
  });
  caught_up();
  EXPECT_THAT(indexed("c1"), ElementsAre("one", "zwei"));
  EXPECT_THAT(indexed("c2"), IsEmpty());
  EXPECT_THAT(indexed("c1", "other"), ElementsAre("elsewhere"));
  EXPECT_EQ(index_.through, chat_.end());
  EXPECT_TRUE(index_.letters.empty());
  EXPECT_GE(value(R"(parley_search_index_changes_total{outcome="applied",role="search"})"), 12);
}

TEST_F(IndexerTest, AnIndexThatFollowedLanesGoesOnWithTheWholeLog) {
  on_loop([this] {
    chat_.make_conversation("c1");
    chat_.say("c1", "one");
  });
  caught_up();
  stop();
  index_.at_lanes = {{0, {0, chat_.end(), 7}}, {1, {1, {1}, 3}}};
  index_.through = {1};
  start();
  on_loop([this] { chat_.say("c1", "two"); });
  caught_up();
  EXPECT_THAT(indexed("c1"), ElementsAre("one", "two"));
  EXPECT_EQ(index_.through, chat_.end());
}

TEST_F(IndexerTest, AnEventThatCannotBeReadBecomesADeadLetterAndTheLineGoesOn) {
  on_loop([this] {
    chat_.make_conversation("c1");
    chat_.append("message.created", "c1", R"({"id":5})");
    chat_.append("message.created", "c1", "rubbish");
    chat_.say("c1", "after");
  });
  caught_up();
  EXPECT_THAT(indexed("c1"), ElementsAre("after"));
  ASSERT_THAT(index_.letters, SizeIs(2));
  const DeadLetter& letter = index_.letters.at(2);
  EXPECT_EQ(letter.event, EventId("e2"));
  EXPECT_EQ(letter.type, "message.created");
  EXPECT_EQ(letter.tenant, TenantId("acme"));
  EXPECT_EQ(letter.key, "c1");
  EXPECT_EQ(letter.reason, "data: id is no text");
  EXPECT_EQ(value(R"(parley_search_dead_letters_total{role="search"})"), 2);
}

TEST_F(IndexerTest, WhatTheIndexRefusesIsFoundAmongItsNeighboursAndPutAside) {
  on_loop([this] {
    chat_.make_conversation("c1");
    for (const char* text : {"a", "poison", "b", "c", "poison", "d", "e", "f"}) chat_.say("c1", text);
  });
  caught_up();
  EXPECT_THAT(indexed("c1"), ElementsAre("a", "b", "c", "d", "e", "f"));
  ASSERT_THAT(index_.letters, SizeIs(2));
  EXPECT_EQ(index_.letters.begin()->second.reason, "content: is refused");
}

TEST_F(IndexerTest, AFailingIndexGetsTheSameBatchAgain) {
  on_loop([this] {
    index_.failures = 3;
    index_.lost_answers = 1;
    chat_.make_conversation("c1");
    chat_.say("c1", "a");
  });
  caught_up();
  EXPECT_THAT(indexed("c1"), ElementsAre("a"));
  EXPECT_TRUE(index_.letters.empty());
  EXPECT_EQ(value(R"(parley_search_index_failures_total{role="search"})"), 4);
}

TEST_F(IndexerTest, ARestartGoesOnFromTheIndexNotFromTheLog) {
  on_loop([this] {
    chat_.make_conversation("c1");
    chat_.say("c1", "a");
  });
  caught_up();
  stop();
  chat_.saved.clear();  // the log has lost what it was told, or was never told
  chat_.say("c1", "b");
  const int applies = index_.applies;
  start();
  caught_up();
  EXPECT_THAT(indexed("c1"), ElementsAre("a", "b"));
  EXPECT_EQ(index_.applies, applies + 1);
}

TEST_F(IndexerTest, TheLogIsToldHowFarTheIndexIsSoThatNothingLeavesItEarly) {
  on_loop([this] { chat_.make_conversation("c1"); });
  caught_up();
  stop();
  EXPECT_EQ(chat_.saved.at("search"), chat_.end());
}

TEST_F(IndexerTest, TheLogKnowsOfTheIndexBeforeThereIsAnEvent) {
  restart();
  bool known = false;
  while (!known) on_loop([&] { known = chat_.saved.contains("search"); });
}

TEST_F(IndexerTest, TellsWhichTenantsChangedOnceItCanBeFound) {
  on_loop([this] {
    chat_.say("c1", "a");
    chat_.append("member.removed", "c1", "{}", "other");
  });
  caught_up();
  Changes changes = wait(changes_.since(changes_.instance(), 0, in_time()));
  EXPECT_THAT(changes.tenants, ElementsAre(TenantId("acme"), TenantId("other")));
}

TEST_F(IndexerTest, AnIndexThatTheLogDoesNotReachBackToIsBuiltFromTheStore) {
  stop();
  chat_.make_conversation("c1");
  for (int i = 0; i < 20; ++i) chat_.say("c1", std::to_string(i));
  chat_.say("c9", "elsewhere", "other");
  chat_.prune_up_to({15});
  const events::LogOffset then = chat_.end();
  start();
  caught_up();
  on_loop([this] { chat_.say("c1", "new"); });
  caught_up();
  expect_index_is_store("c1");
  expect_index_is_store("c9", "other");
  EXPECT_GE(index_.through, then);
  EXPECT_GT(index_.steps, 0);
}

TEST_F(IndexerTest, AnIndexAheadOfTheLogIsBuiltFromTheStore) {
  stop();
  index_.through = {100};
  index_.letters[99] = {.offset = {99}};
  chat_.say("c1", "of an older copy");
  start();
  caught_up();
  expect_index_is_store("c1");
  EXPECT_EQ(index_.through, chat_.end());
  EXPECT_THAT(index_.letters, IsEmpty()) << "no event of this log";

  // It is the log's own from here on: nothing is read from the store again.
  const int steps = index_.steps;
  on_loop([this] { chat_.say("c1", "next"); });
  caught_up();
  restart();
  on_loop([this] { chat_.say("c1", "last"); });
  caught_up();
  expect_index_is_store("c1");
  EXPECT_EQ(index_.through, chat_.end());
  EXPECT_EQ(index_.steps, steps);
}

TEST_F(IndexerTest, NoRebuildThatABuildFromTheStoreBeginsWaitsForEver) {
  stop();
  index_.through = {100};
  chat_.say("c1", "of an older copy");
  start();
  caught_up();
  EXPECT_GT(index_.longest_begin, SteadyTime{});
  EXPECT_LT(index_.longest_begin, in_time());
}

TEST_F(IndexerTest, ABuildFromTheStoreThatIsCutOffBeginsAgain) {
  stop();
  for (int i = 0; i < 40; ++i) chat_.say("c1", std::to_string(i));
  chat_.prune_up_to({30});
  for (int round = 0; round < 4; ++round) {
    int steps = 0;
    std::promise<void> two_steps;
    index_.before_step = [&, this] {
      if (++steps != 2) return;
      at_->reindexer.close([] {});  // the last thing that it does
      two_steps.set_value();
    };
    start();
    two_steps.get_future().wait();
    stop();
    EXPECT_EQ(steps, 2);
    EXPECT_FALSE(index_.building.empty());
    index_.before_step = {};
    chat_.say("c1", "meanwhile");
  }
  start();
  caught_up();
  expect_index_is_store("c1");
  EXPECT_TRUE(index_.building.empty());
}

}  // namespace
}  // namespace parley::search::testing
