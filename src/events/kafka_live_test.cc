// The relay and the stream over a real cluster (PARLEY_TEST_KAFKA_BROKERS); each test has topics of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/run_on_loop.h"
#include "drivers/kafka/cluster.h"
#include "drivers/kafka/group_consumer.h"
#include "drivers/kafka/producer.h"
#include "events/kafka_event_stream.h"
#include "events/kafka_relay.h"
#include "events/testing/memory_event_log.h"

namespace parley::events {
namespace {

using testing::event_of;
using testing::MemoryEventLog;

// Keeps what it takes, and where the lanes are: as an index does.
class Collector final : public LaneConsumer {
 public:
  struct Kept {
    std::map<std::string, std::vector<std::int64_t>> numbers;  // by key, with those that came again
    std::set<std::int64_t> offsets;
    std::map<std::int32_t, std::int64_t> next;
    std::map<std::int32_t, std::int64_t> through;
    std::mutex mutex;
  };
  explicit Collector(Kept& kept) : kept_(kept) {}
  Task<Result<std::vector<LaneStart>>> begin(std::vector<std::int32_t> ours, std::vector<LaneBounds>,
                                             SteadyTime) override {
    const std::lock_guard lock(kept_.mutex);
    std::vector<LaneStart> starts;
    for (const std::int32_t lane : ours) starts.push_back({lane, kept_.next[lane]});
    co_return starts;
  }
  Task<Result<std::vector<RefusedEvent>>> deliver(const LaneDelivery& delivery, SteadyTime) override {
    const std::lock_guard lock(kept_.mutex);
    for (const LaneEvents& lane : delivery.lanes) {
      for (const Event& event : lane.events) {
        kept_.numbers[event.key].push_back(event.number);
        kept_.offsets.insert(event.offset.value);
      }
      kept_.next[lane.lane] = std::max(kept_.next[lane.lane], lane.next);
      kept_.through[lane.lane] = std::max(kept_.through[lane.lane], lane.through.value);
    }
    co_return std::vector<RefusedEvent>();
  }

 private:
  Kept& kept_;
};

class KafkaEvents : public ::testing::Test {
 protected:
  static constexpr std::int32_t kPartitions = 4;

  KafkaEvents() : loops_(1) {
    const char* brokers = std::getenv("PARLEY_TEST_KAFKA_BROKERS");
    if (brokers != nullptr) client_.brokers = brokers;
    loops_.start();
  }
  ~KafkaEvents() override { loops_.stop(); }
  void SetUp() override {
    if (client_.brokers.empty()) GTEST_SKIP() << "PARLEY_TEST_KAFKA_BROKERS is not set";
    topic_ = "test-" + std::to_string(std::random_device()()) + ".events";
    auto cluster = kafka::Cluster::open(client_);
    ASSERT_TRUE(cluster);
    auto made =
        (*cluster)->ensure_topics({{.name = topic_, .partitions = kPartitions, .replication = 1, .settings = {}},
                                   {.name = topic_ + ".dead_letters", .replication = 1, .settings = {}}},
                                  in_time());
    ASSERT_TRUE(made) << made.error().detail;
  }
  static SteadyTime in_time() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

