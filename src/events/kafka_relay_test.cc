#include "events/kafka_relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>
#include <thread>

#include "base/run_on_loop.h"
#include "events/testing/memory_event_log.h"

namespace parley::events {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using testing::event_of;
using testing::MemoryEventLog;

// A topic's partitions as one list; fails as told. Used on the loop.
class FakePublisher final : public kafka::RecordPublisher {
 public:
  std::vector<kafka::OutRecord> published;
  int take_overs = 0;
  int failures = 0;      // so many publications fail first, with nothing there
  int lost_answers = 0;  // so many after that happen, and their answer is lost
  std::optional<Error> failure;
  std::int32_t partition_count = 2;
  std::function<void()> before_answer;

  Task<Result<>> take_over(SteadyTime) override {
    ++take_overs;
    co_return Result<>();
  }
  Task<Result<>> publish(std::vector<kafka::OutRecord> records, SteadyTime) override {
    if (failures > 0) {
      --failures;
      co_return failure ? fail(*failure) : unavailable("kafka_unavailable", "away");
    }
    for (auto& record : records) published.push_back(std::move(record));
    if (before_answer) before_answer();
    if (lost_answers > 0) {
      --lost_answers;
      co_return unavailable("kafka_unavailable", "away");
    }
    co_return Result<>();
  }
  Task<Result<std::int32_t>> partitions(std::string, SteadyTime) override { co_return partition_count; }
};

class FakeLease final : public RelayLease {
 public:
  std::optional<FencingToken> token = FencingToken{1};
  int failures = 0;
  bool released = false;
  std::chrono::milliseconds renew{0};
  Task<Result<std::optional<FencingToken>>> hold(SteadyTime) override {
    if (failures > 0) {
      --failures;
      co_return unavailable("unavailable", "not now");
    }
    co_return token;
  }
  std::chrono::milliseconds renew_every() const override { return renew; }
  Task<Result<>> release(SteadyTime) override {
    released = true;
    co_return Result<>();
  }
};

class KafkaRelayTest : public ::testing::Test {
 protected:
  KafkaRelayTest() : loops_(1) { loops_.start(); }
  ~KafkaRelayTest() override {
    stop();
    loops_.stop();
  }
  KafkaRelay::Options options() {
    return {.topic = "messaging.events",
            .users_topic = "user.events",
            .source = "/parley/messaging",
            .batch_limit = 3,
            .idle_poll = std::chrono::milliseconds(5),
            .watermark_every = std::chrono::milliseconds(1),
            .save_every = std::chrono::milliseconds(1),
            .first_retry = std::chrono::milliseconds(1),
            .last_retry = std::chrono::milliseconds(2)};
  }
  void start() {
    relay_ = std::make_unique<KafkaRelay>(KafkaRelay::Dependencies{.loop = loops_.at(0),
                                                                   .log = log_,
                                                                   .publisher = publisher_,
                                                                   .lease = lease_,
                                                                   .clock = clock_,
                                                                   .metrics = metrics_},
                                          options());
    on_loop([this] { relay_->start(); });
  }
  void stop() {
    if (!relay_) return;
    std::promise<void> done;
    loops_.at(0).post([&] { relay_->stop([&] { done.set_value(); }); });
    done.get_future().wait();
    relay_.reset();
  }
  void on_loop(std::function<void()> act) {
    std::promise<void> done;
    loops_.at(0).post([&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }
  // Looks on the loop until it is so, at most 20 s.
  ::testing::AssertionResult comes_true(std::function<bool()> condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      bool now = false;
      on_loop([&] { now = condition(); });
      if (now) return ::testing::AssertionSuccess();
      if (std::chrono::steady_clock::now() > end) return ::testing::AssertionFailure() << "it did not come true";
      std::this_thread::yield();
    }
  }
  std::vector<std::int64_t> offsets(const std::string& topic = "messaging.events") {
    std::vector<std::int64_t> all;
    for (const auto& record : publisher_.published) {
      if (record.topic != topic) continue;
      const auto read = read_record({.value = record.value, .headers = record.headers});
      if (read && std::holds_alternative<Event>(*read)) all.push_back(std::get<Event>(*read).offset.value);
    }
    return all;
  }
  std::vector<Watermark> marks(std::int32_t partition) {
    std::vector<Watermark> all;
    for (const auto& record : publisher_.published) {
      if (record.partition != partition) continue;
      all.push_back(std::get<Watermark>(*read_record({.value = record.value, .headers = record.headers})));
    }
    return all;
  }
  std::int64_t saved() { return log_.saved[KafkaRelay::kConsumer].value; }

  SystemClock clock_;
  EventLoops loops_;
  Metrics metrics_;
  MemoryEventLog log_;
  FakePublisher publisher_;
  FakeLease lease_;
  std::unique_ptr<KafkaRelay> relay_;
};

TEST_F(KafkaRelayTest, PublishesTheLogInOrderAndThenItsWatermarks) {
  log_.append_up_to(8);
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 8; }));
  ASSERT_TRUE(comes_true([&] { return marks(0).back().through.value == 8 && marks(1).back().through.value == 8; }));
  EXPECT_THAT(offsets(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(marks(0).back().partitions, 2);
  // A watermark never says more than stands before it.
  std::int64_t seen = 0;
  for (const auto& record : publisher_.published) {
    const auto read = read_record({.value = record.value, .headers = record.headers});
    if (const auto* event = std::get_if<Event>(&*read)) seen = event->offset.value;
    if (const auto* mark = std::get_if<Watermark>(&*read)) EXPECT_EQ(mark->through.value, seen);
  }
  on_loop([&] { log_.append_up_to(9); });
  ASSERT_TRUE(comes_true([&] { return saved() == 9; }));
}

TEST_F(KafkaRelayTest, EventsOfUsersAreRepeatedInTheirTopic) {
  log_.append(event_of(1));
  log_.append(event_of(2, "ada", 1, EventScope::kUser));
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 2; }));
  EXPECT_THAT(offsets(), ElementsAre(1, 2));
  EXPECT_THAT(offsets("user.events"), ElementsAre(2));
}

