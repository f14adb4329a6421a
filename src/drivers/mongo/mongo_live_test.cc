// The driver against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/run_on_loop.h"
#include "drivers/mongo/group_writer.h"
#include "drivers/mongo/lease.h"
#include "drivers/mongo/reader_pool.h"
#include "drivers/mongo/temp_database.h"

namespace parley::mongo {
namespace {

class MongoLiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test_uri()) GTEST_SKIP() << kNoTestServer;
    loops_.start();
    database_.emplace();
    pool_ = open();
    with([](Database& db) {
      prepare_collection(db, "things", {});
      const Index unique[] = {{.name = "by_name", .keys = make_document("name", 1), .unique = true}};
      prepare_collection(db, "named", unique);
      prepare_collection(db, "named", unique);
    });
  }
  void TearDown() override {
    if (!database_) return;
    pool_.reset();
    database_.reset();
    loops_.stop();
  }
  std::unique_ptr<ClientPool> open() {
    auto opened = ClientPool::open(database_->options(), clock_);
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  SteadyTime soon() const { return clock_.steady_now() + std::chrono::seconds(10); }
  void with(const std::function<void(Database&)>& act) {
    auto lease = pool_->borrow(soon());
    auto database = lease.database(soon());
    act(database);
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  std::int64_t value_of(std::int64_t id) {
    std::int64_t value = -1;
    with([&](Database& db) {
      if (auto found = db.find_one("things", make_document("_id", id))) value = found->view().integer("value");
    });
    return value;
  }
  static Result<std::int64_t> add_one(Database& db, std::int64_t id) {
    auto found = db.find_one("things", make_document("_id", id));
    const std::int64_t value = (found ? found->view().integer("value") : 0) + 1;
    db.update_one("things", make_document("_id", id), make_document("$set", make_document("value", value)), true);
    return value;
  }

  SystemClock clock_;
  EventLoops loops_{1};
  std::optional<TempDatabase> database_;
  std::unique_ptr<ClientPool> pool_;
};

TEST_F(MongoLiveTest, CommandsDoWhatTheySay) {
  ASSERT_TRUE(pool_->check_server());
  with([](Database& db) {
    std::vector<Document> many;
    for (int i = 0; i < 2'500; ++i) many.push_back(make_document("_id", i, "value", i % 10));
    db.insert("things", many);
    EXPECT_EQ(db.count("things", make_document("value", 3)), 250);
    const auto last = db.find("things", make_document("value", 3),
                              {.sort = make_document("_id", -1), .fields = make_document("_id", 1), .limit = 2});
    ASSERT_EQ(last.size(), 2u);
    EXPECT_EQ(last[0].view().integer("_id"), 2'493);
    EXPECT_FALSE(last[0].view().has("value"));
    EXPECT_EQ(db.find("things", make_document("value", 3)).size(), 250u);
    EXPECT_EQ(
        db.update_many("things", make_document("value", 3), make_document("$set", make_document("value", 4))).modified,
        250);
    EXPECT_EQ(db.delete_many("things", make_document("value", 4)), 500);
    EXPECT_EQ(db.delete_one("things", make_document("_id", 0)), 1);
    const auto counted =
        db.find_and_update("things", make_document("_id", 1), make_document("$inc", make_document("value", 5)));
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->view().integer("value"), 6);
    EXPECT_FALSE(db.find_and_update("things", make_document("_id", -1), make_document("$inc", make_document("v", 1))));
  });
}

TEST_F(MongoLiveTest, AUniqueIndexRefusesASecondOne) {
  with([](Database& db) {
    db.insert("named", make_document("name", "a"));
    try {
      db.insert("named", make_document("name", "a"));
      FAIL();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::kDuplicateKey);
    }
  });
}

TEST_F(MongoLiveTest, ATransactionIsAllOrNothingAndSeesOneMoment) {
  auto lease = pool_->borrow(soon());
  {
    Transaction lost(*pool_, lease, soon());
    lost.insert("things", make_document("_id", 1, "value", 1));
  }
  EXPECT_EQ(value_of(1), -1);
  Transaction kept(*pool_, lease, soon());
  EXPECT_FALSE(kept.find_one("things", make_document("_id", 2)));
  with([](Database& db) { db.insert("things", make_document("_id", 2, "value", 2)); });
  EXPECT_FALSE(kept.find_one("things", make_document("_id", 2)));
  kept.insert("things", make_document("_id", 1, "value", 1));
  kept.commit();
  EXPECT_EQ(value_of(1), 1);
}

TEST_F(MongoLiveTest, WhoComesSecondConflicts) {
  with([](Database& db) { db.insert("things", make_document("_id", 1, "value", 1)); });
  auto lease = pool_->borrow(soon());
  Transaction second(*pool_, lease, soon());
  ASSERT_TRUE(second.find_one("things", make_document("_id", 1)));
  with([](Database& db) { add_one(db, 1).value(); });
  try {
    add_one(second, 1).value();
    second.commit();
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_TRUE(failure.is_transient());
  }
}

TEST_F(MongoLiveTest, ManyWritersOfTwoProcessesLoseNoChange) {
  const auto other_pool = open();
  GroupWriter here(*pool_, {.lanes = 2});
  GroupWriter there(*other_pool, {.lanes = 2});
  constexpr int kEach = 40;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        GroupWriter& writer = t % 2 ? here : there;
        const auto done =
            wait(writer.run<std::int64_t>("key", soon(), [](GroupTransaction& tx) { return add_one(tx, 7); }));
        EXPECT_TRUE(done) << (done ? "" : done.error().detail);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value_of(7), 4 * kEach);
}