  struct Relaying {
    Relaying(KafkaEvents& over, EventLog& log, RelayLease& lease)
        : test(over),
          producer({.client = over.client_, .transactional_id = over.topic_}),
          relay({.loop = over.loops_.at(0),
                 .log = log,
                 .publisher = producer,
                 .lease = lease,
                 .clock = over.clock_,
                 .metrics = over.metrics_},
                {.topic = over.topic_, .users_topic = {}, .source = "/parley/messaging", .batch_limit = 50}) {
      over.on_loop([this] { relay.start(); });
    }
    ~Relaying() {
      std::promise<void> done;
      test.loops_.at(0).post([&] { relay.stop([&] { done.set_value(); }); });
      done.get_future().wait();
    }
    KafkaEvents& test;
    kafka::Producer producer;
    KafkaRelay relay;
  };
  struct Reading {
    Reading(KafkaEvents& over, Collector::Kept& kept)
        : test(over),
          collector(kept),
          letters({.client = over.client_, .transactional_id = {}}),
          stream({.loop = over.loops_.at(0),
                  .consumer = collector,
                  .dead_letters = letters,
                  .make_source = [&over]() -> Result<std::unique_ptr<kafka::RecordSource>> {
                    auto made = kafka::GroupConsumer::open({.client = over.client_,
                                                            .topic = over.topic_,
                                                            .group = "group-" + over.topic_,
                                                            .session_timeout = std::chrono::milliseconds(6'000)});
                    if (!made) return fail(std::move(made.error()));
                    return std::move(*made);
                  },
                  .clock = over.clock_,
                  .metrics = over.metrics_},
                 {.topic = over.topic_, .batch_limit = 20}) {
      over.on_loop([this] { stream.start(); });
    }
    ~Reading() {
      std::promise<void> done;
      test.loops_.at(0).post([&] { stream.stop([&] { done.set_value(); }); });
      done.get_future().wait();
    }
    KafkaEvents& test;
    Collector collector;
    kafka::Producer letters;
    KafkaEventStream stream;
  };

  void on_loop(std::function<void()> act) {
    std::promise<void> done;
    loops_.at(0).post([&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }
  // Events of ten conversations, numbered within each.
  void append(std::int64_t count) {
    on_loop([&] {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t offset = log_.end.value + 1;
        const std::string key = "c" + std::to_string(offset % 10);
        log_.append(event_of(offset, key, ++numbers_[key]));
      }
    });
  }
  ::testing::AssertionResult comes_true(Collector::Kept& kept, std::function<bool()> condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      {
        const std::lock_guard lock(kept.mutex);
        if (condition()) return ::testing::AssertionSuccess();
        if (std::chrono::steady_clock::now() > end) {
          return ::testing::AssertionFailure() << "it did not come true; " << kept.offsets.size() << " events came";
        }
      }
      std::this_thread::yield();
    }
  }
  bool all_marked(const Collector::Kept& kept, std::int64_t through) const {
    return kept.through.size() == kPartitions &&
           std::ranges::all_of(kept.through, [&](const auto& lane) { return lane.second >= through; });
  }
  // Each conversation whole, and in order but for what came again, which goes back to where it goes on from.
  void expect_order(const Collector::Kept& kept) {
    for (const auto& [key, numbers] : kept.numbers) {
      std::int64_t most = 0;
      for (const std::int64_t number : numbers) {
        EXPECT_LE(number, most + 1) << key << ": something was skipped";
        most = std::max(most, number);
      }
      EXPECT_EQ(most, numbers_[key]) << key;
    }
  }

  kafka::ClientOptions client_;
  std::string topic_;
  SystemClock clock_;
  EventLoops loops_;
  Metrics metrics_;
  MemoryEventLog log_;
  OnlyRelay only_;
  std::map<std::string, std::int64_t> numbers_;
};

TEST_F(KafkaEvents, EachConversationComesInOrderAndWatermarksFollow) {
  append(200);
  Collector::Kept kept;
  Relaying relaying(*this, log_, only_);
  Reading reading(*this, kept);
  append(300);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 500 && all_marked(kept, 500); }));
  expect_order(kept);
  for (const auto& [key, numbers] : kept.numbers) EXPECT_EQ(numbers.size(), 50u) << "without repetitions";
}

TEST_F(KafkaEvents, AfterACrashBetweenPublishingAndSavingEventsComeAgainInOrder) {
  append(100);
  Collector::Kept kept;
  log_.save_failures = 0;
  {
    Relaying relaying(*this, log_, only_);
    Reading reading(*this, kept);
    ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 100; }));
  }
  on_loop([&] { log_.saved[KafkaRelay::kConsumer] = {40}; });  // what was saved before the crash
  append(50);
  Relaying again(*this, log_, only_);
  Reading reading(*this, kept);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 150 && all_marked(kept, 150); }));
  expect_order(kept);
}

