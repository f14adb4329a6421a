// MessagingStore: the port behind which all of messaging's data lives. Every write is one atomic step: rights
// (rights.h), idempotency, counters and the event in the log commit together or not at all, and a write that answered a
// value is durable. Made and owned by app/; called on any event loop, answers on the loop that asked.
//
// Failures, the same from every adapter: not_found (unknown, of another tenant, or not the caller's to see), forbidden,
// conflict codes as in api/messaging.yaml, precondition_failed, unavailable with retry_after (queue full, engine
// failing), storage_full, deadline_exceeded (then the outcome of a write is unknown until it is asked again).
#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "messaging/commands.h"
#include "messaging/types.h"
#include "tenancy/caller.h"

namespace parley::messaging {

// The answer of a write. changed is false when nothing was written: a replay, an existing thing, no difference.
// position is opaque and bound to the tenant: a reader of the log that has passed it has seen this write.
template <class T>
struct Written {
  T value;
  bool changed = true;
  std::string position;
};
struct Nothing {};

class MessagingStore {
 public:
  virtual ~MessagingStore() = default;

  // Messages. send: changed is false for a replay (same Idempotency-Key or client_message_id, same fields); conflict
  // idempotency_mismatch when the fields differ; conflict conversation_archived; invalid "/reply_to" when the
  // conversation holds no such message (a tombstone will do), "/attachments/N" for a file
  // that was deleted since it was looked up.
  virtual Task<Result<Written<Message>>> send_message(Caller caller, SendMessage command, SteadyTime deadline) = 0;
  // changed is false when no field differs. Conflict message_deleted on a tombstone.
  virtual Task<Result<Written<Message>>> edit_message(Caller caller, EditMessage command, SteadyTime deadline) = 0;
  // Leaves a tombstone and erases what was said, in every version. changed is false when it was deleted before. The
  // value is the tombstone; show it to no one who is not a member.
  virtual Task<Result<Written<Message>>> delete_message(Caller caller, DeleteMessage command, SteadyTime deadline) = 0;
  virtual Task<Result<Message>> get_message(Caller caller, MessageId message_id, SteadyTime deadline) = 0;
  virtual Task<Result<MessagePage>> list_messages(Caller caller, ListMessages query, SteadyTime deadline) = 0;
  virtual Task<Result<MessagePage>> messages_around(Caller caller, MessagesAround query, SteadyTime deadline) = 0;
  virtual Task<Result<MessagePage>> list_replies(Caller caller, ListReplies query, SteadyTime deadline) = 0;
  // The present version included; empty for a tombstone.
  virtual Task<Result<Page<MessageVersion>>> list_versions(Caller caller, ListVersions query, SteadyTime deadline) = 0;
  // The summary is the reaction as it stands now; count 0 after the last was removed.
  virtual Task<Result<Written<ReactionSummary>>> add_reaction(Caller caller, React command, SteadyTime deadline) = 0;
  virtual Task<Result<Written<ReactionSummary>>> remove_reaction(Caller caller, React command, SteadyTime deadline) = 0;

  // Conversations. create: changed is false for a replay, for a direct conversation that the pair has already, and for
  // an id that a conversation of the caller has, whose type, name, topic, metadata and imported are the same; conflict
  // conversation_exists for any other held id, too_many_members for a new group beyond the store's limit.
  virtual Task<Result<Written<Conversation>>> create_conversation(Caller caller, CreateConversation command,
                                                                  SteadyTime deadline) = 0;
  virtual Task<Result<Conversation>> get_conversation(Caller caller, ConversationId conversation_id,
                                                      SteadyTime deadline) = 0;
  virtual Task<Result<Page<Conversation>>> list_conversations(Caller caller, ListConversations query,
                                                              SteadyTime deadline) = 0;
  virtual Task<Result<Written<Conversation>>> update_conversation(Caller caller, UpdateConversation command,
                                                                  SteadyTime deadline) = 0;
  virtual Task<Result<Written<Nothing>>> delete_conversation(Caller caller, DeleteConversation command,
                                                             SteadyTime deadline) = 0;

  // Members. add: changed is false for one who is a member already with that role, or none was asked; conflict
  // member_exists when the role differs, too_many_members when there are as many as the store was told to allow.
  // Conflicts last_owner and direct_conversation.
  virtual Task<Result<Written<Member>>> add_member(Caller caller, AddMember command, SteadyTime deadline) = 0;
  virtual Task<Result<Written<Nothing>>> remove_member(Caller caller, RemoveMember command, SteadyTime deadline) = 0;
  virtual Task<Result<Written<Member>>> set_member_role(Caller caller, SetMemberRole command, SteadyTime deadline) = 0;
  virtual Task<Result<Page<Member>>> list_members(Caller caller, ListMembers query, SteadyTime deadline) = 0;
  // The mark never goes back: a lower seq answers the mark as it is. Above the last seq: invalid "/seq".
  virtual Task<Result<Written<ReadState>>> set_read_mark(Caller caller, SetReadMark command, SteadyTime deadline) = 0;

  // Users. see_user makes the caller's profile from its token's claims when there is none; changed says so. Cheap when
  // there is one.
  virtual Task<Result<Written<User>>> see_user(Caller caller, SteadyTime deadline) = 0;
  virtual Task<Result<Written<User>>> update_user(Caller caller, UpdateUser command, SteadyTime deadline) = 0;
  virtual Task<Result<User>> get_user(Caller caller, UserId user_id, SteadyTime deadline) = 0;

  // For search. get_scope: the conversations that the caller is a member of, last activity first, at most `limit`.
  virtual Task<Result<Page<ConversationId>>> get_scope(Caller caller, std::size_t limit, SteadyTime deadline) = 0;
  // All from one moment, each thing as its own get answers it, in the order asked for. What the caller may not read,
  // what is unknown and tombstones are left out.
  virtual Task<Result<LookedUp>> look_up(Caller caller, LookUp query, SteadyTime deadline) = 0;

  // For media. Whether a live message of a conversation in which the caller is a member attaches the file; roles within
  // the tenant count for nothing.
  virtual Task<Result<bool>> may_read_file(Caller caller, FileId file, SteadyTime deadline) = 0;

  // When files are deleted: what is known of them goes from the messages that attach them, each with its event, and no
  // message attaches them from then on. Told again it finds nothing more to do. Answers how many messages there were;
  // on a failure some may be done.
  virtual Task<Result<std::int64_t>> forget_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) = 0;

  // The whole batch or nothing; an external id that the conversation holds counts as existing and is not compared.
  virtual Task<Result<Written<ImportSummary>>> import_messages(Caller caller, ImportMessages command,
                                                               SteadyTime deadline) = 0;

  // For /health: a small read that fails when the engine is down.
  virtual Task<Result<>> ping(SteadyTime deadline) = 0;
};

}  // namespace parley::messaging
