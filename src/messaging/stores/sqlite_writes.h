// What the store's write jobs share: the transaction they run in, new ids, and the events they leave behind. The jobs
// are functions of a WriteContext and a command, grouped by what they are about; each runs on the writer's thread,
// validates before its first write, and may be run again after a rollback.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "events/sqlite_event_log.h"
#include "messaging/id_source.h"
#include "messaging/messaging_store.h"
#include "messaging/stores/sqlite_rows.h"
#include "messaging/write_rules.h"

namespace parley::messaging {

// What a job answers; the position is made of the offset outside the writer's thread.
template <class T>
struct Committed {
  T value;
  bool changed = true;
  events::LogOffset offset;
};

class WriteContext {
 public:
  WriteContext(sqlite::Connection& connection, const Caller& on_behalf, WallTime at, IdSource& id_source,
               std::int64_t member_limit)
      : db(connection), caller(on_behalf), now(at), ids(id_source), max_members(member_limit) {}

  sqlite::Connection& db;
  const Caller& caller;
  const WallTime now;
  IdSource& ids;
  const std::int64_t max_members;  // of a conversation; 0: any number

  // An event with the conversation's next number; save() then writes the number.
  void event(ConversationRow& conversation, std::string_view type, std::string_view subject, std::string_view data);
  void event(ConversationRow& conversation, std::string_view type, std::string_view subject,
             events::EventReference reference);
  void event(const User& user);
  // Writes the counters of a conversation back.
  void save(const ConversationRow& conversation);

  // The offset of the last event of this job.
  events::LogOffset offset() const { return offset_; }
  template <class T>
  Committed<T> changed(T value) const {
    return {std::move(value), true, offset_};
  }
  template <class T>
  Committed<T> unchanged(T value) const {
    return {std::move(value), false, events::head(db)};
  }

 private:
  events::LogOffset offset_;
};

// A request of this key that was served before: none when the key is new, idempotency_mismatch when it asked for
// something else, else the resource.
Result<std::optional<std::int64_t>> find_request(sqlite::Connection& db, const Digest& key, const Digest& request);
void remember_request(sqlite::Connection& db, const Digest& key, const Digest& request, std::int64_t resource);

// sqlite_message_writes.cc
Result<Committed<Message>> send_message(WriteContext& write, const PreparedSend& send);
Result<Committed<Message>> edit_message(WriteContext& write, const EditMessage& command);
Result<Committed<Message>> delete_message(WriteContext& write, const DeleteMessage& command);
Result<Committed<ReactionSummary>> add_reaction(WriteContext& write, const React& command);
Result<Committed<ReactionSummary>> remove_reaction(WriteContext& write, const React& command);

// sqlite_file_writes.cc
void insert_files(sqlite::Connection& db, std::int64_t message, const SendMessage& command);
// "/attachments/N" for those that are deleted by now.
Result<> check_files(sqlite::Connection& db, const TenantId& tenant, const SendMessage& command);
// One file, by at most `limit` messages after `after`; those that are done are not counted again.
struct ForgetFile {
  FileId file;
  std::int64_t after = 0;  // a message's key
  std::int64_t limit = 0;
};
struct ForgottenPart {
  std::int64_t messages = 0;
  std::optional<std::int64_t> next;  // where to go on
};
Result<Committed<ForgottenPart>> forget_file(WriteContext& write, const ForgetFile& command);

// sqlite_conversation_writes.cc
Result<Committed<Conversation>> create_conversation(WriteContext& write, const CreateConversation& command);
Result<Committed<Conversation>> update_conversation(WriteContext& write, const UpdateConversation& command);
Result<Committed<Nothing>> delete_conversation(WriteContext& write, const DeleteConversation& command);

// Takes what was said out of at most `limit` messages of deleted conversations; answers how many there were.
std::int64_t erase_deleted(sqlite::Connection& db, std::int64_t limit);

// sqlite_member_writes.cc
Result<Committed<Member>> add_member(WriteContext& write, const AddMember& command);
Result<Committed<Nothing>> remove_member(WriteContext& write, const RemoveMember& command);
Result<Committed<Member>> set_member_role(WriteContext& write, const SetMemberRole& command);
Result<Committed<ReadState>> set_read_mark(WriteContext& write, const SetReadMark& command);
Result<Committed<User>> see_user(WriteContext& write, const Nothing&);
Result<Committed<User>> update_user(WriteContext& write, const UpdateUser& command);

// sqlite_import.cc
Result<Committed<ImportSummary>> import_messages(WriteContext& write, const ImportMessages& command);

// Adds a member row and its event; the caller saves the conversation.
void insert_member(WriteContext& write, ConversationRow& conversation, const UserId& user, MemberRole role);

}  // namespace parley::messaging
