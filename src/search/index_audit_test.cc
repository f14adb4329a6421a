#include "search/index_audit.h"

#include "search/testing/indexing_fixture.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IndexAuditTest : public IndexingFixture {
 protected:
  IndexAuditTest() {
    on_loop([this] {
      for (const char* id : {"c1", "c2", "c3"}) {
        chat_.make_conversation(id);
        for (int i = 0; i < 8; ++i) last_ = chat_.say(id, std::string(id) + std::to_string(i));
      }
      chat_.remove("c3", last_);
      chat_.say("c1", "elsewhere", "other");
    });
    caught_up();
  }
  IndexCheckReport check(bool repair = false) {
    auto report = wait(at_->audit.check(repair, in_time()));
    EXPECT_TRUE(report) << report.error().detail;
    return report.value_or(IndexCheckReport{});
  }
  std::map<MessageId, MemoryIndex::Document>& documents(const char* conversation) {
    return index_.serving[TenantId("acme")].documents[ConversationId(conversation)];
  }
  MessageId last_;
};

TEST_F(IndexAuditTest, AnIndexThatIsTheStoreHasNoDifferences) {
  const IndexCheckReport report = check();
  EXPECT_EQ(report.tenants, 2);
  EXPECT_EQ(report.conversations, 4);
  EXPECT_EQ(report.messages, 8 + 8 + 7 + 1);
  EXPECT_EQ(report.indexed, report.messages);
  EXPECT_EQ(report.differing, 0);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.reindexes, IsEmpty());
}

TEST_F(IndexAuditTest, ANameThatAFileHasNoMoreIsNamedAndRepaired) {
  MessageId odd;
  on_loop([&, this] {
    odd = documents("c2").begin()->first;
    documents("c2").begin()->second.message.file_names = {"gone.pdf"};
  });
  const IndexCheckReport report = check(true);
  ASSERT_THAT(report.differences, SizeIs(1));
  EXPECT_THAT(report.differences[0].different, ElementsAre(odd));
  EXPECT_THAT(report.reindexes, SizeIs(1));
}

TEST_F(IndexAuditTest, ARowThatIsMissingIsNamedAndRepaired) {
  MessageId lost;
  on_loop([&, this] {
    lost = documents("c2").begin()->first;
    documents("c2").erase(lost);
  });
  const IndexCheckReport report = check();
  ASSERT_THAT(report.differences, SizeIs(1));
  EXPECT_EQ(report.differences[0].conversation, ConversationId("c2"));
  EXPECT_EQ(report.differences[0].stored, 8);
  EXPECT_EQ(report.differences[0].indexed, 7);
  EXPECT_THAT(report.differences[0].missing, ElementsAre(lost));
  EXPECT_THAT(report.reindexes, IsEmpty()) << "nobody asked for it";

  const IndexCheckReport repaired = check(true);
  ASSERT_THAT(repaired.reindexes, SizeIs(1));
  EXPECT_EQ(ended(repaired.reindexes[0]).phase, ReindexPhase::kDone);
  EXPECT_EQ(check().differing, 0);
}

TEST_F(IndexAuditTest, RowsThatSayOtherThingsOrShouldNotBeThereAreFound) {
  on_loop([this] {
    documents("c1").begin()->second.message.content = "something else";
    documents("c2").rbegin()->second.message.seq = 77;
    documents("c2")[MessageId("nobody")] = {.number = 1, .live = true, .message = {.id = MessageId("nobody")}};
    documents("c3")[last_] = {.number = 99, .live = true, .message = {.id = last_, .content = "it was deleted"}};
    documents("unheard-of")[MessageId("x")] = {.number = 1, .live = true, .message = {.id = MessageId("x")}};
  });
  const IndexCheckReport report = check();
  EXPECT_EQ(report.differing, 4);
  ASSERT_THAT(report.differences, SizeIs(4));
  EXPECT_THAT(report.differences[0].different, SizeIs(1));
  EXPECT_THAT(report.differences[1].different, SizeIs(1));
  EXPECT_EQ(report.differences[1].indexed, 9) << "what no id of the store names is counted";
  EXPECT_THAT(report.differences[2].surplus, ElementsAre(last_));
  EXPECT_EQ(report.differences[3].conversation, ConversationId("unheard-of"));
  EXPECT_EQ(report.differences[3].stored, 0);
  EXPECT_EQ(report.differences[3].indexed, 1);
  for (const std::string& id : check(true).reindexes) ended(id);
  EXPECT_EQ(check().differing, 0);
}

TEST_F(IndexAuditTest, RowsThatAreThereAndCannotBeFoundAreADifference) {
  on_loop([this] { index_.unfindable = 1; });
  const IndexCheckReport report = check();
  EXPECT_EQ(report.differing, 4);
  EXPECT_EQ(report.differences[0].stored, 8);
  EXPECT_EQ(report.differences[0].indexed, 7);
}

TEST_F(IndexAuditTest, AnErasedConversationThatIsStillIndexedIsFound) {
  on_loop([this] { chat_.erase_conversation("c2"); });
  caught_up();
  EXPECT_EQ(check().differing, 0);
  on_loop([this] { documents("c2")[MessageId("x")] = {.number = 999, .live = true, .message = {}}; });
  EXPECT_EQ(check().differing, 1);
}

TEST_F(IndexAuditTest, WhatIsOnItsWayToTheIndexIsNoDifference) {
  on_loop([this] {
    index_.failures = 20;  // holds the indexer up for a while
    for (int i = 0; i < 30; ++i) chat_.say("c1", "late");
    chat_.edit("c2", chat_.say("c2", "x"), "y");
    chat_.erase_conversation("c3");
    chat_.make_conversation("c4");
    chat_.say("c4", "z");
  });
  EXPECT_EQ(check().differing, 0);
}

TEST_F(IndexAuditTest, OneBigDifferenceIsCutToWhatAPersonReads) {
  on_loop([this] {
    for (int i = 0; i < 2000; ++i) chat_.say("c1", "more");
  });
  caught_up();
  on_loop([this] { documents("c1").clear(); });
  const IndexCheckReport report = check();
  ASSERT_THAT(report.differences, SizeIs(1));
  EXPECT_EQ(report.differences[0].stored, 2008);
  EXPECT_EQ(report.differences[0].indexed, 0);
  EXPECT_THAT(report.differences[0].missing, SizeIs(IndexCheck::kMaxShown));
}

TEST_F(IndexAuditTest, DeadLettersAreCounted) {
  on_loop([this] { chat_.append("message.created", "c1", "rubbish"); });
  caught_up();
  EXPECT_EQ(check().dead_letters, 1);
}

TEST_F(IndexAuditTest, AStoreThatDoesNotAnswerIsAnErrorAndNoDifference) {
  on_loop([this] { chat_.scan_failures = 1; });
  EXPECT_FALSE(wait(at_->audit.check(true, in_time())));
}

}  // namespace
}  // namespace parley::search::testing
