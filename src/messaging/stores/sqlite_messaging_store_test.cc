#include "messaging/stores/sqlite_messaging_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "drivers/sqlite/temp_folder.h"
#include "messaging/stores/sqlite_schema.h"
#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging {
namespace {

using testing::MessagingStoreContract;

using sqlite::TempFolder;

class SqliteUnderTest final : public testing::StoreUnderTest {
 public:
  SqliteUnderTest(const Clock& clock, Random& random) : clock_(clock), random_(random) { open(); }
  MessagingStore& store() override { return *store_; }
  MessagingScan& scan() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  void reopen() override {
    store_.reset();
    open();
  }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto report = run_on_loop(loop, store_->check(SteadyTime::max()));
    return report ? report->problems : std::vector{report.error().detail};
  }

 private:
  void open() {
    auto opened = SqliteMessagingStore::open(
        {.folder = folder_.path() / "messaging", .reader_threads = 2, .max_members = testing::kMembersUnderTest},
        clock_, random_);
    CHECK(opened.has_value());
    store_ = std::move(*opened);
  }
  const Clock& clock_;
  Random& random_;
  TempFolder folder_;
  std::unique_ptr<SqliteMessagingStore> store_;
};

std::unique_ptr<testing::StoreUnderTest> make_sqlite_store(const Clock& clock, Random& random) {
  return std::make_unique<SqliteUnderTest>(clock, random);
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() : random_(1), loops_(1) { loops_.start(); }
  ~SqliteStoreTest() override {
    store_.reset();
    loops_.stop();
  }
  std::filesystem::path folder() const { return temp_.path() / "messaging"; }
  std::filesystem::path file() const { return folder() / kMessagingDatabase; }
  Result<std::unique_ptr<SqliteMessagingStore>> try_open() {
    return SqliteMessagingStore::open({.folder = folder(), .reader_threads = 1}, clock_, random_);
  }
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static Caller caller() { return {.tenant = TenantId("acme"), .user = UserId("u1"), .roles = {}, .name = {}}; }
  void make_talk(int messages) {
    CreateConversation command;
    command.id = ConversationId("c");
    ASSERT_TRUE(wait(store_->create_conversation(caller(), command, SteadyTime::max())));
    for (int i = 0; i < messages; ++i) {
      SendMessage send;
      send.conversation_id = ConversationId("c");
      send.content = "message " + std::to_string(i);
      ASSERT_TRUE(wait(store_->send_message(caller(), send, SteadyTime::max())));
    }
  }
  void damage(const char* sql) { sqlite::Connection({.file = file()}).exec(sql); }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    CHECK(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
  }

  TempFolder temp_;
  ManualClock clock_;
  SeededRandom random_;
  EventLoops loops_;
  std::unique_ptr<SqliteMessagingStore> store_;
};

TEST_F(SqliteStoreTest, ItsFolderIsPrivateAndOfOneServer) {
  open();
  EXPECT_EQ(mode_of(folder()), 0700u);
  EXPECT_EQ(mode_of(file()), 0600u);
  EXPECT_EQ(try_open().error().code, "folder_locked");
  store_.reset();
  EXPECT_TRUE(try_open());
}

TEST_F(SqliteStoreTest, AFileOfTheFirstSchemaIsBroughtForwardAndReadOn) {
  std::filesystem::create_directories(folder());
  {
    sqlite::Connection old({.file = file()});
    ASSERT_TRUE(sqlite::migrate(old, kMessagingApplicationId, messaging_migrations(), 1));
    old.exec(
        "INSERT INTO conversations(id, tenant, public_id, kind, created_by, created_at, updated_at) "
        "VALUES(1, 'acme', 'old', 0, 'u1', 5, 5);"
        "INSERT INTO conversation_state VALUES(1, 1, 1, 0, 1, 1, 6);"
        "INSERT INTO members VALUES(1, 'u1', 'acme', 3, 5, 0, 1);"
        "INSERT INTO messages(key, id, sender, content, created_at) "
        "VALUES(1 << 32 | 1, x'0192f3a17c007a3e8f000000000000c1', 'u1', 'from before', 6);");
  }
  open();
  const auto message =
      wait(store_->get_message(caller(), MessageId("0192f3a1-7c00-7a3e-8f00-0000000000c1"), SteadyTime::max()));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->content, "from before");
  SendMessage send;
  send.conversation_id = ConversationId("old");
  send.content = "and on";
  EXPECT_EQ(wait(store_->send_message(caller(), send, SteadyTime::max()))->value.seq, 2);
}

