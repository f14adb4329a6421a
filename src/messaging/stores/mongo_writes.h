// What the write jobs of the MongoDB store share: the transaction they run in, new ids, and the events they leave
// behind. The jobs are functions of a WriteContext and a command, grouped by what they are about; each runs on a
// writer's thread, validates before its first write, and may be run again in another transaction.
//
// Every job that changes anything of a conversation ends in save(): it writes the conversation's document, so that of
// two jobs that read the same conversation and change different documents of it only one commits (ADR 24).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "drivers/mongo/group_writer.h"
#include "events/mongo_events.h"
#include "messaging/id_source.h"
#include "messaging/messaging_store.h"
#include "messaging/stores/mongo_lookups.h"
#include "messaging/write_rules.h"

namespace parley::messaging::mongodb {

// What a job answers; the position is made of the ticket once the group is committed.
template <class T>
struct Committed {
  T value;
  bool changed = true;
  events::EventTicket ticket;
};

class WriteContext {
 public:
  WriteContext(mongo::GroupTransaction& transaction, const Caller& on_behalf, WallTime at, IdSource& id_source,
               std::int64_t member_limit)
      : db(transaction), caller(on_behalf), now(at), ids(id_source), max_members(member_limit) {}

  mongo::GroupTransaction& db;
  const Caller& caller;
  const WallTime now;
  IdSource& ids;
  const std::int64_t max_members;  // of a conversation; 0: any number

  // An event with the conversation's next number; save() then writes the number.
  void event(ConversationRow& conversation, std::string_view type, std::string_view subject, std::string data);
  void event(ConversationRow& conversation, std::string_view type, const UuidBytes& message, Version version);
  // One whose data holds the conversation's name, topic and metadata: erase_naming_events() takes them out again.
  void naming_event(ConversationRow& conversation, std::string_view type, std::string data);
  void erase_naming_events(const ConversationRow& conversation);
  void event(const User& user);
  // Writes the counters of a conversation back.
  void save(const ConversationRow& conversation);

  template <class T>
  Committed<T> changed(T value) const {
    return {std::move(value), true, ticket_};
  }
  template <class T>
  Committed<T> unchanged(T value) const {
    return {std::move(value), false, events::EventTicket(events::last_event(db, log().collections()))};
  }

 private:
  events::MongoEventAppender& log() const { return db.companion<events::MongoEventAppender>(); }
  events::NewMongoEvent conversation_event(ConversationRow& conversation, std::string_view type,
                                           std::string_view subject) const;

  events::EventTicket ticket_;  // of the last event of this job
};

// A request of this key that was served before: none when the key is new, idempotency_mismatch when it asked for
// something else, else the resource's _id.
Result<std::optional<UuidBytes>> find_request(mongo::Database& db, const Digest& key, const Digest& request);
void remember_request(mongo::Database& db, const Digest& key, const Digest& request, const UuidBytes& resource);

// mongo_message_writes.cc
Result<Committed<Message>> send_message(WriteContext& write, const PreparedSend& send);
Result<Committed<Message>> edit_message(WriteContext& write, const EditMessage& command);
Result<Committed<Message>> delete_message(WriteContext& write, const DeleteMessage& command);
void count_own(mongo::Database& db, const ConversationKey& conversation, const UserId& author, std::int64_t messages);

// mongo_reaction_writes.cc
Result<Committed<ReactionSummary>> add_reaction(WriteContext& write, const React& command);
Result<Committed<ReactionSummary>> remove_reaction(WriteContext& write, const React& command);

// mongo_file_writes.cc
// "/attachments/N" for those that are deleted by now. A deletion that comes meanwhile conflicts with this transaction.
Result<> check_files(WriteContext& write, const SendMessage& command);
void lock_files(WriteContext& write, const std::vector<FileId>& files);
// One file, in at most `limit` messages; those that are done are not found again.
struct ForgetFile {
  FileId file;
  std::int64_t limit = 0;
};
Result<Committed<std::int64_t>> forget_file(WriteContext& write, const ForgetFile& command);
// Of those that no request on its way can name any more.
void drop_old_deleted_files(mongo::Database& db, WallTime now);

// mongo_conversation_writes.cc
Result<Committed<Conversation>> create_conversation(WriteContext& write, const CreateConversation& command);
Result<Committed<Conversation>> update_conversation(WriteContext& write, const UpdateConversation& command);
Result<Committed<Nothing>> delete_conversation(WriteContext& write, const DeleteConversation& command);
// Takes what was said out of at most `limit` messages of a deleted conversation; answers how many there were.
std::int64_t erase_deleted(mongo::Database& db, std::int64_t limit);

// mongo_member_writes.cc
Result<Committed<Member>> add_member(WriteContext& write, const AddMember& command);
Result<Committed<Nothing>> remove_member(WriteContext& write, const RemoveMember& command);
Result<Committed<Member>> set_member_role(WriteContext& write, const SetMemberRole& command);
Result<Committed<ReadState>> set_read_mark(WriteContext& write, const SetReadMark& command);
// Adds members' documents and their events; the caller saves the conversation.
struct NewMember {
  UserId user;
  MemberRole role = MemberRole::kMember;
};
void insert_members(WriteContext& write, ConversationRow& conversation, const std::vector<NewMember>& members);

// mongo_user_writes.cc
Result<Committed<User>> see_user(WriteContext& write, const Nothing&);
Result<Committed<User>> update_user(WriteContext& write, const UpdateUser& command);

// mongo_import.cc
Result<Committed<ImportSummary>> import_messages(WriteContext& write, const ImportMessages& command);

}  // namespace parley::messaging::mongodb
