#include "events/kafka_event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "events/kafka_records.h"
#include "events/testing/memory_event_log.h"

namespace parley::events {
namespace {

using ::testing::ElementsAre;
using testing::event_of;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Places = std::vector<kafka::Place>;

// What the cluster does is a queue that the test fills; what the stream does is noted. Any thread.
class Topic {
 public:
  void give(kafka::Polled polled) {
    const std::lock_guard lock(mutex_);
    polled_.push_back(std::move(polled));
    changed_.notify_all();
  }
  void event(std::int32_t partition, std::int64_t offset, std::int64_t number) {
    record(partition, offset, record_of(event_of(number), "t", "/parley/messaging"));
  }
  void mark(std::int32_t partition, std::int64_t offset, Watermark mark) {
    record(partition, offset, record_of(mark, "t", partition, "/parley/messaging", WallTime{}));
  }
  void record(std::int32_t partition, std::int64_t offset, const kafka::OutRecord& out) {
    give(kafka::InRecord{
        .partition = partition, .offset = offset, .key = out.key, .value = out.value, .headers = out.headers});
  }

  kafka::Polled take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return !polled_.empty() && !(paused_ && is_record(polled_.front())); });
    if (polled_.empty() || (paused_ && is_record(polled_.front()))) return {};
    kafka::Polled next = std::move(polled_.front());
    polled_.pop_front();
    return next;
  }
  void note(std::function<void(Topic&)> what) {
    const std::lock_guard lock(mutex_);
    what(*this);
    changed_.notify_all();
  }
  ::testing::AssertionResult comes_true(std::function<bool(Topic&)> condition) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::seconds(20), [&] { return condition(*this); })) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "it did not come true";
  }

  Places reading;
  std::vector<Places> committed;
  int given_up = 0;
  int poll_failures = 0;
  bool paused_ = false;
  int pauses = 0;
  std::vector<kafka::Bounds> bounds{{0, 0, 100}, {1, 0, 100}};
  std::size_t left() const { return polled_.size(); }

 private:
  static bool is_record(const kafka::Polled& polled) { return std::holds_alternative<kafka::InRecord>(polled); }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<kafka::Polled> polled_;
};

class FakeSource final : public kafka::RecordSource {
 public:
  explicit FakeSource(Topic& topic) : topic_(topic) {}
  Result<kafka::Polled> poll(std::chrono::milliseconds patience) override {
    bool fails = false;
    topic_.note([&](Topic& topic) { fails = topic.poll_failures > 0 && topic.poll_failures-- > 0; });
    if (fails) return unavailable("kafka_unavailable", "away");
    return topic_.take(patience);
  }
  Result<> read_from(const Places& places) override {
    topic_.note([&](Topic& topic) { topic.reading = places; });
    return {};
  }
  Result<> give_up() override {
    topic_.note([](Topic& topic) {
      topic.reading.clear();
      ++topic.given_up;
    });
    return {};
  }
  Result<> pause() override {
    topic_.note([](Topic& topic) {
      topic.paused_ = true;
      ++topic.pauses;
    });
    return {};
  }
  Result<> resume() override {
    topic_.note([](Topic& topic) { topic.paused_ = false; });
    return {};
  }
  Result<> commit(const Places& places, bool) override {
    topic_.note([&](Topic& topic) { topic.committed.push_back(places); });
    return {};
  }
  Result<std::vector<kafka::Bounds>> bounds(std::chrono::milliseconds) override {
    std::vector<kafka::Bounds> all;
    topic_.note([&](Topic& topic) { all = topic.bounds; });
    return all;
  }

 private:
  Topic& topic_;
};

class FakeConsumer final : public LaneConsumer {
 public:
  explicit FakeConsumer(Topic& topic) : topic_(topic) {}
  // Of the topic's mutex.
  std::vector<LaneDelivery> taken;
  int failures = 0;
  int tries = 0;
  bool not_yet = false;
  bool held = false;  // deliveries wait
  std::vector<std::vector<std::int32_t>> begun;
  std::int64_t refused_number = 0;
  std::int64_t next = 5;