TEST_F(SqliteStoreTest, AFileOfANewerProgramOrOfAnotherRoleIsRefused) {
  std::filesystem::create_directories(folder());
  damage("PRAGMA application_id=1347570737; PRAGMA user_version=9999");
  EXPECT_EQ(try_open().error().code, "schema_too_new");
  damage("PRAGMA application_id=7; PRAGMA user_version=0");
  EXPECT_EQ(try_open().error().code, "not_our_file");
  std::filesystem::remove_all(folder());
  std::filesystem::create_directories(folder());
  std::ofstream(file()) << std::string(4096, 'x');
  EXPECT_EQ(try_open().error().code, "unavailable");
}

TEST_F(SqliteStoreTest, ABackupTakenUnderWritesIsAStoreOfItsOwn) {
  open();
  make_talk(50);
  const auto target = temp_.path() / "backup" / kMessagingDatabase;
  std::filesystem::create_directories(target.parent_path());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      SendMessage send;
      send.conversation_id = ConversationId("c");
      send.content = "meanwhile";
      ASSERT_TRUE(wait(store_->send_message(caller(), send, SteadyTime::max())));
    }
  });
  const auto done = wait(store_->backup(target, SteadyTime::max()));
  stop = true;
  writer.join();
  ASSERT_TRUE(done) << done.error().detail;
  const auto report = check_messaging_folder(target.parent_path());
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_THAT(report->problems, ::testing::IsEmpty());
  EXPECT_GE(report->messages, 50);
  EXPECT_EQ(report->conversations, 1);
  EXPECT_EQ(wait(store_->backup("/no such folder/x.db", SteadyTime::max())).error().code, "unavailable");
}

TEST_F(SqliteStoreTest, TheHostsCommandsWorkBesideARunningServerAndRefuseOtherFolders) {
  open();
  make_talk(3);
  EXPECT_EQ(check_messaging_folder(folder())->messages, 3);
  EXPECT_TRUE(backup_messaging_folder(folder(), temp_.path() / "copy.db"));
  EXPECT_FALSE(check_messaging_folder(temp_.path()));
  EXPECT_FALSE(backup_messaging_folder(temp_.path(), temp_.path() / "copy2.db"));
}

TEST_F(SqliteStoreTest, CheckNamesWhatIsWrong) {
  open();
  make_talk(5);
  store_.reset();
  const auto problem_after = [this](const char* sql, const char* mend) {
    damage(sql);
    const auto report = check_messaging_folder(folder());
    damage(mend);
    return report && !report->problems.empty() ? report->problems.front() : std::string();
  };
  using ::testing::StartsWith;
  EXPECT_THAT(problem_after("UPDATE messages SET key = key + 10 WHERE key & 255 = 5",
                            "UPDATE messages SET key = key - 10 WHERE key & 255 = 15"),
              StartsWith("seqs are not dense"));
  EXPECT_THAT(problem_after("UPDATE conversation_state SET live = 4", "UPDATE conversation_state SET live = 5"),
              StartsWith("live messages are miscounted"));
  EXPECT_THAT(
      problem_after("UPDATE conversation_state SET member_count = 2", "UPDATE conversation_state SET member_count = 1"),
      StartsWith("members are miscounted"));
  EXPECT_THAT(problem_after("UPDATE members SET accounted = 3", "UPDATE members SET accounted = 5"),
              StartsWith("unread is miscounted"));
  EXPECT_THAT(
      problem_after("UPDATE messages SET reply_count = 1 WHERE key & 255 = 1", "UPDATE messages SET reply_count = 0"),
      StartsWith("replies are miscounted"));
  EXPECT_THAT(problem_after("UPDATE messages SET reaction_total = 1 WHERE key & 255 = 1",
                            "UPDATE messages SET reaction_total = 0"),
              StartsWith("reactions are miscounted"));
  EXPECT_THAT(
      problem_after("UPDATE messages SET deleted_at = 1 WHERE key & 255 = 1; UPDATE conversation_state SET live = 4; "
                    "UPDATE members SET accounted = 4",
                    "UPDATE messages SET deleted_at = NULL; UPDATE conversation_state SET live = 5; "
                    "UPDATE members SET accounted = 5"),
      StartsWith("a deleted message still says something"));
  EXPECT_THAT(problem_after("UPDATE event_log SET number = 100 WHERE number = 7",
                            "UPDATE event_log SET number = 7 WHERE number = 100"),
              StartsWith("event numbers are not dense"));
  EXPECT_THAT(problem_after("UPDATE event_log SET type = 'x' WHERE number = 7",
                            "UPDATE event_log SET type = 'message.created' WHERE number = 7"),
              StartsWith("messages and their message.created events differ"));
  EXPECT_THAT(check_messaging_folder(folder())->problems, ::testing::IsEmpty());
}

