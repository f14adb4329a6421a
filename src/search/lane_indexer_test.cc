#include "search/lane_indexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/random.h"
#include "base/run_on_loop.h"
#include "search/reindexer.h"
#include "search/testing/chat_model.h"
#include "search/testing/memory_index.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

// A topic as it stands between a log and the indexer: two lanes, each conversation in one of them.
class LaneIndexerTest : public ::testing::Test {
 protected:
  static constexpr std::int32_t kLanes = 2;

  LaneIndexerTest() : loops_(1) {
    loops_.start();
    start();
  }
  ~LaneIndexerTest() override {
    stop();
    loops_.stop();
  }
  void start() {
    at_ = std::make_unique<Running>(*this);
    on_loop([this] { at_->indexer.start(); });
  }
  void stop() {
    if (!at_) return;
    std::promise<void> reindexer, indexer;
    loops_.at(0).post([&] { at_->reindexer.close([&] { reindexer.set_value(); }); });
    reindexer.get_future().wait();
    loops_.at(0).post([&] { at_->indexer.close([&] { indexer.set_value(); }); });
    indexer.get_future().wait();
    at_.reset();
  }
  void on_loop(std::function<void()> act) {
    std::promise<void> done;
    loops_.at(0).post([&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static SteadyTime in_time() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

  static std::int32_t lane_of(const std::string& key) { return key == "c1" ? 0 : 1; }
  // What the log has after `after`, published to the lanes.
  events::LaneDelivery published(std::int64_t after = 0) {
    events::LaneDelivery delivery{.lanes = {{.lane = 0}, {.lane = 1}}, .lane_count = kLanes};
    const auto batch = wait(chat_.read({after}, 10'000, in_time())).value();
    for (const events::Event& event : batch.events) {
      delivery.lanes[static_cast<std::size_t>(lane_of(event.key))].events.push_back(event);
    }
    for (auto& lane : delivery.lanes) {
      ends_[lane.lane] += static_cast<std::int64_t>(lane.events.size()) + 1;
      lane.next = ends_[lane.lane];
      lane.through = batch.through;
    }
    return delivery;
  }
  Result<std::vector<events::LaneStart>> begin(std::vector<std::int32_t> ours = {0, 1}) {
    std::vector<events::LaneBounds> all;
    for (std::int32_t lane = 0; lane < kLanes; ++lane) all.push_back({lane, first_[lane], ends_[lane]});
    return wait(at_->indexer.begin(std::move(ours), std::move(all), in_time()));
  }
  Result<std::vector<events::RefusedEvent>> deliver(const events::LaneDelivery& delivery) {
    return wait(at_->indexer.deliver(delivery, in_time()));
  }
  // Asks until the lanes are given; at most 20 s.
  std::vector<events::LaneStart> begun(std::vector<std::int32_t> ours = {0, 1}) {
    for (const SteadyTime end = in_time(); std::chrono::steady_clock::now() < end; std::this_thread::yield()) {
      auto starts = begin(ours);
      if (starts && !starts->empty()) return *starts;
    }
    return {};
  }
  void expect_index_is_store() {
    for (const char* conversation : {"c1", "c2"}) {
      EXPECT_THAT(index_.contents(TenantId("acme"), ConversationId(conversation)),
                  UnorderedElementsAreArray(chat_.contents(conversation)));
    }
  }
  std::int64_t through() { return at_->progress.through().value; }

  struct Running {
    explicit Running(LaneIndexerTest& over)
        : reindexer({.loop = over.loops_.at(0),
                     .index = over.index_,
                     .store = over.chat_,
                     .turn = turn,
                     .changes = over.changes_,
                     .metrics = over.index_metrics_,
                     .clock = over.clock_,
                     .random = over.random_},
                    {.step_size = 4, .retry_after = std::chrono::milliseconds(1), .tries = 5}),
          indexer({.loop = over.loops_.at(0),
                   .index = over.index_,
                   .turn = turn,
                   .store = reindexer,
                   .log = over.chat_,
                   .progress = progress,
                   .changes = over.changes_,
                   .metrics = over.index_metrics_,
                   .clock = over.clock_},
                  {.look_every = std::chrono::milliseconds(1)}) {}
    IndexTurn turn;
    IndexProgress progress;
    Reindexer reindexer;
    LaneIndexer indexer;
  };

  SystemClock clock_;
  EventLoops loops_;
  SeededRandom random_{1};
  Metrics metrics_;
  IndexMetrics index_metrics_{metrics_};
  ChangeFeed changes_{random_};
  ChatModel chat_{clock_};
  MemoryIndex index_;
  std::map<std::int32_t, std::int64_t> first_;
  std::map<std::int32_t, std::int64_t> ends_;
  std::unique_ptr<Running> at_;
};

TEST_F(LaneIndexerTest, ANewIndexBeginsWithTheLanes) {
  chat_.make_conversation("c1");
  chat_.make_conversation("c2");
  chat_.say("c1", "one");
  chat_.say("c2", "two");
  const auto delivery = published();
  const auto starts = begin();
  ASSERT_TRUE(starts);
  ASSERT_EQ(starts->size(), 2u);
  EXPECT_EQ(starts->at(0).next, 0);
  ASSERT_TRUE(deliver(delivery));
  expect_index_is_store();
  EXPECT_EQ(through(), chat_.end().value);
  EXPECT_THAT(index_.at_lanes, ElementsAre(::testing::Pair(0, LaneProgress{0, chat_.end(), ends_[0]}),
                                           ::testing::Pair(1, LaneProgress{1, chat_.end(), ends_[1]})));
}

TEST_F(LaneIndexerTest, ProgressIsThatOfTheLeastLane) {
  chat_.make_conversation("c1");
  chat_.make_conversation("c2");
  auto delivery = published();
  ASSERT_TRUE(begin());
  auto first = delivery;
  first.lanes.pop_back();
  ASSERT_TRUE(deliver(first));
  EXPECT_EQ(through(), 0);
  delivery.lanes.erase(delivery.lanes.begin());
  ASSERT_TRUE(deliver(delivery));
  EXPECT_EQ(through(), chat_.end().value);
}

TEST_F(LaneIndexerTest, GoesOnWhereTheIndexIsAfterARestart) {
  chat_.make_conversation("c1");
  const auto delivery = published();
  ASSERT_TRUE(begin());
  ASSERT_TRUE(deliver(delivery));
  stop();
  start();
  const auto starts = begin();
  ASSERT_TRUE(starts);
  EXPECT_EQ(starts->at(0).next, ends_[0]);
  EXPECT_EQ(through(), chat_.end().value);
}

TEST_F(LaneIndexerTest, RepeatedEventsChangeNothing) {
  chat_.make_conversation("c1");
  const MessageId message = chat_.say("c1", "one");
  const auto old = published();
  ASSERT_TRUE(begin());
  ASSERT_TRUE(deliver(old));
  chat_.remove("c1", message);
  ASSERT_TRUE(deliver(published(old.lanes[0].through.value)));
  ASSERT_TRUE(deliver(old));
  expect_index_is_store();
}

TEST_F(LaneIndexerTest, WhatTheIndexRefusesIsAnsweredWithItsReasonAndTheRestIsTaken) {
  chat_.make_conversation("c1");
  chat_.say("c1", "one");
  chat_.say("c1", "poison");
  chat_.say("c1", "two");
  const auto delivery = published();
  ASSERT_TRUE(begin());
  const auto refused = deliver(delivery);
  ASSERT_TRUE(refused);
  ASSERT_EQ(refused->size(), 1u);
  EXPECT_EQ(refused->front().event.type, "message.created");
  EXPECT_FALSE(refused->front().reason.empty());
  EXPECT_EQ(index_.letters.size(), 1u);
  EXPECT_EQ(through(), chat_.end().value);
}

TEST_F(LaneIndexerTest, AnIndexThatFailsTakesTheSameAgain) {
  chat_.make_conversation("c1");
  chat_.say("c1", "one");
  const auto delivery = published();
  ASSERT_TRUE(begin());
  index_.failures = 1;
  EXPECT_FALSE(deliver(delivery));
  EXPECT_EQ(through(), 0);
  ASSERT_TRUE(deliver(delivery));
  expect_index_is_store();
}

TEST_F(LaneIndexerTest, WhereTheTopicBeginsAfterTheIndexItIsBuiltFromTheStore) {
  chat_.make_conversation("c1");
  chat_.make_conversation("c2");
  chat_.say("c1", "one");
  chat_.say("c2", "two");
  (void)published();
  first_ = {{0, 2}, {1, 2}};  // Kafka has let go of what came before
  EXPECT_THAT(begin().value(), IsEmpty());
  const auto starts = begun();
  ASSERT_EQ(starts.size(), 2u);
  EXPECT_EQ(starts[0].next, ends_[0]);
  expect_index_is_store();
  EXPECT_EQ(through(), chat_.end().value);
}

TEST_F(LaneIndexerTest, WhereTheTopicEndsBeforeTheIndexItIsBuiltFromTheStore) {
  chat_.make_conversation("c1");
  chat_.say("c1", "one");
  on_loop([&] { index_.at_lanes = {{0, {0, {50}, 90}}, {1, {1, {50}, 90}}}; });
  (void)published();
  ASSERT_EQ(begun().size(), 2u);
  expect_index_is_store();
  EXPECT_EQ(index_.at_lanes[0].next, ends_[0]);
}

TEST_F(LaneIndexerTest, WhoHasNotLaneZeroWaitsForWhoHas) {
  chat_.make_conversation("c1");
  (void)published();
  first_ = {{0, 1}, {1, 1}};
  for (int i = 0; i < 3; ++i) EXPECT_THAT(begin({1}).value(), IsEmpty());
  EXPECT_EQ(index_.steps, 0);
  on_loop([&] {  // the other built it
    index_.at_lanes = {{0, {0, chat_.end(), ends_[0]}}, {1, {1, chat_.end(), ends_[1]}}};
  });
  EXPECT_EQ(begun({1}).size(), 1u);
}

TEST_F(LaneIndexerTest, EventsThatTheTopicNeverHadAreReadFromTheStore) {
  chat_.make_conversation("c1");
  chat_.say("c1", "before");
  const std::int64_t skipped = chat_.end().value;
  chat_.say("c1", "after");
  auto delivery = published(skipped);
  for (auto& lane : delivery.lanes) lane.skipped = {skipped};
  ASSERT_TRUE(begin());
  EXPECT_FALSE(deliver(delivery)) << "first the store is read";
  for (const SteadyTime end = in_time(); !deliver(delivery) && std::chrono::steady_clock::now() < end;) {
    std::this_thread::yield();
  }
  expect_index_is_store();
  EXPECT_EQ(through(), chat_.end().value);
}

TEST_F(LaneIndexerTest, ALogThatWasPutBackMeansTheStoreOnce) {
  chat_.make_conversation("c1");
  chat_.say("c1", "one");
  auto delivery = published();
  ASSERT_TRUE(begin());
  ASSERT_TRUE(deliver(delivery));
  const int steps = index_.steps;
  auto restarted = published(chat_.end().value);
  for (auto& lane : restarted.lanes) lane.restarted = true;
  EXPECT_FALSE(deliver(restarted));
  for (const SteadyTime end = in_time(); !deliver(restarted) && std::chrono::steady_clock::now() < end;) {
    std::this_thread::yield();
  }
  const int built = index_.steps;
  EXPECT_GT(built, steps);
  EXPECT_TRUE(deliver(restarted)) << "the same again is no other restart";
  EXPECT_EQ(index_.steps, built);
}

TEST_F(LaneIndexerTest, CachesHearOfWhatOtherProcessesWrite) {
  chat_.make_conversation("c1");
  (void)published();
  ASSERT_TRUE(begin({0}));
  const Changes before = wait(changes_.since("", 0, in_time()));
  on_loop([&] { index_.at_lanes[1] = {1, {3}, 3}; });
  const Changes after = wait(changes_.since(before.instance, before.through, in_time()));
  EXPECT_TRUE(after.all);
}

TEST_F(LaneIndexerTest, CachesHearWhichTenantsChanged) {
  chat_.make_conversation("c1");
  const auto delivery = published();
  ASSERT_TRUE(begin());
  const Changes before = wait(changes_.since("", 0, in_time()));
  ASSERT_TRUE(deliver(delivery));
  const Changes after = wait(changes_.since(before.instance, before.through, in_time()));
  EXPECT_FALSE(after.all);
  EXPECT_THAT(after.tenants, ElementsAre(TenantId("acme")));
}

}  // namespace
}  // namespace parley::search::testing
