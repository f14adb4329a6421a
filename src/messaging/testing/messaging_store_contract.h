// The contract that every messaging store must keep, as a GoogleTest suite over its adapters. An adapter's test links
// the
// *_contract.cc files and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, MessagingStoreContract, testing::Values(make_sqlite_store), …);
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "events/event_log.h"
#include "messaging/messaging_scan.h"
#include "messaging/messaging_store.h"

namespace parley::messaging::testing {

// A store of one adapter in a place of its own, which goes with it. It lets a conversation have so many members:
inline constexpr std::int64_t kMembersUnderTest = 60;
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual MessagingStore& store() = 0;
  virtual MessagingScan& scan() = 0;
  virtual events::EventLog& log() = 0;
  // Closes the store and opens it again, as a restart does.
  virtual void reopen() = 0;
  // Whatever the adapter can find wrong with its own data; empty when all is well. On `loop`.
  virtual std::vector<std::string> problems(EventLoop& loop) = 0;
};
// Null where the adapter's engine is not at hand: the test is skipped.
using MakeStore = std::unique_ptr<StoreUnderTest> (*)(const Clock&, Random&);

// Members call the port on an event loop and wait; tenant "acme" unless said otherwise.
class MessagingStoreContract : public ::testing::TestWithParam<MakeStore> {
 protected:
  MessagingStoreContract();
  // A store that holds together at the end of every test is part of the contract.
  ~MessagingStoreContract() override;
  void SetUp() override;

  static Caller user(const char* id, const char* tenant = "acme");
  static Caller tenant_admin(const char* id, const char* tenant = "acme");
  static Caller service(const char* id, const char* tenant = "acme");

  template <class T>
  T wait(Task<T> task, std::size_t loop = 0) {
    return run_on_loop(loops_.at(loop), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  MessagingStore& store() { return under_test_->store(); }
  MessagingScan& scan() { return under_test_->scan(); }
  events::EventLog& log() { return under_test_->log(); }
  void reopen() { under_test_->reopen(); }

  Conversation make_group(const Caller& owner, const char* id, std::vector<const char*> members = {});
  Conversation make_direct(const Caller& caller, const char* other);
  Conversation make_imported(const char* id);  // by service("importer")

  Result<Written<Message>> send(const Caller& caller, const char* conversation, std::string content);
  Result<Written<Message>> send(const Caller& caller, SendMessage command);
  Message sent(const Caller& caller, const char* conversation, std::string content);
  // What media would tell of the files included.
  static SendMessage with_files(const char* conversation, std::vector<FileId> files, std::string content);
  Message attached(const Caller& caller, const char* conversation, std::vector<FileId> files,
                   std::string content = "look");
  std::int64_t forget(std::vector<FileId> files, const char* tenant = "acme");
  bool readable(const Caller& caller, const FileId& file);
  Message replied(const Caller& caller, const Message& to, std::string content);
  Result<Written<Message>> edit(const Caller& caller, const Message& message, std::string content,
                                VersionGuard guard = {});
  Result<Written<Message>> remove(const Caller& caller, const Message& message, VersionGuard guard = {});
  Result<Written<ReactionSummary>> react(const Caller& caller, const Message& message, std::string reaction);
  Result<Written<ReactionSummary>> unreact(const Caller& caller, const Message& message, std::string reaction);
  Result<Message> get(const Caller& caller, const Message& message);
  Result<Conversation> conversation(const Caller& caller, const char* id);
  Result<MessagePage> page(const Caller& caller, ListMessages query);
  Result<MessagePage> around(const Caller& caller, const char* conversation, Seq seq, std::size_t limit);
  Result<MessagePage> replies(const Caller& caller, const Message& root, SeqOrder order = SeqOrder::kNewestFirst,
                              std::optional<Seq> from = {}, std::size_t limit = 50);
  Result<Page<MessageVersion>> versions(const Caller& caller, const Message& message, std::optional<Version> below = {},
                                        std::size_t limit = 50);
  Result<Page<Conversation>> conversations(const Caller& caller, std::size_t limit = 50,
                                           std::optional<ConversationListPoint> after = {});
  Result<Page<Member>> members(const Caller& caller, const char* conversation, std::size_t limit = 50,
                               std::optional<MemberListPoint> after = {});
  Result<Written<Conversation>> create(const Caller& caller, CreateConversation command);
  Result<Written<Conversation>> update(const Caller& caller, UpdateConversation command);
  Result<Written<Nothing>> drop(const Caller& caller, const char* conversation, VersionGuard guard = {});
  Result<Written<Member>> add(const Caller& caller, const char* conversation, const char* who,
                              std::optional<MemberRole> role = {});
  Result<Written<Nothing>> leave(const Caller& caller, const char* conversation, const char* who);
  Result<Written<Member>> rank(const Caller& caller, const char* conversation, const char* who, MemberRole role);
  Result<Written<ReadState>> read(const Caller& caller, const char* conversation, Seq seq);
  std::int64_t unread(const Caller& caller, const char* conversation);
  Result<Written<User>> see(const Caller& caller);
  Result<Written<ImportSummary>> import(const Caller& caller, const char* conversation,
                                        std::vector<ImportedMessage> messages);
  static ImportedMessage line(std::int64_t number, const char* external_id, const char* author, std::string content);
  std::vector<events::Event> all_events();
  std::vector<std::string> event_types(const char* key);

  ManualClock clock_;
  SeededRandom random_;
  EventLoops loops_;
  std::unique_ptr<StoreUnderTest> under_test_;
};

// EXPECT_THAT(result, FailsWith("not_found"));
MATCHER_P(FailsWith, code, "") {
  if (arg.has_value()) {
    *result_listener << "which is a value";
    return false;
  }
  *result_listener << "which failed with " << arg.error().code;
  return arg.error().code == std::string(code);
}
// EXPECT_THAT(result, IsInvalid("/seq"));
MATCHER_P(IsInvalid, path, "") {
  if (arg.has_value()) return false;
  *result_listener << "which failed with " << arg.error().code;
  return arg.error().kind == ErrorKind::kInvalid && arg.error().fields.size() == 1 &&
         arg.error().fields.front().path == std::string(path);
}

std::vector<Seq> seqs_of(const std::vector<Message>& messages);

}  // namespace parley::messaging::testing
