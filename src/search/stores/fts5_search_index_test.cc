// The contract over FTS5, and what is this adapter's own: locks, foreign files, tombstones without content.
#include "search/stores/fts5_search_index.h"

#include <fstream>

#include "drivers/sqlite/temp_folder.h"
#include "search/query_parser.h"
#include "search/stores/fts5_schema.h"
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

class Fts5UnderTest final : public IndexUnderTest {
 public:
  explicit Fts5UnderTest(const Clock& clock) : clock_(clock) { reopen(); }
  SearchIndex& index() override { return *index_; }
  void reopen() override {
    index_.reset();
    index_ = SqliteSearchIndex::open({.folder = folder_.path() / "search"}, clock_).value();
  }
  std::vector<std::string> problems(EventLoop& loop) override {
    return run_on_loop(loop, index_->check(SteadyTime::max())).value();
  }

 private:
  sqlite::TempFolder folder_;
  const Clock& clock_;
  std::unique_ptr<SqliteSearchIndex> index_;
};

std::unique_ptr<IndexUnderTest> make_fts5_index(const Clock& clock) {
  return std::make_unique<Fts5UnderTest>(clock);
}

INSTANTIATE_TEST_SUITE_P(Fts5, SearchIndexContract, ::testing::Values(make_fts5_index));

class Fts5SearchIndex : public ::testing::Test {
 protected:
  Fts5SearchIndex() : loops_(1) { loops_.start(); }
  auto open() { return SqliteSearchIndex::open({.folder = folder_.path() / "search"}, clock_); }

  sqlite::TempFolder folder_;
  ManualClock clock_;
  EventLoops loops_;
};

TEST_F(Fts5SearchIndex, ASecondOneOnTheSameFolderIsRefused) {
  auto first = open();
  ASSERT_TRUE(first.has_value());
  auto second = open();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, "folder_locked");
}

TEST_F(Fts5SearchIndex, AFileOfAnotherRoleIsRefused) {
  std::filesystem::create_directories(folder_.path() / "search");
  {
    sqlite::Connection other({.file = folder_.path() / "search" / kSearchDatabase});
    other.exec("PRAGMA application_id=7; CREATE TABLE x(y)");
  }
  EXPECT_EQ(open().error().code, "not_our_file");
}

TEST_F(Fts5SearchIndex, ADeletedMessageLeavesNoContentInItsTables) {
  {
    auto index = open().value();
    const TenantId tenant("acme");
    const ConversationId room("c1");
    ChangeBatch batch;
    batch.changes.push_back({tenant, room, 1, MessageWritten{.id = MessageId("a"), .content = "topsecret"}});
    ASSERT_TRUE(run_on_loop(loops_.at(0), index->apply(batch, SteadyTime::max())).has_value());
    batch.changes = {{tenant, room, 2, MessageRemoved{MessageId("a")}}};
    ASSERT_TRUE(run_on_loop(loops_.at(0), index->apply(batch, SteadyTime::max())).has_value());
  }
  sqlite::Connection db({.file = folder_.path() / "search" / kSearchDatabase, .read_only = true});
  EXPECT_EQ(db.query_int("SELECT count(*) FROM documents"), 0);
  EXPECT_EQ(db.query_int("SELECT count(*) FROM tombstones"), 1);
}

TEST_F(Fts5SearchIndex, CheckFindsARowThatWasTakenAwayByHand) {
  {
    auto index = open().value();
    ChangeBatch batch;
    batch.changes.push_back(
        {TenantId("acme"), ConversationId("c1"), 1, MessageWritten{.id = MessageId("a"), .content = "grub"}});
    ASSERT_TRUE(run_on_loop(loops_.at(0), index->apply(batch, SteadyTime::max())).has_value());
  }
  {
    sqlite::Connection db({.file = folder_.path() / "search" / kSearchDatabase});
    db.exec("DELETE FROM documents");
  }
  auto index = open().value();
  EXPECT_EQ(run_on_loop(loops_.at(0), index->check(SteadyTime::max())).value().size(), 1u);
}

TEST_F(Fts5SearchIndex, AQueryPastItsDeadlineIsRefused) {
  auto index = open().value();
  SearchRequest request{.scope = {.tenant = TenantId("acme")}, .query = parse_query("a").value()};
  auto answer = run_on_loop(loops_.at(0), index->search(std::move(request), clock_.steady_now()));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "deadline_exceeded");
}

}  // namespace
}  // namespace parley::search::testing