TEST_F(SqliteStoreTest, CheckMissesNoLostVersionAndNoChangeWithoutItsEvent) {
  open();
  make_talk(3);
  const auto first = wait(store_->list_messages(caller(), {.conversation_id = ConversationId("c")}, SteadyTime::max()))
                         ->items.back()
                         .id;
  EditMessage edit{.message_id = first, .content = "another", .mentions = {}, .metadata = {}, .if_match = {}};
  ASSERT_TRUE(wait(store_->edit_message(caller(), edit, SteadyTime::max())));
  UpdateConversation rename{.conversation_id = ConversationId("c"), .name = std::optional<std::string>("a name")};
  ASSERT_TRUE(wait(store_->update_conversation(caller(), rename, SteadyTime::max())));
  ASSERT_TRUE(wait(store_->add_reaction(caller(), {first, "+1"}, SteadyTime::max())));
  store_.reset();
  EXPECT_THAT(check_messaging_folder(folder())->problems, ::testing::IsEmpty());
  const auto problem_after = [this](const char* sql, const char* mend) {
    damage(sql);
    const auto report = check_messaging_folder(folder());
    damage(mend);
    return report && !report->problems.empty() ? report->problems.front() : std::string();
  };
  using ::testing::StartsWith;
  EXPECT_THAT(problem_after("CREATE TABLE kept AS SELECT * FROM message_versions; DELETE FROM message_versions",
                            "INSERT INTO message_versions SELECT * FROM kept; DROP TABLE kept"),
              StartsWith("versions are not dense"));
  EXPECT_THAT(problem_after("UPDATE event_log SET type = 'x' WHERE type = 'message.edited'",
                            "UPDATE event_log SET type = 'message.edited' WHERE type = 'x'"),
              StartsWith("edits and deletions and their events differ"));
  EXPECT_THAT(problem_after("UPDATE event_log SET type = 'x' WHERE type = 'conversation.updated'",
                            "UPDATE event_log SET type = 'conversation.updated' WHERE type = 'x'"),
              StartsWith("changes of a conversation and their events differ"));
  EXPECT_THAT(problem_after("UPDATE event_log SET type = 'x' WHERE type = 'member.added'",
                            "UPDATE event_log SET type = 'member.added' WHERE type = 'x'"),
              StartsWith("members and their events differ"));
  EXPECT_THAT(problem_after("UPDATE members SET tenant = 'globex'", "UPDATE members SET tenant = 'acme'"),
              StartsWith("a member of another tenant"));
  EXPECT_THAT(problem_after("UPDATE messages SET reply_to = 99 << 32 | 1 WHERE key & 255 = 3",
                            "UPDATE messages SET reply_to = NULL"),
              StartsWith("a reply to no message of its conversation"));
  EXPECT_THAT(problem_after("INSERT INTO import_ids VALUES(1, 'x', 77)", "DELETE FROM import_ids"),
              StartsWith("an import id of no message"));
  EXPECT_THAT(check_messaging_folder(folder())->problems, ::testing::IsEmpty());
}

TEST_F(SqliteStoreTest, CheckHoldsAttachmentsAgainstTheFilesThatLeadToThem) {
  open();
  make_talk(1);
  SendMessage send;
  send.conversation_id = ConversationId("c");
  send.attachments = {FileId("f1"), FileId("f2")};
  ASSERT_TRUE(wait(store_->send_message(caller(), send, SteadyTime::max())));
  store_.reset();
  EXPECT_THAT(check_messaging_folder(folder())->problems, ::testing::IsEmpty());
  for (const auto& [sql, mend, problem] :
       {std::tuple{"DELETE FROM message_files WHERE place = 1",
                   "INSERT INTO message_files(message, place, file) VALUES(1 << 32 | 2, 1, 'f2')",
                   "an attachment that its file does not lead to"},
        std::tuple{"INSERT INTO message_files(message, place, file) VALUES(1 << 32 | 1, 0, 'f2')",
                   "DELETE FROM message_files WHERE message = 1 << 32 | 1", "a file that leads to no attachment"},
        std::tuple{"UPDATE messages SET attachments = NULL WHERE key = 1 << 32 | 2",
                   "UPDATE messages SET attachments = json_array('f1', 'f2') WHERE key = 1 << 32 | 2",
                   "a file that leads to no attachment"}}) {
    damage(sql);
    const auto report = check_messaging_folder(folder());
    damage(mend);
    ASSERT_TRUE(report && !report->problems.empty()) << sql;
    EXPECT_THAT(report->problems.front(), ::testing::StartsWith(problem));
  }
  EXPECT_THAT(check_messaging_folder(folder())->problems, ::testing::IsEmpty());
}

