// The MongoDB store against a real server: the contract, and what only several processes can do to it.
#include "messaging/stores/mongo_messaging_store.h"

#include <set>
#include <thread>

#include "drivers/mongo/temp_database.h"
#include "messaging/stores/mongo_check.h"
#include "messaging/stores/mongo_documents.h"
#include "messaging/testing/messaging_store_contract.h"
#include "messaging/testing/mongo_problems.h"

namespace parley::messaging {
namespace {

using testing::MessagingStoreContract;

MongoMessagingStore::Options options_for(const mongo::TempDatabase& database) {
  return {.connection = database.options(),
          .reader_threads = 4,
          .writer_lanes = 4,
          .max_members = testing::kMembersUnderTest};
}

std::unique_ptr<MongoMessagingStore> open_store(const mongo::TempDatabase& database, const Clock& clock,
                                                Random& random) {
  auto opened = MongoMessagingStore::open(options_for(database), clock, random);
  CHECK(opened.has_value());
  return std::move(*opened);
}

std::vector<std::string> problems_of(const mongo::TempDatabase& database) {
  SystemClock clock;
  auto pool = mongo::ClientPool::open(database.options(1), clock);
  CHECK(pool.has_value());
  std::vector<std::string> problems;
  const auto checked = mongo::with_database(**pool, clock.steady_now() + std::chrono::seconds(30),
                                            [&](mongo::Database& db) { problems = testing::find_mongo_problems(db); });
  if (!checked) problems.push_back(checked.error().detail);
  const auto report = check_messaging_in_mongodb(**pool);
  if (!report) problems.push_back(report.error().detail);
  if (report) std::ranges::copy(report->problems, std::back_inserter(problems));
  return problems;
}

class MongoUnderTest final : public testing::StoreUnderTest {
 public:
  MongoUnderTest(const Clock& clock, Random& random) : clock_(clock), random_(random) { reopen(); }
  MessagingStore& store() override { return *store_; }
  MessagingScan& scan() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  void reopen() override {
    store_.reset();
    store_ = open_store(database_, clock_, random_);
  }
  std::vector<std::string> problems(EventLoop&) override { return problems_of(database_); }

 private:
  const Clock& clock_;
  Random& random_;
  mongo::TempDatabase database_;
  std::unique_ptr<MongoMessagingStore> store_;
};

std::unique_ptr<testing::StoreUnderTest> make_mongo_store(const Clock& clock, Random& random) {
  return mongo::test_uri() ? std::make_unique<MongoUnderTest>(clock, random) : nullptr;
}

// Two processes on one database.
class MongoMessagingStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!mongo::test_uri()) GTEST_SKIP() << mongo::kNoTestServer;
    loops_.start();
    database_.emplace();
    stores_[0] = open_store(*database_, clock_, randoms_[0]);
    stores_[1] = open_store(*database_, clock_, randoms_[1]);
  }
  void TearDown() override {
    if (!database_) return;
    for (auto& store : stores_) store.reset();
    EXPECT_THAT(problems_of(*database_), ::testing::IsEmpty());
    loops_.stop();
  }
  template <class T>
  T wait(Task<T> task, std::size_t loop = 0) {
    return run_on_loop(loops_.at(loop), std::move(task));
  }
  static Caller user(const char* id) {
    return {.tenant = TenantId("acme"), .user = UserId(id), .roles = {}, .name = {}};
  }
  SteadyTime soon() const { return clock_.steady_now() + std::chrono::seconds(60); }
  void make_group(const char* id, std::vector<const char*> members) {
    CreateConversation command;
    command.id = ConversationId(id);
    for (const char* member : members) command.members.emplace_back(member);
    ASSERT_TRUE(wait(stores_[0]->create_conversation(user("u1"), command, soon())));
  }
  static SendMessage text(const char* conversation, std::string content) {
    SendMessage command;
    command.conversation_id = ConversationId(conversation);
    command.content = std::move(content);
    return command;
  }
  // `act` on many threads at once, half of them on each process; `t` counts them.
  void at_once(std::size_t threads, const std::function<void(MongoMessagingStore&, std::size_t t)>& act) {
    std::vector<std::thread> running;
    for (std::size_t t = 0; t < threads; ++t) running.emplace_back([&, t] { act(*stores_[t % 2], t); });
    for (auto& thread : running) thread.join();
  }

  SystemClock clock_;
  SecureRandom randoms_[2];
  EventLoops loops_{2};
  std::optional<mongo::TempDatabase> database_;
  std::unique_ptr<MongoMessagingStore> stores_[2];
};