  Task<Result<std::vector<LaneStart>>> begin(std::vector<std::int32_t> ours, std::vector<LaneBounds>,
                                             SteadyTime) override {
    std::vector<LaneStart> starts;
    topic_.note([&](Topic&) {
      begun.push_back(ours);
      if (!not_yet) {
        for (const std::int32_t lane : ours) starts.push_back({lane, next});
      }
    });
    co_return starts;
  }
  Task<Result<std::vector<RefusedEvent>>> deliver(const LaneDelivery& delivery, SteadyTime) override {
    bool waits = true;
    LoopWake pause(EventLoop::current());
    topic_.note([&](Topic&) { ++tries; });
    while (waits) {
      topic_.note([&](Topic&) { waits = held; });
      if (waits) co_await pause.pause(std::chrono::milliseconds(1));
    }
    bool fails = false;
    std::vector<RefusedEvent> refused;
    topic_.note([&](Topic&) {
      fails = failures > 0 && failures-- > 0;
      if (fails) return;
      taken.push_back(delivery);
      for (const LaneEvents& lane : delivery.lanes) {
        for (const Event& event : lane.events) {
          if (event.number == refused_number) refused.push_back({event, "data: no content"});
        }
      }
    });
    if (fails) co_return unavailable("unavailable", "not now");
    co_return refused;
  }

 private:
  Topic& topic_;
};

class FakeLetters final : public kafka::RecordPublisher {
 public:
  explicit FakeLetters(Topic& topic) : topic_(topic) {}
  std::vector<kafka::OutRecord> letters;
  int failures = 0;
  Task<Result<>> take_over(SteadyTime) override { co_return Result<>(); }
  Task<Result<>> publish(std::vector<kafka::OutRecord> records, SteadyTime) override {
    bool fails = false;
    topic_.note([&](Topic&) {
      fails = failures > 0 && failures-- > 0;
      if (!fails) letters.insert(letters.end(), records.begin(), records.end());
    });
    if (fails) co_return unavailable("kafka_unavailable", "away");
    co_return Result<>();
  }
  Task<Result<std::int32_t>> partitions(std::string, SteadyTime) override { co_return 1; }

 private:
  Topic& topic_;
};

class KafkaEventStreamTest : public ::testing::Test {
 protected:
  KafkaEventStreamTest() : loops_(1) { loops_.start(); }
  ~KafkaEventStreamTest() override {
    stop();
    loops_.stop();
  }
  void start(std::size_t batch_limit = 4, std::chrono::milliseconds linger = {}) {
    stream_ = std::make_unique<KafkaEventStream>(
        KafkaEventStream::Dependencies{.loop = loops_.at(0),
                                       .consumer = consumer_,
                                       .dead_letters = letters_,
                                       .make_source = [this]() -> Result<std::unique_ptr<kafka::RecordSource>> {
                                         return std::make_unique<FakeSource>(topic_);
                                       },
                                       .clock = clock_,
                                       .metrics = metrics_},
        KafkaEventStream::Options{.topic = "messaging.events",
                                  .batch_limit = batch_limit,
                                  .linger = linger,
                                  .first_retry = std::chrono::milliseconds(1),
                                  .last_retry = std::chrono::milliseconds(2),
                                  .ask_again = std::chrono::milliseconds(1),
                                  .patience_on_loss = patience_,
                                  .note_end_every = std::chrono::milliseconds(1)});
    std::promise<void> started;
    loops_.at(0).post([&] {
      stream_->start();
      started.set_value();
    });
    started.get_future().wait();
  }
  void stop() {
    if (!stream_) return;
    std::promise<void> done;
    loops_.at(0).post([&] { stream_->stop([&] { done.set_value(); }); });
    done.get_future().wait();
    stream_.reset();
  }
  // Numbers of the events that were taken, of one lane.
  std::vector<std::int64_t> numbers(std::int32_t lane) {
    std::vector<std::int64_t> all;
    for (const LaneDelivery& delivery : consumer_.taken) {
      for (const LaneEvents& each : delivery.lanes) {
        if (each.lane != lane) continue;
        for (const Event& event : each.events) all.push_back(event.number);
      }
    }
    return all;
  }
  std::int64_t through(std::int32_t lane) {
    LogOffset most;
    for (const LaneDelivery& delivery : consumer_.taken) {
      for (const LaneEvents& each : delivery.lanes) {
        if (each.lane == lane) most = std::max(most, each.through);
      }
    }
    return most.value;
  }