TEST_F(SqliteStoreTest, FilesOfADeletedConversationAreErasedWithItsMessages) {
  open();
  make_talk(1);
  SendMessage send;
  send.conversation_id = ConversationId("c");
  send.attachments = {FileId("f1")};
  ASSERT_TRUE(wait(store_->send_message(caller(), send, SteadyTime::max())));
  ASSERT_TRUE(wait(store_->delete_conversation(caller(), {ConversationId("c"), {}}, SteadyTime::max())));
  while (wait(store_->erase_deleted(100, SteadyTime::max())).value() > 0) {
  }
  store_.reset();
  EXPECT_THAT(check_messaging_folder(folder())->problems, ::testing::IsEmpty());
  EXPECT_EQ(sqlite::Connection({.file = file()}).query_int("SELECT count(*) FROM message_files"), 0);
}

TEST_F(SqliteStoreTest, CheckSeesAnIndexThatLostAnEntry) {
  open();
  make_talk(3);
  store_.reset();
  sqlite3* db = nullptr;  // without the driver's guards
  ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db,
                         "PRAGMA writable_schema = ON; CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = "
                         "'messages_by_id'; DELETE FROM sqlite_schema WHERE name = 'messages_by_id'; "
                         "PRAGMA writable_schema = RESET; DELETE FROM messages WHERE key & 255 = 2; "
                         "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; "
                         "PRAGMA writable_schema = RESET; DROP TABLE kept;",
                         nullptr, nullptr, nullptr),
            SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
  const auto report = check_messaging_folder(folder());
  ASSERT_TRUE(report);
  EXPECT_THAT(report->problems, ::testing::Contains(::testing::StartsWith("database pages: ")));
}

TEST_F(SqliteStoreTest, AThreadThatIsErasedInPiecesIsInOrderAtEachStep) {
  open();
  make_talk(2);
  const auto talk = [this] {
    return wait(store_->list_messages(caller(), {.conversation_id = ConversationId("c")}, SteadyTime::max()))->items;
  };
  const std::vector<Message> roots = talk();
  for (int i = 0; i < 4; ++i) {
    SendMessage send;
    send.conversation_id = ConversationId("c");
    send.content = "a reply";
    send.reply_to = roots.at(static_cast<std::size_t>(i % 2)).id;
    ASSERT_TRUE(wait(store_->send_message(caller(), send, SteadyTime::max())));
  }
  ASSERT_TRUE(wait(store_->delete_message(caller(), {roots.front().id, {}}, SteadyTime::max())));
  ASSERT_TRUE(wait(store_->delete_conversation(caller(), {ConversationId("c"), {}}, SteadyTime::max())));
  do {
    EXPECT_THAT(wait(store_->check(SteadyTime::max()))->problems, ::testing::IsEmpty());
  } while (*wait(store_->erase_deleted(1, SteadyTime::max())) > 0);
}

TEST_F(SqliteStoreTest, ADeletedConversationsNameAndTopicAreGoneFromTheLogToo) {
  open();
  CreateConversation command;
  command.id = ConversationId("c");
  command.name = "Project Falcon";
  command.metadata = R"({"case":"Falcon 7"})";
  ASSERT_TRUE(wait(store_->create_conversation(caller(), command, SteadyTime::max())));
  UpdateConversation update{.conversation_id = ConversationId("c"), .topic = std::optional<std::string>("the Falcon")};
  ASSERT_TRUE(wait(store_->update_conversation(caller(), update, SteadyTime::max())));
  ASSERT_TRUE(wait(store_->delete_conversation(caller(), {ConversationId("c"), {}}, SteadyTime::max())));
  const auto batch = wait(store_->event_log().read({}, 100, SteadyTime::max()));
  ASSERT_EQ(batch->events.size(), 4u);
  for (const auto& event : batch->events) EXPECT_THAT(event.data, ::testing::Not(::testing::HasSubstr("Falcon")));
  EXPECT_THAT(batch->events.front().data, ::testing::HasSubstr(R"("metadata":{})"));
  EXPECT_THAT(wait(store_->check(SteadyTime::max()))->problems, ::testing::IsEmpty());
  store_.reset();
  const std::string bytes = (std::ostringstream() << std::ifstream(file(), std::ios::binary).rdbuf()).str();
  EXPECT_EQ(bytes.find("Falcon"), std::string::npos);
}