TEST_F(MongoMessagingStoreTest, ProcessesGiveDenseSeqsBetweenThem) {
  make_group("c", {"u2"});
  make_group("d", {"u2"});
  constexpr int kEach = 25;
  std::mutex mutex;
  std::map<std::string, std::set<Seq>> seqs;
  at_once(6, [&](MongoMessagingStore& store, std::size_t t) {
    for (int i = 0; i < kEach; ++i) {
      const char* const to = (t / 2 + static_cast<std::size_t>(i)) % 2 ? "c" : "d";
      const auto sent = wait(store.send_message(user(t % 2 ? "u1" : "u2"), text(to, "x"), soon()), t % 2);
      ASSERT_TRUE(sent) << sent.error().detail;
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(seqs[to].insert(sent->value.seq).second);
    }
  });
  std::size_t all = 0;
  for (const auto& [to, given] : seqs) {
    all += given.size();
    EXPECT_EQ(*given.rbegin(), static_cast<Seq>(given.size())) << to;
  }
  EXPECT_EQ(all, 6u * kEach);
}

// Each thing that is damaged is named, with its conversation.
TEST_F(MongoMessagingStoreTest, TheCheckFindsWhatWasDamaged) {
  for (const char* id : {"whole", "seqs", "events", "members", "tombstone"}) {
    make_group(id, {"u2"});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(wait(stores_[0]->send_message(user("u1"), text(id, "x"), soon())));
  }
  auto pool = mongo::ClientPool::open(database_->options(1), clock_);
  ASSERT_TRUE(pool);
  const auto well = check_messaging_in_mongodb(**pool);
  ASSERT_TRUE(well);
  EXPECT_THAT(well->problems, ::testing::IsEmpty());
  EXPECT_EQ(well->conversations, 5);
  EXPECT_EQ(well->messages, 15);
  EXPECT_EQ(well->open_numbers, 0);

  const auto damage = [&](const std::function<void(mongo::Database&)>& act) {
    ASSERT_TRUE(mongo::with_database(**pool, soon(), act));
  };
  const auto of = [](const char* id) { return mongodb::conversation_key(TenantId("acme"), ConversationId(id)); };
  using mongo::make_document;
  damage([&](mongo::Database& db) {
    ASSERT_EQ(db.delete_one("messages", make_document("conversation", mongo::Uuid{of("seqs")}, "seq", 2)), 1);
    ASSERT_EQ(db.delete_one("events", make_document("key", "events", "number", 4)), 1);
    ASSERT_EQ(db.delete_one("members", make_document("conversation", mongo::Uuid{of("members")}, "user", "u2")), 1);
    db.update_one("messages", make_document("conversation", mongo::Uuid{of("tombstone")}, "seq", 3),
                  make_document("$set", make_document("deleted_at", clock_.wall_now())));
  });
  const auto report = check_messaging_in_mongodb(**pool);
  ASSERT_TRUE(report);
  std::string all;
  for (const std::string& problem : report->problems) all += problem + "\n";
  EXPECT_EQ(report->open_numbers, 1);
  using ::testing::HasSubstr;
  EXPECT_THAT(all, HasSubstr("seqs are not dense, or miscounted: tenant acme, conversation seqs, last 3, messages 2"));
  EXPECT_THAT(all, HasSubstr("members are miscounted: tenant acme, conversation members, are 1 and 1 owners"));
  EXPECT_THAT(all, HasSubstr("a deleted message still says something: tenant acme, conversation tombstone"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("whole")));
  database_.emplace();  // what was damaged is not to be checked again
}

TEST_F(MongoMessagingStoreTest, AKeyHoldsAcrossProcesses) {
  make_group("c", {});
  std::mutex mutex;
  std::map<int, std::set<std::string>> ids;
  std::atomic<int> made{0};
  at_once(4, [&](MongoMessagingStore& store, std::size_t t) {
    for (int i = 0; i < 10; ++i) {
      SendMessage command = text("c", "same");
      command.idempotency_key = "k" + std::to_string(i);
      const auto sent = wait(store.send_message(user("u1"), command, soon()), t % 2);
      ASSERT_TRUE(sent) << sent.error().detail;
      made += sent->changed ? 1 : 0;
      const std::lock_guard lock(mutex);
      ids[i].insert(sent->value.id.value);
    }
  });
  EXPECT_EQ(made, 10);
  for (const auto& [key, given] : ids) EXPECT_EQ(given.size(), 1u);
}