  SystemClock clock_;
  EventLoops loops_;
  Metrics metrics_;
  Topic topic_;
  FakeConsumer consumer_{topic_};
  FakeLetters letters_{topic_};
  std::chrono::milliseconds patience_{5'000};
  std::unique_ptr<KafkaEventStream> stream_;
};

TEST_F(KafkaEventStreamTest, ReadsFromWhereTheConsumerSaysAndCommitsWhatItTook) {
  start();
  topic_.give(kafka::Assigned{{0, 1}});
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.reading == Places{{0, 5}, {1, 5}}; }));
  topic_.event(0, 5, 11);
  topic_.event(1, 5, 12);
  topic_.event(0, 6, 13);
  topic_.mark(1, 6, {.through = {13}, .partitions = 2});
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return numbers(0).size() == 2 && through(1) == 13; }));
  EXPECT_THAT(numbers(0), ElementsAre(11, 13));
  EXPECT_THAT(numbers(1), ElementsAre(12));
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) {
    Places last;
    for (const auto& places : topic.committed) {
      for (const auto& place : places) {
        if (place.partition == 1) last = {place};
      }
    }
    return last == Places{{1, 7}};
  }));
}

TEST_F(KafkaEventStreamTest, WhatIsNotTakenComesAgainAndNothingIsCommittedMeanwhile) {
  consumer_.failures = 3;
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  ASSERT_TRUE(topic_.comes_true([&](Topic& topic) { return topic.committed.size() == 1; }));
  EXPECT_THAT(numbers(0), ElementsAre(11));
  topic_.note([&](Topic&) { EXPECT_EQ(consumer_.tries, 4); });
}

TEST_F(KafkaEventStreamTest, NoMoreIsReadThanTwoBatches) {
  consumer_.held = true;
  start(2);
  topic_.give(kafka::Assigned{{0}});
  for (std::int64_t i = 0; i < 50; ++i) topic_.event(0, 5 + i, 11 + i);
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.pauses > 0; }));
  topic_.note([](Topic& topic) { EXPECT_GE(topic.left(), 45u); });
  topic_.note([&](Topic&) { consumer_.held = false; });
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return numbers(0).size() == 50; }));
  EXPECT_TRUE(std::ranges::is_sorted(numbers(0)));
}

TEST_F(KafkaEventStreamTest, LanesThatAreNotToBeReadYetAreAskedForAgain) {
  consumer_.not_yet = true;
  start();
  topic_.give(kafka::Assigned{{0, 1}});
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return consumer_.begun.size() >= 3; }));
  topic_.note([](Topic& topic) { EXPECT_THAT(topic.reading, IsEmpty()); });
  topic_.note([&](Topic&) { consumer_.not_yet = false; });
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.reading == Places{{0, 5}, {1, 5}}; }));
}

TEST_F(KafkaEventStreamTest, WhatIsUnderWayWhenPartitionsAreTakenAwayIsWaitedForAndCommitted) {
  consumer_.held = true;
  start(1);
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  topic_.event(0, 6, 12);  // read and not delivered
  ASSERT_TRUE(topic_.comes_true([&](Topic& topic) { return consumer_.tries == 1 && topic.left() == 0; }));
  topic_.give(kafka::Revoked{});
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.left() == 0; }));
  topic_.note([&](Topic&) { consumer_.held = false; });
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.given_up == 1; }));
  topic_.note([&](Topic& topic) {
    EXPECT_THAT(topic.committed, ElementsAre(Places{{0, 6}}));
    EXPECT_THAT(numbers(0), ElementsAre(11));
  });
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 6, 12);
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return numbers(0).size() == 2; }));
}

