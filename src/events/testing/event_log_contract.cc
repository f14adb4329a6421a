#include "events/testing/event_log_contract.h"

#include <future>
#include <latch>

namespace parley::events::testing {

using ::testing::ElementsAre;

EventLogContract::EventLogContract() : loops_(1), random_(1) {
  loops_.start();
  under_test_ = GetParam()(system_);
}
void EventLogContract::SetUp() {
  if (!under_test_) GTEST_SKIP() << "no engine to test the adapter with";
}
EventLogContract::~EventLogContract() {
  under_test_.reset();
  loops_.stop();
}

void EventLogContract::append_events(std::int64_t first, std::int64_t last) {
  ASSERT_TRUE(wait(under_test_->append(first, last, clock_.wall_now(), random_)));
}

std::vector<std::int64_t> EventLogContract::numbers_after(LogOffset after, std::size_t limit) {
  std::vector<std::int64_t> numbers;
  for (const auto& event : wait(log().read(after, limit, kNoHurry))->events) numbers.push_back(event.number);
  return numbers;
}

TEST_P(EventLogContract, IsReadFromAnyOffsetInOrder) {
  EXPECT_EQ(*wait(log().head(kNoHurry)), LogOffset{0});
  append_events(1, 5);
  EXPECT_THAT(numbers_after({0}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(numbers_after({0}, 2), ElementsAre(1, 2));
  const auto batch = wait(log().read({0}, 2, kNoHurry));
  EXPECT_THAT(numbers_after(batch->through), ElementsAre(3, 4, 5));
  const auto head = *wait(log().head(kNoHurry));
  const auto end = wait(log().read(head, 10, kNoHurry));
  EXPECT_TRUE(end->events.empty());
  EXPECT_EQ(end->through, head);
  EXPECT_EQ(batch->events[0].data, R"({"row":1})");
}

TEST_P(EventLogContract, RemembersHowFarAConsumerCameAndNeverGoesBack) {
  EXPECT_EQ(*wait(log().load_offset("search", kNoHurry)), LogOffset{0});
  ASSERT_TRUE(wait(log().save_offset("search", {7}, kNoHurry)));
  ASSERT_TRUE(wait(log().save_offset("search", {3}, kNoHurry)));
  reopen();
  EXPECT_EQ(*wait(log().load_offset("search", kNoHurry)), LogOffset{7});
  EXPECT_EQ(*wait(log().load_offset("other", kNoHurry)), LogOffset{0});
  ASSERT_TRUE(wait(log().forget_consumer("search", kNoHurry)));
  EXPECT_EQ(*wait(log().load_offset("search", kNoHurry)), LogOffset{0});
}

TEST_P(EventLogContract, IsPrunedBelowTheSlowestConsumerAndTheAgeAndNeverWhole) {
  append_events(1, 4);
  clock_.advance(std::chrono::hours(1));
  const WallTime between = clock_.wall_now();
  append_events(5, 6);
  clock_.advance(std::chrono::hours(1));
  const WallTime now = clock_.wall_now();
  EXPECT_EQ(*wait(log().prune(now, 100, kNoHurry)), 0);  // nobody is known to have read anything
  ASSERT_TRUE(wait(log().save_offset("slow", {3}, kNoHurry)));
  ASSERT_TRUE(wait(log().save_offset("fast", {6}, kNoHurry)));
  EXPECT_EQ(*wait(log().prune(now, 2, kNoHurry)), 2);
  EXPECT_EQ(*wait(log().prune(now, 100, kNoHurry)), 1);
  EXPECT_THAT(numbers_after({0}), ElementsAre(4, 5, 6));
  ASSERT_TRUE(wait(log().forget_consumer("slow", kNoHurry)));
  EXPECT_EQ(*wait(log().prune(between, 100, kNoHurry)), 1);
  EXPECT_EQ(*wait(log().prune(now, 100, kNoHurry)), 1);
  EXPECT_THAT(numbers_after({0}), ElementsAre(6));
  append_events(7, 7);
  EXPECT_EQ(*wait(log().head(kNoHurry)), LogOffset{7});
}

TEST_P(EventLogContract, WhereNoConsumerCanComeOldEventsGoUntilOneIsKnown) {
  append_events(1, 4);
  clock_.advance(std::chrono::hours(1));
  const WallTime between = clock_.wall_now();
  append_events(5, 8);
  EXPECT_EQ(*wait(log().prune_unread(between, 100, kNoHurry)), 4);
  EXPECT_THAT(numbers_after({0}), ElementsAre(5, 6, 7, 8));
  ASSERT_TRUE(wait(log().save_offset("reader", {6}, kNoHurry)));
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(*wait(log().prune_unread(clock_.wall_now(), 100, kNoHurry)), 2);
  EXPECT_THAT(numbers_after({0}), ElementsAre(7, 8));
  ASSERT_TRUE(wait(log().forget_consumer("reader", kNoHurry)));
  EXPECT_EQ(*wait(log().prune_unread(clock_.wall_now(), 100, kNoHurry)), 1);
  EXPECT_THAT(numbers_after({0}), ElementsAre(8));  // the last stays, so that no offset is given twice
}

TEST_P(EventLogContract, TellsHowMuchItHoldsAndHowFarBehindEachConsumerIs) {
  EXPECT_EQ(wait(log().standing(kNoHurry))->events, 0);
  append_events(1, 5);
  ASSERT_TRUE(wait(log().save_offset("fast", {5}, kNoHurry)));
  ASSERT_TRUE(wait(log().save_offset("slow", {2}, kNoHurry)));
  ASSERT_EQ(*wait(log().prune(clock_.wall_now() + std::chrono::hours(1), 100, kNoHurry)), 2);
  const auto standing = wait(log().standing(kNoHurry));
  ASSERT_TRUE(standing);
  EXPECT_EQ(standing->head, LogOffset{5});
  EXPECT_EQ(standing->events, 3);
  EXPECT_THAT(standing->behind, ElementsAre(std::pair("fast", 0), std::pair("slow", 3)));
}

TEST_P(EventLogContract, TellsWhereWhatCanStillBeReadBegins) {
  EXPECT_EQ(*wait(log().tail(kNoHurry)), LogOffset{0});
  append_events(1, 5);
  EXPECT_EQ(*wait(log().tail(kNoHurry)), LogOffset{0});
  ASSERT_TRUE(wait(log().save_offset("reader", {5}, kNoHurry)));
  const WallTime later = clock_.wall_now() + std::chrono::hours(1);
  ASSERT_EQ(*wait(log().prune(later, 3, kNoHurry)), 3);
  EXPECT_EQ(*wait(log().tail(kNoHurry)), LogOffset{3});
  EXPECT_THAT(numbers_after(*wait(log().tail(kNoHurry))), ElementsAre(4, 5));
  ASSERT_EQ(*wait(log().prune(later, 100, kNoHurry)), 1);
  reopen();
  EXPECT_EQ(*wait(log().tail(kNoHurry)), LogOffset{4});
  append_events(6, 6);
  EXPECT_EQ(*wait(log().tail(kNoHurry)), LogOffset{4});
  EXPECT_THAT(numbers_after({4}), ElementsAre(5, 6));
}

TEST_P(EventLogContract, PruningStopsAtTheFirstEventThatMustStayWhateverTheClockDid) {
  clock_.advance(std::chrono::hours(3));
  append_events(1, 1);
  clock_.advance(-std::chrono::hours(2));
  append_events(2, 3);
  const WallTime before = clock_.wall_now() + std::chrono::hours(1);
  clock_.advance(std::chrono::hours(2));
  append_events(4, 4);
  ASSERT_TRUE(wait(log().save_offset("reader", {4}, kNoHurry)));
  EXPECT_EQ(*wait(log().prune(before, 100, kNoHurry)), 0);
  EXPECT_THAT(numbers_after({0}), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(*wait(log().prune(clock_.wall_now() + std::chrono::hours(1), 100, kNoHurry)), 3);
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

void ConsumerRunnerContract::run(RecordingConsumer& consumer, std::function<void()> also) {
  ConsumerRunner runner(loops_.at(0), log(), consumer, system_,
                        {.batch_limit = 3, .linger = linger_, .retry_after = std::chrono::milliseconds(1)});
  loops_.at(0).post([&runner] { runner.start(); });
  if (also) also();
  consumer.reached.wait();
  std::promise<void> stopped;
  loops_.at(0).post([&] { runner.stop([&stopped] { stopped.set_value(); }); });
  stopped.get_future().wait();
  delivered_ = runner.delivered();
}

TEST_P(ConsumerRunnerContract, DeliversEverythingInOrderAndGoesOnWhereItStopped) {
  append_events(1, 10);
  RecordingConsumer first;
  first.wanted = 10;
  run(first);
  EXPECT_THAT(first.numbers, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(first.deliveries, 4);
  EXPECT_EQ(delivered_, LogOffset{10});
  append_events(11, 12);
  reopen();
  RecordingConsumer second;
  second.wanted = 2;
  run(second);
  EXPECT_THAT(second.numbers, ElementsAre(11, 12));
}

TEST_P(ConsumerRunnerContract, IsWokenByACommit) {
  RecordingConsumer consumer;
  consumer.wanted = 4;
  run(consumer, [this] {
    for (std::int64_t number = 1; number <= 4; ++number) append_events(number, number);
  });
  EXPECT_THAT(consumer.numbers, ElementsAre(1, 2, 3, 4));
}

TEST_P(ConsumerRunnerContract, EventsWaitForABatchToFillAndNoLonger) {
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

TEST_P(ConsumerRunnerContract, AWaitForABatchEndsWithTheLingerOrTheRun) {
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

TEST_P(ConsumerRunnerContract, ABatchThatIsNotTakenComesAgain) {
  append_events(1, 4);
  RecordingConsumer consumer;
  consumer.failures = 3;
  consumer.wanted = 4;
  run(consumer);
  EXPECT_THAT(consumer.numbers, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(consumer.deliveries, 5);
}

TEST_P(ConsumerRunnerContract, ACrashBeforeTheOffsetIsSavedRepeatsAndSkipsNothing) {
  append_events(1, 3);
  RecordingConsumer dying;
  dying.wanted = 3;
  dying.lose_saves = true;
  run(dying);
  EXPECT_EQ(delivered_, LogOffset{0});
  append_events(4, 4);
  reopen();
  RecordingConsumer next;
  next.wanted = 4;
  run(next);
  EXPECT_THAT(next.numbers, ElementsAre(1, 2, 3, 4));
}

}  // namespace parley::events::testing
