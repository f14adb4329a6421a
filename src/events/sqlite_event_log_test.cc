#include "events/sqlite_event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "base/run_on_loop.h"
#include "drivers/sqlite/temp_folder.h"
#include "events/consumer_runner.h"

namespace parley::events {
namespace {

using ::testing::ElementsAre;

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() : loops_(1), random_(1) {
    loops_.start();
    sqlite::Connection({.file = file()}).exec(kEventLogSchema);
    open();
  }
  ~EventLogTest() override {
    close();
    loops_.stop();
  }
  std::filesystem::path file() const { return folder_.path() / "x.db"; }
  void open() {
    readers_ = std::make_unique<sqlite::ReaderPool>(sqlite::ReaderPool::Options{.file = file(), .threads = 1}, system_);
    writer_ = std::make_unique<sqlite::GroupWriter>(
        std::make_unique<sqlite::Connection>(sqlite::ConnectionOptions{.file = file()}),
        sqlite::GroupWriter::Options{.file = file(), .after_commit = [this] { signal_.notify(); }}, system_);
    log_ = std::make_unique<SqliteEventLog>(
        *writer_, *readers_, signal_,
        [](sqlite::Connection&, const Event&, EventReference reference) {
          return "{\"row\":" + std::to_string(reference.row) + "}";
        },
        positions_);
  }
  void close() {
    log_.reset();
    writer_.reset();
    readers_.reset();
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  void append_events(std::int64_t first, std::int64_t last) {
    ASSERT_TRUE(wait(writer_->run<int>(kNoHurry, [=, this](sqlite::Connection& db) -> Result<int> {
      for (std::int64_t number = first; number <= last; ++number) {
        append(db, {.id = make_uuid_v7_bytes(clock_.wall_now(), random_),
                    .type = "thing.happened",
                    .tenant = "acme",
                    .key = "c",
                    .number = number,
                    .time = clock_.wall_now(),
                    .subject = "s",
                    .data = std::nullopt,
                    .reference = {number, 1}});
      }
      return 0;
    })));
  }
  std::vector<std::int64_t> numbers_after(LogOffset after, std::size_t limit = 100) {
    std::vector<std::int64_t> numbers;
    for (const auto& event : wait(log_->read(after, limit, kNoHurry))->events) numbers.push_back(event.number);
    return numbers;
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  sqlite::TempFolder folder_;
  ManualClock clock_;   // of the events
  SystemClock system_;  // of the deadlines, which loops keep by the real one
  EventLoops loops_;
  SeededRandom random_;
  const PositionCodec positions_{PositionCodec::Secret{}};
  CommitSignal signal_;
  std::unique_ptr<sqlite::ReaderPool> readers_;
  std::unique_ptr<sqlite::GroupWriter> writer_;
  std::unique_ptr<SqliteEventLog> log_;
};

TEST_F(EventLogTest, IsReadFromAnyOffsetInOrder) {
  EXPECT_EQ(*wait(log_->head(kNoHurry)), LogOffset{0});
  append_events(1, 5);
  EXPECT_THAT(numbers_after({0}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(numbers_after({0}, 2), ElementsAre(1, 2));
  const auto batch = wait(log_->read({0}, 2, kNoHurry));
  EXPECT_THAT(numbers_after(batch->through), ElementsAre(3, 4, 5));
  const auto head = *wait(log_->head(kNoHurry));
  const auto end = wait(log_->read(head, 10, kNoHurry));
  EXPECT_TRUE(end->events.empty());
  EXPECT_EQ(end->through, head);
  EXPECT_EQ(batch->events[0].data, R"({"row":1})");
}

TEST_F(EventLogTest, RemembersHowFarAConsumerCameAndNeverGoesBack) {
  EXPECT_EQ(*wait(log_->load_offset("search", kNoHurry)), LogOffset{0});
  ASSERT_TRUE(wait(log_->save_offset("search", {7}, kNoHurry)));
  ASSERT_TRUE(wait(log_->save_offset("search", {3}, kNoHurry)));
  close();
  open();
  EXPECT_EQ(*wait(log_->load_offset("search", kNoHurry)), LogOffset{7});
  EXPECT_EQ(*wait(log_->load_offset("other", kNoHurry)), LogOffset{0});
  ASSERT_TRUE(wait(log_->forget_consumer("search", kNoHurry)));
  EXPECT_EQ(*wait(log_->load_offset("search", kNoHurry)), LogOffset{0});
}

TEST_F(EventLogTest, IsPrunedBelowTheSlowestConsumerAndTheAgeAndNeverWhole) {
  append_events(1, 4);
  clock_.advance(std::chrono::hours(1));
  const WallTime between = clock_.wall_now();
  append_events(5, 6);
  clock_.advance(std::chrono::hours(1));
  const WallTime now = clock_.wall_now();
  EXPECT_EQ(*wait(log_->prune(now, 100, kNoHurry)), 0);  // nobody is known to have read anything
  ASSERT_TRUE(wait(log_->save_offset("slow", {3}, kNoHurry)));
  ASSERT_TRUE(wait(log_->save_offset("fast", {6}, kNoHurry)));
  EXPECT_EQ(*wait(log_->prune(now, 2, kNoHurry)), 2);
  EXPECT_EQ(*wait(log_->prune(now, 100, kNoHurry)), 1);
  EXPECT_THAT(numbers_after({0}), ElementsAre(4, 5, 6));
  ASSERT_TRUE(wait(log_->forget_consumer("slow", kNoHurry)));
  EXPECT_EQ(*wait(log_->prune(between, 100, kNoHurry)), 1);
  EXPECT_EQ(*wait(log_->prune(now, 100, kNoHurry)), 1);
  EXPECT_THAT(numbers_after({0}), ElementsAre(6));
  append_events(7, 7);
  EXPECT_EQ(*wait(log_->head(kNoHurry)), LogOffset{7});
}

TEST_F(EventLogTest, WhereNoConsumerCanComeOldEventsGoUntilOneIsKnown) {
  append_events(1, 4);
  clock_.advance(std::chrono::hours(1));
  const WallTime between = clock_.wall_now();
  append_events(5, 8);
  EXPECT_EQ(*wait(log_->prune_unread(between, 100, kNoHurry)), 4);
  EXPECT_THAT(numbers_after({0}), ElementsAre(5, 6, 7, 8));
  ASSERT_TRUE(wait(log_->save_offset("reader", {6}, kNoHurry)));
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(*wait(log_->prune_unread(clock_.wall_now(), 100, kNoHurry)), 2);
  EXPECT_THAT(numbers_after({0}), ElementsAre(7, 8));
  ASSERT_TRUE(wait(log_->forget_consumer("reader", kNoHurry)));
  EXPECT_EQ(*wait(log_->prune_unread(clock_.wall_now(), 100, kNoHurry)), 1);
  EXPECT_THAT(numbers_after({0}), ElementsAre(8));  // the last stays, so that no offset is given twice
}

TEST_F(EventLogTest, TellsHowMuchItHoldsAndHowFarBehindEachConsumerIs) {
  EXPECT_EQ(wait(log_->standing(kNoHurry))->events, 0);
  append_events(1, 5);
  ASSERT_TRUE(wait(log_->save_offset("fast", {5}, kNoHurry)));
  ASSERT_TRUE(wait(log_->save_offset("slow", {2}, kNoHurry)));
  ASSERT_EQ(*wait(log_->prune(clock_.wall_now() + std::chrono::hours(1), 100, kNoHurry)), 2);
  const auto standing = wait(log_->standing(kNoHurry));
  ASSERT_TRUE(standing);
  EXPECT_EQ(standing->head, LogOffset{5});
  EXPECT_EQ(standing->events, 3);
  EXPECT_THAT(standing->behind, ElementsAre(std::pair("fast", 0), std::pair("slow", 3)));
}

TEST_F(EventLogTest, TellsWhereWhatCanStillBeReadBegins) {
  EXPECT_EQ(*wait(log_->tail(kNoHurry)), LogOffset{0});
  append_events(1, 5);
  EXPECT_EQ(*wait(log_->tail(kNoHurry)), LogOffset{0});
  ASSERT_TRUE(wait(log_->save_offset("reader", {5}, kNoHurry)));
  const WallTime later = clock_.wall_now() + std::chrono::hours(1);
  ASSERT_EQ(*wait(log_->prune(later, 3, kNoHurry)), 3);
  EXPECT_EQ(*wait(log_->tail(kNoHurry)), LogOffset{3});
  EXPECT_THAT(numbers_after(*wait(log_->tail(kNoHurry))), ElementsAre(4, 5));
  ASSERT_EQ(*wait(log_->prune(later, 100, kNoHurry)), 1);
  close();
  open();
  EXPECT_EQ(*wait(log_->tail(kNoHurry)), LogOffset{4});
  append_events(6, 6);
  EXPECT_EQ(*wait(log_->tail(kNoHurry)), LogOffset{4});
  EXPECT_THAT(numbers_after({4}), ElementsAre(5, 6));
}

TEST_F(EventLogTest, PruningStopsAtTheFirstEventThatMustStayWhateverTheClockDid) {
  clock_.advance(std::chrono::hours(3));
  append_events(1, 1);
  clock_.advance(-std::chrono::hours(2));
  append_events(2, 3);
  const WallTime before = clock_.wall_now() + std::chrono::hours(1);
  clock_.advance(std::chrono::hours(2));
  append_events(4, 4);
  ASSERT_TRUE(wait(log_->save_offset("reader", {4}, kNoHurry)));
  EXPECT_EQ(*wait(log_->prune(before, 100, kNoHurry)), 0);
  EXPECT_THAT(numbers_after({0}), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(*wait(log_->prune(clock_.wall_now() + std::chrono::hours(1), 100, kNoHurry)), 3);
}

// Takes what comes; may be told to fail.
class RecordingConsumer final : public EventConsumer {
 public:
  std::string name() const override { return "recorder"; }
  Task<Result<>> deliver(std::vector<Event> events, SteadyTime) override {
    ++deliveries;
    if (failures > 0) {
      --failures;
      co_return unavailable("unavailable", "not now");
    }
    for (const auto& event : events) numbers.push_back(event.number);
    if (numbers.size() >= wanted && !std::exchange(told, true)) reached.count_down();
    co_return Result<>{};
  }
  Task<Result<>> save_offset(EventLog& log, LogOffset offset, SteadyTime deadline) override {
    if (lose_saves) co_return unavailable("unavailable", "the process ends here");
    co_return co_await log.save_offset(name(), offset, deadline);
  }
  int deliveries = 0;
  int failures = 0;
  bool lose_saves = false;
  bool told = false;
  std::size_t wanted = 0;
  std::vector<std::int64_t> numbers;
  std::latch reached{1};
};

class ConsumerRunnerTest : public EventLogTest {
 protected:
  // Runs until the consumer has what it wants, and longer if `also` is given; then stops.
  void run(RecordingConsumer& consumer, std::function<void()> also = {}) {
    ConsumerRunner runner(loops_.at(0), *log_, consumer, system_,
                          {.batch_limit = 3, .linger = linger_, .retry_after = std::chrono::milliseconds(1)});
    loops_.at(0).post([&runner] { runner.start(); });
    if (also) also();
    consumer.reached.wait();
    std::promise<void> stopped;
    loops_.at(0).post([&] { runner.stop([&stopped] { stopped.set_value(); }); });
    stopped.get_future().wait();
    delivered_ = runner.delivered();
  }
  LogOffset delivered_;
  std::chrono::milliseconds linger_{0};
};

TEST_F(ConsumerRunnerTest, DeliversEverythingInOrderAndGoesOnWhereItStopped) {
  append_events(1, 10);
  RecordingConsumer first;
  first.wanted = 10;
  run(first);
  EXPECT_THAT(first.numbers, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(first.deliveries, 4);
  EXPECT_EQ(delivered_, LogOffset{10});
  append_events(11, 12);
  close();
  open();
  RecordingConsumer second;
  second.wanted = 2;
  run(second);
  EXPECT_THAT(second.numbers, ElementsAre(11, 12));
}

TEST_F(ConsumerRunnerTest, IsWokenByACommit) {
  RecordingConsumer consumer;
  consumer.wanted = 4;
  run(consumer, [this] {
    for (std::int64_t number = 1; number <= 4; ++number) append_events(number, number);
  });
  EXPECT_THAT(consumer.numbers, ElementsAre(1, 2, 3, 4));
}

TEST_F(ConsumerRunnerTest, EventsWaitForABatchToFillAndNoLonger) {
  linger_ = std::chrono::minutes(10);
  append_events(1, 2);
  RecordingConsumer consumer;
  consumer.wanted = 6;
  run(consumer, [this] {
    append_events(3, 3);
    append_events(4, 6);
  });
  EXPECT_THAT(consumer.numbers, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(consumer.deliveries, 2);
}

TEST_F(ConsumerRunnerTest, AWaitForABatchEndsWithTheLingerOrTheRun) {
  append_events(1, 2);
  linger_ = std::chrono::milliseconds(1);
  RecordingConsumer patient;
  patient.wanted = 2;
  run(patient);
  EXPECT_EQ(patient.deliveries, 1);

  linger_ = std::chrono::minutes(10);
  append_events(3, 3);
  RecordingConsumer cut_off;
  cut_off.told = true;
  cut_off.reached.count_down();
  run(cut_off);
  EXPECT_LE(cut_off.numbers.size(), 1u);
}

TEST_F(ConsumerRunnerTest, ABatchThatIsNotTakenComesAgain) {
  append_events(1, 4);
  RecordingConsumer consumer;
  consumer.failures = 3;
  consumer.wanted = 4;
  run(consumer);
  EXPECT_THAT(consumer.numbers, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(consumer.deliveries, 5);
}

TEST_F(ConsumerRunnerTest, ACrashBeforeTheOffsetIsSavedRepeatsAndSkipsNothing) {
  append_events(1, 3);
  RecordingConsumer dying;
  dying.wanted = 3;
  dying.lose_saves = true;
  run(dying);
  EXPECT_EQ(delivered_, LogOffset{0});
  append_events(4, 4);
  close();
  open();
  RecordingConsumer next;
  next.wanted = 4;
  run(next);
  EXPECT_THAT(next.numbers, ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace parley::events