TEST_F(KafkaEventStreamTest, WhatEndsAfterPartitionsWereTakenAwayIsNotCommitted) {
  patience_ = std::chrono::milliseconds(1);
  consumer_.held = true;
  start(1);
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return consumer_.tries == 1; }));
  topic_.give(kafka::Revoked{});
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.given_up == 1; }));
  topic_.note([&](Topic&) { consumer_.held = false; });
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return numbers(0).size() == 1; }));
  stop();
  EXPECT_THAT(topic_.committed, IsEmpty());
}

TEST_F(KafkaEventStreamTest, LostPartitionsAreNotCommittedWhateverEnds) {
  consumer_.held = true;
  start(1);
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return consumer_.tries == 1; }));
  topic_.give(kafka::Revoked{.lost = true});
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return topic.given_up == 1; }));
  topic_.note([&](Topic&) { consumer_.held = false; });
  stop();
  EXPECT_THAT(topic_.committed, IsEmpty());
}

TEST_F(KafkaEventStreamTest, WhatIsNoEventGoesToTheDeadLettersAndTheRestGoesOn) {
  letters_.failures = 2;
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.record(0, 5, {.topic = "t", .partition = {}, .key = "k", .value = "garbage", .headers = {}});
  topic_.event(0, 6, 11);
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return !letters_.letters.empty() && !numbers(0).empty(); }));
  topic_.note([&](Topic&) {
    EXPECT_EQ(letters_.letters.at(0).topic, "messaging.events.dead_letters");
    EXPECT_EQ(letters_.letters.at(0).value, "garbage");
  });
  ASSERT_TRUE(topic_.comes_true(
      [](Topic& topic) { return !topic.committed.empty() && topic.committed.back() == Places{{0, 7}}; }));
}

TEST_F(KafkaEventStreamTest, WhatTheConsumerRefusesGoesToTheDeadLettersWithItsReason) {
  consumer_.refused_number = 11;
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  ASSERT_TRUE(topic_.comes_true([](Topic& topic) { return !topic.committed.empty(); }));
  topic_.note([&](Topic&) {
    ASSERT_EQ(letters_.letters.size(), 1u);
    EXPECT_THAT(letters_.letters[0].headers, ::testing::Contains(::testing::Pair(kReasonHeader, "data: no content")));
  });
}

TEST_F(KafkaEventStreamTest, GapsAndMorePartitionsAreToldWithTheirLane) {
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.mark(0, 5, {.through = {40}, .partitions = 3, .gap = Watermark::Gap::kSkipped});
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return !consumer_.taken.empty(); }));
  topic_.note([&](Topic&) {
    const LaneDelivery& delivery = consumer_.taken.front();
    EXPECT_EQ(delivery.lane_count, 3);
    EXPECT_EQ(delivery.lanes.at(0).skipped.value, 40);
    EXPECT_EQ(delivery.lanes.at(0).through.value, 40);
  });
}

TEST_F(KafkaEventStreamTest, AnEndBeyondTheLastRecordIsToldNowAndThen) {
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.give(kafka::AtEnd{{0, 9}});
  ASSERT_TRUE(topic_.comes_true(
      [&](Topic&) { return !consumer_.taken.empty() && consumer_.taken.back().lanes.at(0).next == 9; }));
}

TEST_F(KafkaEventStreamTest, PollsThatFailAreTriedAgain) {
  topic_.poll_failures = 3;
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return !consumer_.taken.empty(); }));
}

TEST_F(KafkaEventStreamTest, StopsWhileADeliveryFails) {
  consumer_.failures = 1'000'000;
  start();
  topic_.give(kafka::Assigned{{0}});
  topic_.event(0, 5, 11);
  ASSERT_TRUE(topic_.comes_true([&](Topic&) { return consumer_.tries > 2; }));
  stop();
  EXPECT_THAT(topic_.committed, IsEmpty());
}

}  // namespace
}  // namespace parley::events