TEST_F(KafkaRelayTest, SavesNothingThatIsNotAcknowledged) {
  log_.append_up_to(2);
  publisher_.failures = 5;
  bool ahead = false;
  publisher_.before_answer = [&] { ahead |= saved() > (offsets().empty() ? 0 : offsets().back()); };
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 2; }));
  EXPECT_FALSE(ahead);
  EXPECT_GE(publisher_.take_overs, 6) << "each failure is followed by a clean beginning";
}

TEST_F(KafkaRelayTest, WhatIsNotKnownToBeThereComesAgainInOrder) {
  log_.append_up_to(4);
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 4; }));
  on_loop([&] {
    publisher_.lost_answers = 1;
    log_.append_up_to(6);
  });
  ASSERT_TRUE(comes_true([&] { return saved() == 6; }));
  auto all = offsets();
  all.erase(std::unique(all.begin(), all.end()), all.end());
  EXPECT_EQ(all.back(), 6);
  EXPECT_TRUE(std::ranges::includes(std::set(all.begin(), all.end()), std::set<std::int64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(KafkaRelayTest, AfterACrashBetweenPublishingAndSavingNothingIsSkipped) {
  log_.append_up_to(4);
  log_.save_failures = 1'000'000;
  start();
  ASSERT_TRUE(comes_true([&] { return publisher_.published.size() >= 2; }));
  stop();
  log_.save_failures = 0;
  publisher_.published.clear();
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 4; }));
  EXPECT_THAT(offsets(), ElementsAre(1, 2, 3, 4));
}

TEST_F(KafkaRelayTest, ALogWithoutItsBeginningIsToldAsSkipped) {
  log_.append_up_to(9);
  log_.begins_after = {6};
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 9; }));
  EXPECT_THAT(offsets(), ElementsAre(7, 8, 9));
  EXPECT_EQ(marks(0).front().through.value, 6);
  EXPECT_EQ(marks(0).front().gap, Watermark::Gap::kSkipped);
  EXPECT_EQ(marks(1).front().gap, Watermark::Gap::kSkipped);
}

TEST_F(KafkaRelayTest, ALogThatWasPutBackIsToldAndGoesOn) {
  log_.append_up_to(3);
  log_.saved[KafkaRelay::kConsumer] = {10};
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 3; }));
  EXPECT_EQ(marks(0).front().gap, Watermark::Gap::kRestarted);
  on_loop([&] { log_.append_up_to(5); });
  ASSERT_TRUE(comes_true([&] { return saved() == 5; }));
  EXPECT_THAT(offsets(), ElementsAre(4, 5));
}

TEST_F(KafkaRelayTest, WithoutTheLeaseNothingIsPublished) {
  log_.append_up_to(2);
  lease_.token.reset();
  start();
  on_loop([&] { EXPECT_EQ(publisher_.take_overs, 0); });
  on_loop([&] { lease_.token = FencingToken{4}; });
  ASSERT_TRUE(comes_true([&] { return saved() == 2; }));
  stop();
  EXPECT_TRUE(lease_.released);
}

TEST_F(KafkaRelayTest, ANewTokenMeansToTakeOverAnewAndToReadTheOffsetAgain) {
  log_.append_up_to(2);
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 2; }));
  on_loop([&] {
    log_.append_up_to(5);
    log_.saved[KafkaRelay::kConsumer] = {4};  // another relay was at work
    lease_.token = FencingToken{3};
    publisher_.published.clear();
  });
  ASSERT_TRUE(comes_true([&] { return saved() == 5; }));
  EXPECT_EQ(publisher_.take_overs, 2);
}

TEST_F(KafkaRelayTest, WhoIsFencedAsksForTheLeaseBeforeItTakesOver) {
  log_.append_up_to(1);
  lease_.renew = std::chrono::hours(1);
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 1 && marks(0).back().through.value == 1; }));
  on_loop([&] {
    publisher_.failures = 1;
    publisher_.failure = Error{ErrorKind::kConflict, kafka::kFenced, "fenced", {}, {}};
    lease_.token.reset();
    log_.append_up_to(2);
  });
  ASSERT_TRUE(comes_true([&] { return publisher_.failures == 0; }));
  on_loop([&] { EXPECT_EQ(publisher_.take_overs, 1); });
  stop();
  EXPECT_EQ(saved(), 1);
}

TEST_F(KafkaRelayTest, ALogOrALeaseThatIsAwayIsTriedAgain) {
  log_.append_up_to(2);
  log_.failures = 3;
  lease_.failures = 3;
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 2; }));
  EXPECT_THAT(offsets(), ElementsAre(1, 2));
}

TEST_F(KafkaRelayTest, AnEventTooLargeForKafkaGoesToTheDeadLettersAndTheRestGoesOn) {
  Event large = event_of(1);
  large.data = R"({"x":")" + std::string(1'000'000, 'x') + R"("})";
  log_.append(large);
  log_.append(event_of(2));
  start();
  ASSERT_TRUE(comes_true([&] { return saved() == 2; }));
  EXPECT_THAT(offsets(), ElementsAre(2));
  EXPECT_THAT(offsets("messaging.events.dead_letters"), ElementsAre(1));
}

}  // namespace
}  // namespace parley::events
