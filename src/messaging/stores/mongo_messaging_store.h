// MongoMessagingStore: messaging's data in one MongoDB database, which any number of processes share (ADR 24). Writes
// are grouped into transactions on a few threads, reads run in snapshots on others; the event log lies beside the data.
// Made and owned by app/, which destroys it before the event loops that used it. open() fails (unavailable) when
// MongoDB cannot be reached, refuses us, or stands alone and so has no transactions.
#pragma once
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/mongo/group_writer.h"
#include "drivers/mongo/reader_pool.h"
#include "events/mongo_event_log.h"
#include "events/position.h"
#include "events/relay_lease.h"
#include "messaging/id_source.h"
#include "messaging/messaging_scan.h"
#include "messaging/messaging_store.h"

namespace parley::messaging {

namespace mongodb {
template <class T>
struct Committed;
class WriteContext;
}  // namespace mongodb

class MongoMessagingStore final : public MessagingStore, public MessagingScan {
 public:
  struct Options {
    mongo::ConnectionOptions connection;  // its size follows from the threads
    std::size_t reader_threads = 16;
    std::size_t reader_queue_limit = 1024;
    std::size_t writer_lanes = 8;
    std::size_t writer_queue_limit = 4096;
    std::size_t batch_limit = 64;
    std::int64_t max_members = 5000;  // of a conversation; 0: any number
    events::MongoEventLog::Options log{};
    mongo::WriterObserver* observer = nullptr;
  };
  // clock and random must outlive the store; random is used under a lock. Blocks: not on an event loop.
  static Result<std::unique_ptr<MongoMessagingStore>> open(Options options, const Clock& clock, Random& random);
  ~MongoMessagingStore() override;

  events::EventLog& event_log() { return log_; }
  // Which process relays the log; `holder` is of this process alone. The store outlives it.
  std::unique_ptr<events::RelayLease> make_relay_lease(std::string holder);
  std::size_t writes_queued() const { return writer_.queued(); }
  std::size_t reads_queued() const { return readers_.queued(); }

  // To be called now and then: takes what was said out of messages of deleted conversations, at most `limit` at a time
  // so that senders do not wait. Answers how many messages it went through; 0 when nothing is left to do. (That nobody
  // can read them is so from the deletion on.)
  Task<Result<std::int64_t>> erase_deleted(std::int64_t limit, SteadyTime deadline);

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
  MongoMessagingStore(std::unique_ptr<mongo::ClientPool> pool, const events::PositionCodec::Secret& secret,
                      const Options& options, const Clock& clock, Random& random);

  template <class T, class Command>
  Task<Result<Written<T>>> write(Caller caller, std::string lane, Command command, SteadyTime deadline,
                                 Result<mongodb::Committed<T>> (*act)(mongodb::WriteContext&, const Command&));
  // In the lane of the conversation that the command names, or of the one that its message is in.
  template <class T, class Command>
  Task<Result<Written<T>>> write_to(Caller caller, ConversationId conversation, Command command, SteadyTime deadline,
                                    Result<mongodb::Committed<T>> (*act)(mongodb::WriteContext&, const Command&));
  template <class T, class Command>
  Task<Result<Written<T>>> write_of_message(Caller caller, Command command, SteadyTime deadline,
                                            Result<mongodb::Committed<T>> (*act)(mongodb::WriteContext&,
                                                                                 const Command&));
  template <class T, class Query>
  Task<Result<T>> read(Caller caller, Query query, SteadyTime deadline,
                       Result<T> (*answer)(mongo::Database&, const Caller&, const Query&));

  const std::unique_ptr<mongo::ClientPool> pool_;
  const Clock& clock_;
  const std::int64_t max_members_;
  const events::PositionCodec positions_;
  const events::MongoEventCollections collections_{""};
  IdSource ids_;
  events::CommitSignal signal_;
  mongo::ReaderPool readers_;
  mongo::GroupWriter writer_;
  events::MongoEventLog log_;
};

}  // namespace parley::messaging
