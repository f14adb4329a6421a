// The event log over a real MongoDB: the contract, and what only several processes can do to it.
#include "events/mongo_event_log.h"

#include "drivers/mongo/temp_database.h"
#include "events/mongo_relay_lease.h"
#include "events/testing/event_log_contract.h"

namespace parley::events {
namespace {

using mongo::make_document;

// What one process holds of a log.
class Process {
 public:
  Process(const mongo::TempDatabase& database, const Clock& clock, MongoEventLog::Options options) {
    auto opened = mongo::ClientPool::open(database.options(), clock);
    CHECK(opened.has_value());
    pool_ = std::move(*opened);
    CHECK(with([this](mongo::Database& db) {
      prepare_events(db, collections_);
      mongo::prepare_collection(db, "things", {});
    }));
    readers_.emplace(*pool_, mongo::ReaderPool::Options{.threads = 2});
    writer_.emplace(*pool_, mongo::GroupWriter::Options{.lanes = 2, .make_companion = [this] {
                                                          return std::make_unique<MongoEventAppender>(collections_,
                                                                                                      signal_);
                                                        }});
    log_.emplace(
        *pool_, *readers_, signal_, collections_,
        [](mongo::Database&, std::vector<MongoEventLog::Referring>& events) {
          for (auto& [event, reference] : events) {
            event->data = "{\"row\":" + std::to_string(reference.document[0]) + "}";
          }
        },
        positions_, options);
  }
  MongoEventLog& log() { return *log_; }
  mongo::GroupWriter& writer() { return *writer_; }
  mongo::ReaderPool& readers() { return *readers_; }
  const MongoEventCollections& collections() const { return collections_; }
  bool with(const std::function<void(mongo::Database&)>& act) {
    return mongo::with_database(*pool_, pool_->clock().steady_now() + std::chrono::seconds(10), act).has_value();
  }
  static NewMongoEvent event(std::int64_t number, WallTime time, Random& random) {
    return {.id = make_uuid_v7_bytes(time, random),
            .type = "thing.happened",
            .tenant = "acme",
            .key = "c",
            .number = number,
            .time = time,
            .subject = "s",
            .data = std::nullopt,
            .reference = {{static_cast<std::uint8_t>(number)}, 1}};
  }
  Task<Result<EventTicket>> append(std::int64_t first, std::int64_t last, WallTime time, Random& random) {
    return writer_->run<EventTicket>("c", SteadyTime::max(), [=, &random](mongo::GroupTransaction& tx) {
      EventTicket ticket;
      tx.update_one("things", make_document("_id", 1), make_document("$inc", make_document("n", 1)), true);
      for (std::int64_t number = first; number <= last; ++number) {
        ticket = tx.companion<MongoEventAppender>().append(event(number, time, random));
      }
      return Result<EventTicket>(ticket);
    });
  }

 private:
  const MongoEventCollections collections_{"test_"};
  const PositionCodec positions_{PositionCodec::Secret{}};
  CommitSignal signal_;
  std::unique_ptr<mongo::ClientPool> pool_;
  std::optional<mongo::ReaderPool> readers_;
  std::optional<mongo::GroupWriter> writer_;
  std::optional<MongoEventLog> log_;
};

class MongoLogUnderTest final : public testing::LogUnderTest {
 public:
  explicit MongoLogUnderTest(const Clock& clock) : clock_(clock) { reopen(); }
  EventLog& log() override { return process_->log(); }
  void reopen() override {
    process_.reset();
    process_.emplace(database_, clock_, MongoEventLog::Options{});
  }
  Task<Result<int>> append(std::int64_t first, std::int64_t last, WallTime time, Random& random) override {
    auto done = co_await process_->append(first, last, time, random);
    if (!done) co_return fail(std::move(done.error()));
    co_return 0;
  }