TEST_F(KafkaEvents, ARelayThatWasPausedCannotPublishAfterAnotherTookOver) {
  kafka::Producer paused({.client = client_, .transactional_id = topic_});
  kafka::Producer present({.client = client_, .transactional_id = topic_});
  const auto ask = [&](Task<Result<>> task) { return run_on_loop(loops_.at(0), std::move(task)); };
  const auto batch = [&](std::int64_t offset) {
    return std::vector{record_of(event_of(offset, "c1"), topic_, "/parley/messaging")};
  };
  ASSERT_TRUE(ask(paused.take_over(in_time())));
  ASSERT_TRUE(ask(paused.publish(batch(1), in_time())));
  ASSERT_TRUE(ask(present.take_over(in_time())));
  const auto refused = ask(paused.publish(batch(2), in_time()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, kafka::kFenced) << refused.error().detail;
  ASSERT_TRUE(ask(present.publish(batch(3), in_time())));
  numbers_["c1"] = 0;
  Collector::Kept kept;
  Reading reading(*this, kept);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.contains(3); }));
  EXPECT_EQ(kept.offsets, (std::set<std::int64_t>{1, 3}));
}

// Two processes, one lease: the second takes over when the first is gone or loses it.
class PassedLease final : public RelayLease {
 public:
  explicit PassedLease(bool has) : has_(has) {}
  void set(bool has, std::int64_t token) {
    has_ = has;
    token_ = token;
  }
  Task<Result<std::optional<FencingToken>>> hold(SteadyTime) override {
    co_return has_ ? std::optional(FencingToken{token_}) : std::nullopt;
  }
  std::chrono::milliseconds renew_every() const override { return std::chrono::milliseconds(10); }
  Task<Result<>> release(SteadyTime) override { co_return Result<>(); }

 private:
  bool has_;
  std::int64_t token_ = 1;
};

TEST_F(KafkaEvents, TwoRelaysWithOneLeasePublishEachEventAndSkipNone) {
  PassedLease first(true), second(false);
  Collector::Kept kept;
  Relaying one(*this, log_, first);
  Relaying other(*this, log_, second);
  Reading reading(*this, kept);
  append(100);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 100; }));
  for (int turn = 0; turn < 4; ++turn) {
    append(50);
    on_loop([&] {
      first.set(turn % 2 == 1, turn + 2);
      second.set(turn % 2 == 0, turn + 2);
    });
    append(50);
    ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == static_cast<std::size_t>(200 + 100 * turn); }));
  }
  ASSERT_TRUE(comes_true(kept, [&] { return all_marked(kept, 500); }));
  expect_order(kept);
}

TEST_F(KafkaEvents, MembersThatComeAndGoLoseNothing) {
  Collector::Kept kept;
  Relaying relaying(*this, log_, only_);
  auto first = std::make_unique<Reading>(*this, kept);
  append(200);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 200; }));
  auto second = std::make_unique<Reading>(*this, kept);
  append(300);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 500; }));
  append(100);
  first.reset();
  append(300);
  ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 900 && all_marked(kept, 900); }));
  expect_order(kept);
}

TEST_F(KafkaEvents, RecordsThatAreNoEventsGoToTheDeadLetters) {
  kafka::Producer stranger({.client = client_, .transactional_id = {}});
  ASSERT_TRUE(run_on_loop(loops_.at(0), stranger.take_over(in_time())));
  ASSERT_TRUE(run_on_loop(
      loops_.at(0),
      stranger.publish({{.topic = topic_, .partition = 1, .key = "k", .value = "garbage", .headers = {}}}, in_time())));
  append(20);
  Collector::Kept kept;
  Relaying relaying(*this, log_, only_);
  {
    Reading reading(*this, kept);
    ASSERT_TRUE(comes_true(kept, [&] { return kept.offsets.size() == 20 && all_marked(kept, 20); }));
  }
  auto reader =
      kafka::GroupConsumer::open({.client = client_, .topic = topic_ + ".dead_letters", .group = "letters-" + topic_});
  ASSERT_TRUE(reader);
  for (const SteadyTime end = in_time(); std::chrono::steady_clock::now() < end;) {
    auto polled = (*reader)->poll(std::chrono::milliseconds(100));
    ASSERT_TRUE(polled) << polled.error().detail;
    if (std::holds_alternative<kafka::Assigned>(*polled)) ASSERT_TRUE((*reader)->read_from({{0, 0}}));
    const auto* record = std::get_if<kafka::InRecord>(&*polled);
    if (record == nullptr) continue;
    EXPECT_EQ(record->value, "garbage");
    EXPECT_THAT(record->headers, ::testing::Contains(::testing::Pair(kReasonHeader, "the value is no JSON object")));
    return;
  }
  FAIL() << "no dead letter came";
}

}  // namespace
}  // namespace parley::events
