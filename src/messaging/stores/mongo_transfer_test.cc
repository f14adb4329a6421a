// A move between a folder and a real MongoDB, each way: the contract of moves.
#include "messaging/stores/mongo_transfer.h"

#include <algorithm>

#include "drivers/mongo/temp_database.h"
#include "messaging/stores/mongo_check.h"
#include "messaging/stores/mongo_messaging_store.h"
#include "messaging/testing/mongo_problems.h"
#include "messaging/testing/sqlite_move_side.h"

namespace parley::messaging::testing {
namespace {

class MongoMoveSide final : public MoveSide {
 public:
  MongoMoveSide(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  Result<> serve() override {
    auto opened = MongoMessagingStore::open({.connection = database_.options(), .reader_threads = 2, .writer_lanes = 2},
                                            clock_, random_);
    if (!opened) return fail(std::move(opened.error()));
    store_ = std::move(*opened);
    return {};
  }
  void stop() override { store_.reset(); }
  MessagingStore& store() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  Task<Result<std::int64_t>> erase_deleted(std::int64_t limit) override {
    return store_->erase_deleted(limit, SteadyTime::max());
  }
  std::vector<std::string> problems(EventLoop&) override {
    auto pool = mongo::ClientPool::open(database_.options(1), system_clock_);
    CHECK(pool.has_value());
    std::vector<std::string> problems;
    const auto checked = mongo::with_database(**pool, system_clock_.steady_now() + std::chrono::seconds(30),
                                              [&](mongo::Database& db) { problems = find_mongo_problems(db); });
    if (!checked) problems.push_back(checked.error().detail);
    // That one asks for every event since the beginning, which a move leaves behind; the other looks at those there
    // are.
    std::erase_if(problems, [](const std::string& problem) { return problem.starts_with("event"); });
    auto report = check_messaging_in_mongodb(**pool);
    CHECK(report.has_value());
    std::ranges::move(report->problems, std::back_inserter(problems));
    return problems;
  }
  std::unique_ptr<transfer::StoreReader> source() override {
    auto opened = MongoTransfer::open_source(database_.options(), system_clock_);
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  std::unique_ptr<transfer::StoreWriter> target() override {
    auto opened = MongoTransfer::open_target(database_.options(), system_clock_, random_);
    CHECK(opened.has_value());
    return std::move(*opened);
  }

 private:
  const Clock& clock_;
  Random& random_;
  const SystemClock system_clock_;
  mongo::TempDatabase database_;
  std::unique_ptr<MongoMessagingStore> store_;
};

std::unique_ptr<MoveSide> make_mongo_side(const Clock& clock, Random& random) {
  return mongo::test_uri() ? std::make_unique<MongoMoveSide>(clock, random) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(SqliteToMongo, StoreTransferContract,
                         ::testing::Values(MovePair{make_sqlite_side, make_mongo_side}));
INSTANTIATE_TEST_SUITE_P(MongoToSqlite, StoreTransferContract,
                         ::testing::Values(MovePair{make_mongo_side, make_sqlite_side}));

TEST(MongoTransferTest, ADatabaseWithoutAStoreIsNoSource) {
  if (!mongo::test_uri()) GTEST_SKIP() << mongo::kNoTestServer;
  const SystemClock clock;
  const mongo::TempDatabase database;
  const auto opened = MongoTransfer::open_source(database.options(), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "not_our_database");
}

}  // namespace
}  // namespace parley::messaging::testing