 private:
  const Clock& clock_;
  mongo::TempDatabase database_;
  std::optional<Process> process_;
};

std::unique_ptr<testing::LogUnderTest> make_mongo_log(const Clock& clock) {
  return mongo::test_uri() ? std::make_unique<MongoLogUnderTest>(clock) : nullptr;
}

class MongoEventLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!mongo::test_uri()) GTEST_SKIP() << mongo::kNoTestServer;
    loops_.start();
    database_.emplace();
    here_.emplace(*database_, clock_, options_);
    there_.emplace(*database_, clock_, options_);
  }
  void TearDown() override {
    if (!database_) return;
    here_.reset();
    there_.reset();
    loops_.stop();
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  LogOffset append(Process& process, std::int64_t first, std::int64_t last) {
    auto done = wait(process.append(first, last, clock_.wall_now(), random_));
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
    return done ? done->offset() : LogOffset{};
  }
  std::vector<std::int64_t> numbers(Process& process) {
    std::vector<std::int64_t> numbers;
    for (const auto& event : wait(process.log().read({0}, 100, kNoHurry))->events) numbers.push_back(event.number);
    return numbers;
  }
  // A process that took numbers and died before it committed.
  void leave_a_gap(std::int64_t size) {
    ASSERT_TRUE(here_->with([&](mongo::Database& db) {
      (void)db.add_to_counter(here_->collections().log.c_str(), "numbers", "last", size);
    }));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  SystemClock clock_;
  SeededRandom random_{1};
  std::atomic<bool> appending_{false};
  EventLoops loops_{1};
  MongoEventLog::Options options_{.poll_every = std::chrono::milliseconds(20),
                                  .gap_patience = std::chrono::milliseconds(0)};
  std::optional<mongo::TempDatabase> database_;
  std::optional<Process> here_;
  std::optional<Process> there_;
};

using ::testing::ElementsAre;

TEST_F(MongoEventLogTest, ProcessesShareOneOrder) {
  EXPECT_EQ(append(*here_, 1, 2), LogOffset{2});
  EXPECT_EQ(append(*there_, 3, 3), LogOffset{3});
  EXPECT_EQ(append(*here_, 4, 4), LogOffset{4});
  EXPECT_THAT(numbers(*here_), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers(*there_), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(wait(there_->log().head(kNoHurry)), LogOffset{4});
}

TEST_F(MongoEventLogTest, ACommitOfAnotherProcessIsTold) {
  std::promise<void> told;
  std::atomic<bool> once{false};
  auto subscription = there_->log().subscribe([&] {
    if (appending_ && !once.exchange(true)) told.set_value();
  });
  appending_ = true;
  append(*here_, 1, 1);
  EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(MongoEventLogTest, AReaderStopsBeforeANumberThatIsOpenAndGoesOnOnceItIsVoid) {
  options_.gap_patience = std::chrono::hours(1);
  Process patient(*database_, clock_, options_);
  append(*here_, 1, 1);
  leave_a_gap(2);
  EXPECT_EQ(append(*here_, 2, 2), LogOffset{4});
  EXPECT_THAT(numbers(patient), ElementsAre(1));
  EXPECT_EQ(wait(patient.log().head(kNoHurry)), LogOffset{1});
  EXPECT_THAT(numbers(*there_), ElementsAre(1));  // finds it overdue, and fills it
  EXPECT_THAT(numbers(*there_), ElementsAre(1, 2));
  EXPECT_THAT(numbers(patient), ElementsAre(1, 2));
  EXPECT_EQ(wait(patient.log().head(kNoHurry)), LogOffset{4});
  EXPECT_EQ(wait(patient.log().read({1}, 100, kNoHurry))->through, LogOffset{4});
}

TEST_F(MongoEventLogTest, VoidsNeverLookLikeTheEndOfTheLog) {
  leave_a_gap(7);
  append(*here_, 1, 1);
  (void)numbers(*here_);
  const auto batch = wait(here_->log().read({0}, 2, kNoHurry));
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->events.size(), 1u);
  EXPECT_EQ(batch->through, LogOffset{8});
  leave_a_gap(2);
  append(*here_, 2, 2);
  ASSERT_TRUE(wait(here_->log().save_offset("reader", {11}, kNoHurry)));
  (void)numbers(*here_);
  EXPECT_EQ(wait(here_->log().prune(clock_.wall_now() + std::chrono::hours(1), 100, kNoHurry)), 1);
  EXPECT_EQ(wait(here_->log().tail(kNoHurry)), LogOffset{10});
  EXPECT_THAT(numbers(*there_), ElementsAre(2));
}

TEST_F(MongoEventLogTest, NumbersOfAWriteThatDoesNotHappenAreVoidAtOnce) {
  options_.gap_patience = std::chrono::hours(1);
  Process patient(*database_, clock_, options_);
  append(*here_, 1, 1);
  // The number that comes next is taken by a document that should not be there.
  ASSERT_TRUE(here_->with([&](mongo::Database& db) {
    db.insert(here_->collections().events.c_str(), make_document("_id", 3, "void", true));
  }));
  append(*here_, 2, 3);  // tries 2 and 3, finds 3 taken, and takes 4 and 5
  EXPECT_THAT(numbers(patient), ElementsAre(1, 2, 3));
  EXPECT_EQ(wait(patient.log().head(kNoHurry)), LogOffset{5});
}

TEST_F(MongoEventLogTest, WhatMayBeErasedIsFoundByItsName) {
  const auto done = wait(here_->writer().run<int>("c", kNoHurry, [this](mongo::GroupTransaction& tx) -> Result<int> {
    auto& log = tx.companion<MongoEventAppender>();
    auto named = Process::event(1, clock_.wall_now(), random_);
    named.data = "secret";
    named.erasable = "x";
    log.append(named);
    named.erasable = "y";
    log.append(named);
    tx.update_one("things", make_document("_id", 1), make_document("$inc", make_document("n", 1)), true);
    return 0;
  }));
  ASSERT_TRUE(done);
  ASSERT_TRUE(wait(here_->writer().run<int>("c", kNoHurry, [this](mongo::GroupTransaction& tx) -> Result<int> {
    change_data(tx, here_->collections(), "x", [](const std::string& data) { return data + " gone"; });
    return 0;
  })));
  const auto batch = wait(there_->log().read({0}, 10, kNoHurry));
  EXPECT_EQ(batch->events[0].data, "secret gone");
  EXPECT_EQ(batch->events[1].data, "secret");
}

TEST_F(MongoEventLogTest, OneProcessRelaysAtATime) {
  MongoRelayLease mine(here_->readers(), here_->collections(), "here", clock_);
  MongoRelayLease theirs(there_->readers(), there_->collections(), "there", clock_);
  const auto hold = [this](MongoRelayLease& lease) -> std::int64_t {
    const auto held = wait(lease.hold(kNoHurry));
    EXPECT_TRUE(held);
    return held && *held ? (*held)->value : 0;
  };
  EXPECT_EQ(hold(mine), 1);
  EXPECT_EQ(hold(theirs), 0);
  EXPECT_EQ(hold(mine), 1);
  ASSERT_TRUE(wait(mine.release(kNoHurry)));
  EXPECT_EQ(hold(theirs), 2);
  EXPECT_EQ(hold(mine), 0);
}

TEST_F(MongoEventLogTest, ProcessesAgreeOnTheSecretOfPositions) {
  PositionCodec::Secret first{};
  PositionCodec::Secret second{};
  SecureRandom random;
  ASSERT_TRUE(
      here_->with([&](mongo::Database& db) { first = load_position_secret(db, here_->collections(), random); }));
  ASSERT_TRUE(
      there_->with([&](mongo::Database& db) { second = load_position_secret(db, there_->collections(), random); }));
  EXPECT_EQ(first, second);
  EXPECT_NE(first, PositionCodec::Secret{});
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Mongo, EventLogContract, ::testing::Values(make_mongo_log));
INSTANTIATE_TEST_SUITE_P(Mongo, ConsumerRunnerContract, ::testing::Values(make_mongo_log));
}  // namespace testing

}  // namespace parley::events