TEST_F(SqliteStoreTest, ABackupNeverLiesBesideTheLogOfAnotherDatabase) {
  open();
  make_talk(1);
  const auto target = temp_.path() / "copy.db";
  std::ofstream(target.string() + "-wal") << "frames of the database that was here";
  EXPECT_FALSE(wait(store_->backup(target, SteadyTime::max())));
  EXPECT_FALSE(std::filesystem::exists(target));
  std::filesystem::remove(target.string() + "-wal");
  EXPECT_TRUE(wait(store_->backup(target, SteadyTime::max())));
}

TEST_F(SqliteStoreTest, ABackupThatCannotTakeItsPlaceIsAFailureAndNoMore) {
  open();
  make_talk(1);
  std::filesystem::create_directories(temp_.path() / "copy.db" / "in the way");
  EXPECT_FALSE(wait(store_->backup(temp_.path() / "copy.db", SteadyTime::max())));
  EXPECT_FALSE(backup_messaging_folder(folder(), temp_.path() / "copy.db"));
}

TEST_F(SqliteStoreTest, WhatADeletedConversationSaidIsErasedPieceByPiece) {
  open();
  make_talk(25);
  EXPECT_EQ(wait(store_->erase_deleted(10, SteadyTime::max())), 0);
  ASSERT_TRUE(wait(store_->delete_conversation(caller(), {ConversationId("c"), {}}, SteadyTime::max())));
  EXPECT_EQ(wait(store_->erase_deleted(10, SteadyTime::max())), 10);
  EXPECT_THAT(wait(store_->check(SteadyTime::max()))->problems, ::testing::IsEmpty());
  EXPECT_EQ(wait(store_->erase_deleted(10, SteadyTime::max())), 10);
  EXPECT_EQ(wait(store_->erase_deleted(10, SteadyTime::max())), 5);
  EXPECT_EQ(wait(store_->erase_deleted(10, SteadyTime::max())), 0);
  EXPECT_THAT(wait(store_->check(SteadyTime::max()))->problems, ::testing::IsEmpty());
  store_.reset();
  sqlite::Connection db({.file = file()});
  EXPECT_EQ(db.query_int("SELECT count(*) FROM messages WHERE content IS NOT NULL"), 0);
  EXPECT_EQ(db.query_int("SELECT count(*) FROM messages"), 25);
  const std::string bytes = (std::ostringstream() << std::ifstream(file(), std::ios::binary).rdbuf()).str();
  EXPECT_EQ(bytes.find("message 7"), std::string::npos);
}

TEST_F(SqliteStoreTest, UnreadIsRightOverALongTalkFromBothEnds) {
  open();
  make_talk(1);
  damage(
      "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      "INSERT INTO messages(key, id, sender, content, created_at) "
      "SELECT 1 << 32 | i, randomblob(16), 'u2', 'x', 5 FROM n;"
      "UPDATE conversation_state SET last_seq = 20000, live = 20000");
  store_.reset();
  open();
  auto list = wait(store_->list_conversations(caller(), {}, SteadyTime::max()));
  EXPECT_EQ(list->items.front().unread_count, 19999);
  EXPECT_EQ(wait(store_->set_read_mark(caller(), {ConversationId("c"), 15000}, SteadyTime::max()))->value.unread_count,
            5000);
  EXPECT_EQ(wait(store_->set_read_mark(caller(), {ConversationId("c"), 16000}, SteadyTime::max()))->value.unread_count,
            4000);
  EXPECT_EQ(wait(store_->set_read_mark(caller(), {ConversationId("c"), 20000}, SteadyTime::max()))->value.unread_count,
            0);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Sqlite, MessagingStoreContract, ::testing::Values(make_sqlite_store),
                         [](const auto&) { return std::string("Sqlite"); });
}  // namespace testing

}  // namespace parley::messaging
