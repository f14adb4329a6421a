// SqliteMessagingStore: messaging's data in one SQLite database in a folder of its own (DIR/messaging), which it locks.
// Writes go through one thread that commits in groups; reads run on a small pool. Made and owned by app/, which
// destroys it before the event loops that used it. open() fails (unavailable) when the folder is in use, is not ours,
// or was written by a newer program.
#pragma once
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/sqlite/folder.h"
#include "drivers/sqlite/group_writer.h"
#include "drivers/sqlite/reader_pool.h"
#include "events/position.h"
#include "events/sqlite_event_log.h"
#include "messaging/messaging_scan.h"
#include "messaging/messaging_store.h"
#include "messaging/stores/sqlite_check.h"
#include "messaging/stores/sqlite_writes.h"

namespace parley::messaging {

inline constexpr const char* kMessagingDatabase = "messaging.db";

class SqliteMessagingStore final : public MessagingStore, public MessagingScan {
 public:
  struct Options {
    std::filesystem::path folder;
    std::size_t reader_threads = 4;
    std::size_t reader_queue_limit = 1024;
    std::size_t writer_queue_limit = 4096;
    std::size_t batch_limit = 128;
    std::size_t max_wal_bytes = 64 * 1024 * 1024;
    std::int64_t max_members = 5000;  // of a conversation; 0: any number
    sqlite::WriterObserver* observer = nullptr;
  };
  // clock and random must outlive the store; random is used on the writer's thread only.
  static Result<std::unique_ptr<SqliteMessagingStore>> open(Options options, const Clock& clock, Random& random);

  events::EventLog& event_log() { return log_; }
  std::size_t writes_queued() const { return writer_.queued(); }
  std::size_t reads_queued() const { return readers_.queued(); }

  // To be called now and then: takes what was said out of messages of deleted conversations, at most `limit` at a time
  // so that senders do not wait. Answers how many messages it went through; 0 when nothing is left to do. (That nobody
  // can read them is so from the deletion on.)
  Task<Result<std::int64_t>> erase_deleted(std::int64_t limit, SteadyTime deadline);

  // Whole-store work on a reader's thread; long, so give it a long deadline.
  Task<Result<CheckReport>> check(SteadyTime deadline);
  // A snapshot as a database file of its own; writes go on meanwhile.
  Task<Result<>> backup(std::filesystem::path target, SteadyTime deadline);

  Task<Result<Written<Message>>> send_message(Caller caller, SendMessage command, SteadyTime deadline) override;
  Task<Result<Written<Message>>> edit_message(Caller caller, EditMessage command, SteadyTime deadline) override;
  Task<Result<Written<Message>>> delete_message(Caller caller, DeleteMessage command, SteadyTime deadline) override;
  Task<Result<Message>> get_message(Caller caller, MessageId message_id, SteadyTime deadline) override;
  Task<Result<MessagePage>> list_messages(Caller caller, ListMessages query, SteadyTime deadline) override;
  Task<Result<MessagePage>> messages_around(Caller caller, MessagesAround query, SteadyTime deadline) override;
  Task<Result<MessagePage>> list_replies(Caller caller, ListReplies query, SteadyTime deadline) override;
  Task<Result<Page<MessageVersion>>> list_versions(Caller caller, ListVersions query, SteadyTime deadline) override;
  Task<Result<Written<ReactionSummary>>> add_reaction(Caller caller, React command, SteadyTime deadline) override;
  Task<Result<Written<ReactionSummary>>> remove_reaction(Caller caller, React command, SteadyTime deadline) override;

  Task<Result<Written<Conversation>>> create_conversation(Caller caller, CreateConversation command,
                                                          SteadyTime deadline) override;
  Task<Result<Conversation>> get_conversation(Caller caller, ConversationId conversation_id,
                                              SteadyTime deadline) override;
  Task<Result<Page<Conversation>>> list_conversations(Caller caller, ListConversations query,
                                                      SteadyTime deadline) override;
  Task<Result<Written<Conversation>>> update_conversation(Caller caller, UpdateConversation command,
                                                          SteadyTime deadline) override;
  Task<Result<Written<Nothing>>> delete_conversation(Caller caller, DeleteConversation command,
                                                     SteadyTime deadline) override;

  Task<Result<Written<Member>>> add_member(Caller caller, AddMember command, SteadyTime deadline) override;
  Task<Result<Written<Nothing>>> remove_member(Caller caller, RemoveMember command, SteadyTime deadline) override;
  Task<Result<Written<Member>>> set_member_role(Caller caller, SetMemberRole command, SteadyTime deadline) override;
  Task<Result<Page<Member>>> list_members(Caller caller, ListMembers query, SteadyTime deadline) override;
  Task<Result<Written<ReadState>>> set_read_mark(Caller caller, SetReadMark command, SteadyTime deadline) override;

  Task<Result<Written<User>>> see_user(Caller caller, SteadyTime deadline) override;
  Task<Result<Written<User>>> update_user(Caller caller, UpdateUser command, SteadyTime deadline) override;
  Task<Result<User>> get_user(Caller caller, UserId user_id, SteadyTime deadline) override;

  Task<Result<Page<ConversationId>>> get_scope(Caller caller, std::size_t limit, SteadyTime deadline) override;
  Task<Result<LookedUp>> look_up(Caller caller, LookUp query, SteadyTime deadline) override;
  Task<Result<bool>> may_read_file(Caller caller, FileId file, SteadyTime deadline) override;
  Task<Result<std::int64_t>> forget_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) override;

  Task<Result<Written<ImportSummary>>> import_messages(Caller caller, ImportMessages command,
                                                       SteadyTime deadline) override;
  Task<Result<>> ping(SteadyTime deadline) override;

  Task<Result<Page<TenantId>>> scan_tenants(std::optional<TenantId> after, std::size_t limit,
                                            SteadyTime deadline) override;
  Task<Result<Page<ScannedConversation>>> scan_conversations(TenantId tenant, std::optional<ConversationId> after,
                                                             std::size_t limit, SteadyTime deadline) override;
  Task<Result<Page<Message>>> scan_messages(TenantId tenant, ConversationId conversation, Seq after, std::size_t limit,
                                            SteadyTime deadline) override;
  Task<Result<Page<User>>> scan_users(TenantId tenant, std::optional<UserId> after, std::size_t limit,
                                      SteadyTime deadline) override;

 private:
  SqliteMessagingStore(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection,
                       const events::PositionCodec::Secret& secret, const Options& options, const Clock& clock,
                       Random& random);

  template <class T, class Command>
  Task<Result<Written<T>>> write(Caller caller, Command command, SteadyTime deadline,
                                 Result<Committed<T>> (*act)(WriteContext&, const Command&));
  template <class T, class Query>
  Task<Result<T>> read(Caller caller, Query query, SteadyTime deadline,
                       Result<T> (*answer)(sqlite::Connection&, const Caller&, const Query&));

  const sqlite::LockedFolder folder_;
  const Clock& clock_;
  const std::int64_t max_members_;
  const events::PositionCodec positions_;
  IdSource ids_;  // on the writer's thread
  events::CommitSignal signal_;
  sqlite::ReaderPool readers_;
  sqlite::GroupWriter writer_;
  events::SqliteEventLog log_;
};

}  // namespace parley::messaging