// A transaction outlives its process: its locks, too, until another process ends it.
TEST_F(MongoLiveTest, WhatAProcessThatDiedHeldIsFreeSoon) {
  with([](Database& db) { db.insert("things", make_document("_id", 1, "value", 1)); });
  const auto dead_pool = open();
  auto lease = dead_pool->borrow(soon());
  Transaction dead(*dead_pool, lease, soon());
  ASSERT_TRUE(add_one(dead, 1));
  const View session(*mongoc_client_session_get_lsid(dead.session()));
  const UuidBytes name{1, 2, 3};
  with([&](Database& db) {
    db.insert("writers", make_document("_id", Uuid{name}, "beat", 7, "sessions",
                                       make_array(make_document("id", Uuid{session.bytes("id")}))));
  });
  const SessionRegister::Options quick{.beat_every = std::chrono::milliseconds(100),
                                       .lapses_after = std::chrono::milliseconds(1'500)};
  GroupWriter writer(*pool_, {.lanes = 1, .sessions = quick});
  const auto done = wait(writer.run<std::int64_t>("key", soon(), [](GroupTransaction& tx) { return add_one(tx, 1); }));
  EXPECT_TRUE(done) << done.error().detail;
  EXPECT_THROW(dead.commit(), Failure);
  EXPECT_EQ(value_of(1), 2);
  with([&](Database& db) { EXPECT_FALSE(db.find_one("writers", make_document("_id", Uuid{name}))); });
}

// Who is taken for dead, but lives, says so again, and its writes go through.
TEST_F(MongoLiveTest, AWriterIsKnownByItsSessionsWhileItLives) {
  const auto count = [&] {
    std::int64_t sessions = -1;
    with([&](Database& db) {
      const auto row = db.find_one("writers", Document());
      sessions = row ? static_cast<std::int64_t>(row->view().count("sessions")) : 0;
    });
    return sessions;
  };
  {
    GroupWriter writer(*pool_, {.lanes = 1, .sessions = {.beat_every = std::chrono::milliseconds(50)}});
    const auto write = [&] {
      return wait(writer.run<std::int64_t>("key", soon(), [](GroupTransaction& tx) { return add_one(tx, 1); }));
    };
    ASSERT_TRUE(write());
    EXPECT_GE(count(), 1);
    with([](Database& db) { db.delete_many("writers", Document()); });
    for (int tries = 0; count() < 1 && tries < 1'000; ++tries) ASSERT_TRUE(write());
    EXPECT_GE(count(), 1);
  }
  EXPECT_EQ(count(), 0) << "who ends in order leaves nothing behind";
}

TEST_F(MongoLiveTest, AJobThatFailsAfterAWriteCostsItsNeighboursNothing) {
  GroupWriter writer(*pool_, {.lanes = 1});
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      const auto done = wait(writer.run<std::int64_t>("key", soon(), [t](GroupTransaction& tx) -> Result<std::int64_t> {
        auto value = add_one(tx, 7);
        if (t % 3 == 0) return not_found("thing");
        if (t % 3 == 1) throw std::runtime_error("a bug");
        return value;
      }));
      if (!done) ++failed;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 4);
  EXPECT_EQ(value_of(7), 2);
}

TEST_F(MongoLiveTest, ACompanionWritesLastAndHearsHowItEnded) {
  struct Heard {
    int committed = 0;
    int aborted = 0;
  } heard;
  struct Last final : GroupCompanion {
    explicit Last(Heard& heard_in) : heard(heard_in) {}
    void before_commit(Transaction& tx) override { tx.insert("things", make_document("_id", 100, "value", 1)); }
    void after_commit() override { ++heard.committed; }
    void after_abort(Database&) override { ++heard.aborted; }
    Heard& heard;
  };
  {
    GroupWriter writer(*pool_, {.lanes = 1, .make_companion = [&] { return std::make_unique<Last>(heard); }});
    ASSERT_TRUE(wait(writer.run<std::int64_t>("k", soon(), [](GroupTransaction& tx) { return add_one(tx, 7); })));
    EXPECT_EQ(heard.committed, 1);
    EXPECT_EQ(value_of(100), 1);
    // The companion's document is there already, for ever: a fault of ours, said as one.
    const auto again = wait(writer.run<std::int64_t>("k", soon(), [](GroupTransaction& tx) { return add_one(tx, 7); }));
    EXPECT_EQ(again.error().code, "internal_error");
    EXPECT_GT(heard.aborted, 0);
    const int aborted = heard.aborted;
    ASSERT_TRUE(
        wait(writer.run<std::int64_t>("k", soon(), [](GroupTransaction&) -> Result<std::int64_t> { return 1; })));
    EXPECT_EQ(heard.committed, 1);
    EXPECT_EQ(heard.aborted, aborted);
  }
  EXPECT_EQ(value_of(7), 1);
}

TEST_F(MongoLiveTest, WhatABrokenConnectionLeftBehindHoldsUpNobody) {
  auto lease = pool_->borrow(soon());
  Transaction lost(*pool_, lease, soon());
  ASSERT_TRUE(add_one(lost, 7));
  pool_->end_later(lost.session());
  GroupWriter writer(*pool_, {.lanes = 1});
  const auto done = wait(writer.run<std::int64_t>("k", soon(), [](GroupTransaction& tx) { return add_one(tx, 7); }));
  EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  EXPECT_EQ(value_of(7), 1);
  EXPECT_THROW(lost.commit(), Failure) << "it was ended";
}

// The client keeps sessions for the next transaction, also one whose end nobody heard of.
TEST_F(MongoLiveTest, ASessionThatIsInUseAgainIsNotEndedAsALostOne) {
  auto lease = pool_->borrow(soon());
  std::optional<Transaction> lost(std::in_place, *pool_, lease, soon());
  ASSERT_TRUE(add_one(*lost, 7));
  const Document id(*mongoc_client_session_get_lsid(lost->session()));
  pool_->end_later(lost->session());
  lost.reset();
  Transaction next(*pool_, lease, soon());
  ASSERT_TRUE(bson_equal(id.get(), mongoc_client_session_get_lsid(next.session())))
      << "another session: nothing to see";
  ASSERT_TRUE(add_one(next, 7));
  with([this](Database& db) { pool_->end_lost_sessions(db); });
  next.commit();
  EXPECT_EQ(value_of(7), 1);
}

TEST_F(MongoLiveTest, ReadersSeeOneMoment) {
  ReaderPool readers(*pool_, {.threads = 1});
  with([](Database& db) { db.insert("things", make_document("_id", 1, "value", 1)); });
  const auto seen = wait(readers.run<std::int64_t>(soon(), [this](Database& db) -> Result<std::int64_t> {
    const auto first = db.find_one("things", make_document("_id", 1));
    with([](Database& other) { add_one(other, 1).value(); });
    return db.find_one("things", make_document("_id", 1))->view().integer("value") - first->view().integer("value");
  }));
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(value_of(1), 2);
}

TEST_F(MongoLiveTest, ALeaseHasOneHolderAndChangesHandsWhenItLapsesOrIsGivenBack) {
  const std::chrono::seconds lapses(10);
  ManualClock time;
  Lease first("leases", "relay", "first", lapses);
  Lease second("leases", "relay", "second", lapses);
  Lease third("leases", "relay", "third", lapses);
  const auto hold = [&](Lease& lease) {
    std::optional<std::int64_t> token;
    with([&](Database& db) { token = lease.hold(db, time.steady_now()); });
    return token;
  };
  EXPECT_EQ(hold(first), 1);
  for (int i = 0; i < 5; ++i) {  // it moves, so it never lapses
    EXPECT_EQ(hold(second), std::nullopt);
    time.advance(std::chrono::seconds(6));
    EXPECT_EQ(hold(first), 1);
  }
  EXPECT_EQ(hold(second), std::nullopt);
  EXPECT_EQ(hold(third), std::nullopt);
  time.advance(lapses);
  EXPECT_EQ(hold(second), 2);
  EXPECT_EQ(hold(third), std::nullopt);
  EXPECT_EQ(hold(first), std::nullopt) << "it was stopped for too long, and learns of it";
  with([&](Database& db) { second.release(db); });
  EXPECT_EQ(hold(third), 3);
  EXPECT_EQ(hold(second), std::nullopt);
}

// The server breaks a command on purpose; it must have been started to allow that.
class MongoFaultTest : public MongoLiveTest {
 protected:
  bool break_next(const char* command, int times) {
    try {
      with([&](Database& db) {
        db.run_on("admin",
                  make_document("configureFailPoint", "failCommand", "mode", make_document("times", times), "data",
                                make_document("failCommands", make_array(command), "closeConnection", true)));
      });
      return true;
    } catch (const Failure&) {
      return false;
    }
  }
  void expect_one_write_in_spite_of(const char* command, int times) {
    if (!break_next(command, times)) GTEST_SKIP() << "the server allows no failpoints";
    GroupWriter writer(*pool_, {.lanes = 1});
    const auto done = wait(writer.run<std::int64_t>("k", soon(), [](GroupTransaction& tx) { return add_one(tx, 7); }));
    EXPECT_EQ(done, 1) << (done ? "" : done.error().detail);
    EXPECT_EQ(value_of(7), 1);
  }
};

TEST_F(MongoFaultTest, ACommitThatNobodyAnsweredIsRepeated) {
  expect_one_write_in_spite_of("commitTransaction", 4);
}

TEST_F(MongoFaultTest, AConnectionThatBreaksWithinATransactionCostsOneMoreTry) {
  expect_one_write_in_spite_of("update", 1);
}

TEST_F(MongoFaultTest, AReadIsTriedAgainWhenItsConnectionBreaks) {
  if (!break_next("find", 1)) GTEST_SKIP() << "the server allows no failpoints";
  ReaderPool readers(*pool_, {.threads = 1});
  const auto seen = wait(readers.run<bool>(
      soon(), [](Database& db) -> Result<bool> { return db.find_one("things", make_document("_id", 1)).has_value(); }));
  EXPECT_EQ(seen, false) << (seen ? "" : seen.error().detail);
}

TEST_F(MongoLiveTest, ADeadlineEndsACommand) {
  auto lease = pool_->borrow(soon());
  auto late = lease.database(clock_.steady_now() - std::chrono::seconds(1));
  EXPECT_THROW((void)late.find_one("things", make_document("_id", 1)), Failure);
}

}  // namespace
}  // namespace parley::mongo