TEST_F(MongoMessagingStoreTest, EventsOfAConversationStandInTheOrderOfItsSeqsForEveryReader) {
  make_group("c", {"u2"});
  at_once(4, [&](MongoMessagingStore& store, std::size_t t) {
    for (int i = 0; i < 15; ++i) {
      ASSERT_TRUE(wait(store.send_message(user(t % 2 ? "u1" : "u2"), text("c", "x"), soon()), t % 2));
    }
  });
  for (auto& store : stores_) {
    std::int64_t number = 0;
    events::LogOffset after;
    for (;;) {
      const auto batch = wait(store->event_log().read(after, 20, soon()));
      ASSERT_TRUE(batch);
      if (batch->events.empty()) break;
      for (const auto& event : batch->events) EXPECT_EQ(event.number, ++number);
      after = batch->through;
    }
    EXPECT_EQ(number, 3 + 4 * 15);
  }
}

TEST_F(MongoMessagingStoreTest, WhoIsRemovedWhileSendingHasSentBeforeOrNotAtAll) {
  make_group("c", {"u2"});
  for (int round = 0; round < 10; ++round) {
    at_once(2, [&](MongoMessagingStore& store, std::size_t t) {
      if (t == 0) {
        ASSERT_TRUE(wait(store.remove_member(user("u1"), {ConversationId("c"), UserId("u2")}, soon()), 0));
        return;
      }
      const auto sent = wait(store.send_message(user("u2"), text("c", "last words"), soon()), 1);
      if (!sent) EXPECT_EQ(sent.error().code, "not_found");
    });
    ASSERT_TRUE(wait(stores_[0]->add_member(user("u1"), {ConversationId("c"), UserId("u2"), {}}, soon())));
  }
  bool member = false;
  const auto batch = wait(stores_[1]->event_log().read({0}, 1'000, soon()));
  ASSERT_TRUE(batch);
  for (const auto& event : batch->events) {
    if (event.type == "member.added" && event.subject == "u2") member = true;
    if (event.type == "member.removed") member = false;
    if (event.type == "message.created") EXPECT_TRUE(member);
  }
}

TEST_F(MongoMessagingStoreTest, AFileIsDeletedBeforeOrAfterItIsAttached) {
  make_group("c", {});
  for (int round = 0; round < 8; ++round) {
    const FileId file("file-" + std::to_string(round));
    at_once(2, [&](MongoMessagingStore& store, std::size_t t) {
      if (t == 0) {
        ASSERT_TRUE(wait(store.forget_files(TenantId("acme"), {file}, soon()), 0));
        return;
      }
      SendMessage command = text("c", "look");
      command.attachments = {file};
      command.files = {{file, "name", 1, "text/plain"}};
      const auto sent = wait(store.send_message(user("u1"), command, soon()), 1);
      if (!sent) EXPECT_EQ(sent.error().kind, ErrorKind::kInvalid);
    });
  }
  const auto messages = wait(stores_[0]->scan_messages(TenantId("acme"), ConversationId("c"), 0, 100, soon()));
  ASSERT_TRUE(messages);
  for (const Message& message : messages->items) EXPECT_THAT(message.files, ::testing::IsEmpty());
}

TEST_F(MongoMessagingStoreTest, ADirectConversationOfAPairIsOneForAllProcesses) {
  std::mutex mutex;
  std::set<std::string> ids;
  at_once(6, [&](MongoMessagingStore& store, std::size_t t) {
    CreateConversation command;
    command.kind = ConversationKind::kDirect;
    command.members = {UserId(t % 2 ? "u1" : "u2")};
    const auto made = wait(store.create_conversation(user(t % 2 ? "u2" : "u1"), command, soon()), t % 2);
    ASSERT_TRUE(made) << made.error().detail;
    const std::lock_guard lock(mutex);
    ids.insert(made->value.id.value);
  });
  EXPECT_EQ(ids.size(), 1u);
}

TEST_F(MongoMessagingStoreTest, WhatADeletedConversationSaidIsErasedInPieces) {
  make_group("c", {});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(wait(stores_[0]->send_message(user("u1"), text("c", "secret"), soon())));
  ASSERT_TRUE(wait(stores_[0]->delete_conversation(user("u1"), {ConversationId("c"), {}}, soon())));
  EXPECT_EQ(wait(stores_[1]->erase_deleted(3, soon())), 3);
  EXPECT_EQ(wait(stores_[0]->erase_deleted(3, soon())), 2);
  EXPECT_EQ(wait(stores_[0]->erase_deleted(3, soon())), 0);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Mongo, MessagingStoreContract, ::testing::Values(make_mongo_store),
                         [](const auto&) { return std::string("Mongo"); });
}  // namespace testing

}  // namespace parley::messaging
