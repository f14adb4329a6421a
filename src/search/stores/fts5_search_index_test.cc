// The contract over FTS5, and what is this adapter's own: locks, foreign files, tombstones without content.
#include "search/stores/fts5_search_index.h"

#include <fstream>

#include "drivers/sqlite/temp_folder.h"
#include "search/query_parser.h"
#include "search/stores/fts5_schema.h"
#include "search/testing/directory_contract.h"

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
INSTANTIATE_TEST_SUITE_P(Fts5, DirectoryContract, ::testing::Values(make_fts5_index));

class Fts5SearchIndex : public ::testing::Test {
 protected:
  Fts5SearchIndex() : loops_(1) { loops_.start(); }
  auto open() { return SqliteSearchIndex::open({.folder = folder_.path() / "search"}, clock_); }
  template <class T>
  T wait(Task<Result<T>> task) {
    return run_on_loop(loops_.at(0), std::move(task)).value();
  }

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

TEST_F(Fts5SearchIndex, ARowThatWasTakenAwayByHandIsMissedAndARebuildMendsIt) {
  const TenantId tenant("acme");
  const ConversationId room("c1");
  const std::vector<IndexChange> both{
      {tenant, room, 1, MessageWritten{.id = MessageId("a"), .created_at = clock_.wall_now(), .content = "grub"}},
      {tenant, room, 2, MessageWritten{.id = MessageId("b"), .created_at = clock_.wall_now(), .content = "grub"}}};
  wait(open().value()->apply({.changes = both}, SteadyTime::max()));
  // The place of the last one is free for another, whose entry must not go with what the lost one left.
  for (const char* const which : {"min(id)", "max(id)"}) {
    {
      sqlite::Connection db({.file = folder_.path() / "search" / kSearchDatabase});
      db.exec(("DELETE FROM documents WHERE id = (SELECT " + std::string(which) + " FROM documents)").c_str());
    }
    auto index = open().value();
    EXPECT_EQ(wait(index->check(SteadyTime::max())).size(), 1u);
    EXPECT_EQ(wait(index->count(tenant, room, SteadyTime::max())), 1);
    SearchRequest request{.scope = {.tenant = tenant, .caller = {}, .conversations = {room}},
                          .query = parse_query("grub").value()};
    EXPECT_EQ(wait(index->search(request, SteadyTime::max())).items.size(), 1u);

    wait(index->begin_rebuild(tenant, "r1", SteadyTime::max()));
    wait(index->add_to_rebuild(tenant, "r1", {.changes = both}, SteadyTime::max()));
    wait(index->finish_rebuild(tenant, "r1", SteadyTime::max()));
    while (wait(index->sweep(100, SteadyTime::max()))) {
    }
    EXPECT_EQ(wait(index->check(SteadyTime::max())).size(), 0u);
    EXPECT_EQ(wait(index->search(request, SteadyTime::max())).items.size(), 2u);
  }
}

// In steps, so that writing goes on: on a big index all entries at once would take minutes.
TEST_F(Fts5SearchIndex, EntriesOfLostRowsGoInStepsBesideWritesAndRestarts) {
  const TenantId tenant("acme");
  const ConversationId room("c1"), other("c2");
  constexpr int kMessages = 900, kAtOnce = 7;  // more than a batch of changes sweeps beside itself
  constexpr std::size_t kGrub = 60;
  const auto written = [&](const ConversationId& where, int number, std::string content, int event) {
    MessageWritten message{.id = MessageId("m" + std::to_string(number)), .content = std::move(content)};
    message.created_at = WallTime(std::chrono::seconds(1'000'000 + number));
    return IndexChange{tenant, where, event, std::move(message)};
  };
  std::vector<IndexChange> all, anew;
  for (int i = 0; i < kMessages; ++i) {
    const char* const content = i % 15 == 0 ? "grub" : "kernel";
    all.push_back(written(i % 2 == 0 ? room : other, i, content, i + 1));
    anew.push_back(written(i % 2 == 0 ? room : other, i, content, 0));
  }
  auto index = open().value();
  wait(index->apply({.changes = all}, SteadyTime::max()));
  index.reset();
  {
    sqlite::Connection db({.file = folder_.path() / "search" / kSearchDatabase});
    db.exec("DELETE FROM documents WHERE id % 3 = 0 OR id >= (SELECT max(id) FROM documents)");
  }
  index = open().value();
  wait(index->begin_rebuild(tenant, "r1", SteadyTime::max()));
  wait(index->add_to_rebuild(tenant, "r1", {.changes = std::move(anew)}, SteadyTime::max()));
  wait(index->finish_rebuild(tenant, "r1", SteadyTime::max()));
  const auto found = [&](const char* query) {
    SearchRequest request{.scope = {.tenant = tenant, .caller = {}, .conversations = {room, other}},
                          .query = parse_query(query).value(),
                          .limit = kMaxHits};
    return wait(index->search(request, SteadyTime::max())).items.size();
  };
  int steps = 0, event = kMessages, edited = 0;
  for (bool more = true; more; ++steps) {
    more = wait(index->sweep(kAtOnce, SteadyTime::max()));
    // Here and there: written anew, edited and removed, before and behind where the renewal is.
    if (steps % 4 == 0 && edited < 10) {
      ChangeBatch batch;
      batch.changes.push_back(written(room, 1'000 + steps, "grub late", ++event));
      batch.changes.push_back(written(room, -1'000 - steps, "grub early", ++event));
      batch.changes.push_back(written(room, 30 * edited, "boot", ++event));
      batch.changes.push_back(
          {tenant, room, ++event, MessageRemoved{MessageId("m" + std::to_string(30 * (edited + 10)))}});
      ++edited;
      wait(index->apply(std::move(batch), SteadyTime::max()));
    }
    ASSERT_EQ(found("boot"), static_cast<std::size_t>(edited)) << steps;
    ASSERT_EQ(found("late"), static_cast<std::size_t>(edited)) << steps;
    ASSERT_EQ(found("grub"), kGrub) << steps;
    if (steps % 5 == 0) {
      index.reset();
      index = open().value();
    }
  }
  EXPECT_GT(steps, 10);
  EXPECT_EQ(wait(index->check(SteadyTime::max())).size(), 0u);
  EXPECT_EQ(wait(index->count(tenant, room, SteadyTime::max())), kMessages / 2 + edited);
  EXPECT_FALSE(wait(index->sweep(kAtOnce, SteadyTime::max())));
}

TEST_F(Fts5SearchIndex, AFullSecondRunsOverIntoTheNextAndDaysStillHold) {
  auto index = open().value();
  const TenantId tenant("acme");
  const ConversationId room("c1");
  clock_.advance(std::chrono::hours(24) - clock_.wall_now().time_since_epoch() % std::chrono::hours(24));
  const WallTime midnight = clock_.wall_now(), last = midnight - std::chrono::milliseconds(1);
  ChangeBatch batch;
  constexpr int kMessages = kRankedWindow - 1;
  static_assert(kMessages > 1 << kPlaceBits);
  for (int i = 0; i < kMessages; ++i) {
    batch.changes.push_back(
        {tenant, room, i + 1,
         MessageWritten{.id = MessageId("m" + std::to_string(i)), .created_at = last, .content = "a1"}});
  }
  batch.changes.push_back(
      {tenant, room, kMessages + 1, MessageWritten{.id = MessageId("next"), .created_at = midnight, .content = "a1"}});
  wait(index->apply(std::move(batch), SteadyTime::max()));
  SearchRequest request{.scope = {.tenant = tenant, .caller = {}, .conversations = {room}},
                        .query = parse_query("a1").value(),
                        .sort = Sort::kNewest};
  EXPECT_EQ(wait(index->search(request, SteadyTime::max())).items.front().id.value, "next");
  request.query.before = midnight;
  EXPECT_EQ(wait(index->search(request, SteadyTime::max())).total, kMessages);
  request.query.before = std::nullopt;
  request.query.not_before = midnight;
  EXPECT_EQ(wait(index->search(request, SteadyTime::max())).total, 1);
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
