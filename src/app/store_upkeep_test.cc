#include "app/store_upkeep.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "base/run_on_loop.h"
#include "messaging/stores/sqlite_messaging_store.h"

namespace parley::app {
namespace {

namespace fs = std::filesystem;
using namespace messaging;

SteadyTime soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(30);
}

class StoreUpkeepTest : public testing::Test {
 protected:
  StoreUpkeepTest() {
    folder = fs::temp_directory_path() / ("parley_upkeep_" + make_uuid_v7(clock.wall_now(), random));
    store = std::move(*SqliteMessagingStore::open({.folder = folder}, clock, random));
    loops.start();
  }
  ~StoreUpkeepTest() override {
    loops.stop();
    store.reset();
    fs::remove_all(folder);
  }

  bool shows(std::string_view line) const { return metrics.text().find(line) != std::string::npos; }
  // One round of upkeep at least, until the metrics have `line`.
  void run_until_shown(StoreUpkeep::Settings settings, std::string_view line) {
    std::optional<StoreUpkeep> upkeep;
    std::promise<void> closed;
    loops.at(0).post([&] {
      upkeep.emplace(loops.at(0),
                     StoreUpkeep::Store{"messaging", store->event_log(),
                                        [this](std::int64_t limit, SteadyTime deadline) {
                                          return store->erase_deleted(limit, deadline);
                                        }},
                     clock, metrics, settings);
      upkeep->start();
    });
    while (!shows(line)) std::this_thread::yield();
    loops.at(0).post([&] { upkeep->close([&closed] { closed.set_value(); }); });
    closed.get_future().wait();
  }

  const Caller caller{TenantId("acme"), UserId("u1"), {}, ""};
  SystemClock clock;
  SecureRandom random;
  fs::path folder;
  EventLoops loops{1};
  Metrics metrics;
  std::unique_ptr<SqliteMessagingStore> store;
};

Task<std::string> make_and_delete_conversation(SqliteMessagingStore& store, Caller caller) {
  CreateConversation create;
  create.id = ConversationId("c");
  if (!co_await store.create_conversation(caller, create, soon())) co_return "create";
  SendMessage send;
  send.conversation_id = ConversationId("c");
  send.content = "a secret to be erased";
  if (!co_await store.send_message(caller, send, soon())) co_return "send";
  if (!co_await store.delete_conversation(caller, DeleteConversation{ConversationId("c"), {}}, soon()))
    co_return "delete";
  co_return "";
}

TEST_F(StoreUpkeepTest, ErasesWhatDeletedConversationsSaidAndShowsTheLogsEnd) {
  ASSERT_EQ(run_on_loop(loops.at(0), make_and_delete_conversation(*store, caller)), "");
  ASSERT_TRUE(run_on_loop(loops.at(0), store->event_log().save_offset("reader", {1}, soon())));
  run_until_shown({}, "parley_event_log_lag{consumer=\"reader\",role=\"messaging\"} 3");
  EXPECT_TRUE(shows("parley_event_log_end{role=\"messaging\"} 4"));
  EXPECT_TRUE(shows("parley_event_log_events{role=\"messaging\"} 4"));
  EXPECT_TRUE(shows("parley_store_erased_messages_total{role=\"messaging\"} 1"));
  EXPECT_TRUE(shows("parley_store_upkeep_failures_total{role=\"messaging\"} 0"));
}

constexpr std::chrono::hours kNotAtAll{-1};

TEST_F(StoreUpkeepTest, EventsThatNobodyHasReadStayWhereAConsumerIsExpected) {
  ASSERT_EQ(run_on_loop(loops.at(0), make_and_delete_conversation(*store, caller)), "");
  run_until_shown({.events_kept = kNotAtAll}, "parley_event_log_events{role=\"messaging\"} 4");
  EXPECT_TRUE(shows("parley_event_log_pruned_total{role=\"messaging\"} 0"));
}

TEST_F(StoreUpkeepTest, EventsThatNobodyWillReadGoByAge) {
  ASSERT_EQ(run_on_loop(loops.at(0), make_and_delete_conversation(*store, caller)), "");
  run_until_shown({.events_kept = kNotAtAll, .consumers_expected = false},
                  "parley_event_log_events{role=\"messaging\"} 1");  // the last stays, always
  EXPECT_TRUE(shows("parley_event_log_pruned_total{role=\"messaging\"} 3"));
}

}  // namespace
}  // namespace parley::app
