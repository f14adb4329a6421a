// IndexingFixture: an indexer, a reindexer and an auditor over a ChatModel and a MemoryIndex, wired as app/ wires them;
// restart() makes them anew, as after a kill, over the same store and index. A scenario runs on the loop; steps wait
// for each other through it, and nothing sleeps.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "base/random.h"
#include "base/run_on_loop.h"
#include "search/index_audit.h"
#include "search/indexer.h"
#include "search/reindexer.h"
#include "search/testing/chat_model.h"
#include "search/testing/memory_index.h"

namespace parley::search::testing {

class IndexingFixture : public ::testing::Test {
 protected:
  IndexingFixture() : loops_(1) {
    loops_.start();
    start();
  }
  ~IndexingFixture() override {
    stop();
    loops_.stop();
  }

  void start() {
    at_ = std::make_unique<Running>(*this);
    on_loop([this] { at_->runner.start(); });
  }
  void stop() {
    if (!at_) return;
    std::promise<void> runner, reindexer, indexer;
    loops_.at(0).post([&] {
      at_->reindexer.close([&reindexer] { reindexer.set_value(); });
      at_->runner.stop([&runner] { runner.set_value(); });
    });
    runner.get_future().wait();
    reindexer.get_future().wait();
    loops_.at(0).post([&] { at_->indexer.close([&indexer] { indexer.set_value(); }); });
    indexer.get_future().wait();
    at_.reset();
  }
  void restart() {
    stop();
    start();
  }

  // Runs `act` on the loop, where the model and the index live, and waits for it.
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
  // Until the index has every event that the log has now.
  void caught_up() {
    events::LogOffset end;
    on_loop([&] { end = chat_.end(); });
    ASSERT_TRUE(wait(at_->progress.reached(end, in_time())));
  }
  static SteadyTime in_time() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

  // Waits for a reindex to end; answers how.
  ReindexState ended(const std::string& id) {
    for (;;) {
      const ReindexState state = wait(at_->reindexer.state(id, std::nullopt, in_time())).value();
      if (state.phase != ReindexPhase::kRunning) return state;
    }
  }
  std::string reindex(const char* tenant = "acme") {
    auto started = wait(at_->reindexer.start(TenantId(tenant), in_time()));
    EXPECT_TRUE(started) << started.error().detail;
    return started->state.id;
  }
  std::vector<std::string> indexed(const char* conversation, const char* tenant = "acme") {
    return index_.contents(TenantId(tenant), ConversationId(conversation));
  }
  void expect_index_is_store(const char* conversation, const char* tenant = "acme") {
    EXPECT_THAT(indexed(conversation, tenant),
                ::testing::UnorderedElementsAreArray(chat_.contents(conversation, tenant)))
        << tenant << ' ' << conversation;
  }

  struct Running {
    explicit Running(IndexingFixture& over)
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
                   .progress = progress,
                   .changes = over.changes_,
                   .metrics = over.index_metrics_,
                   .clock = over.clock_}),
          audit({.index = over.index_,
                 .store = over.chat_,
                 .log = over.chat_,
                 .progress = progress,
                 .reindex = reindexer,
                 .clock = over.clock_},
                {.page = 3}),
          runner(over.loops_.at(0), over.chat_, indexer, over.clock_,
                 {.batch_limit = 5, .retry_after = std::chrono::milliseconds(1)}) {}
    IndexTurn turn;
    IndexProgress progress;
    Reindexer reindexer;
    Indexer indexer;
    IndexAudit audit;
    events::ConsumerRunner runner;
  };

  SystemClock clock_;
  EventLoops loops_;
  SeededRandom random_{1};
  Metrics metrics_;
  IndexMetrics index_metrics_{metrics_};
  ChangeFeed changes_{random_};
  ChatModel chat_{clock_};
  MemoryIndex index_;
  std::unique_ptr<Running> at_;
};

}  // namespace parley::search::testing
