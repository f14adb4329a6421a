#include "messaging/transfer/canonical.h"

namespace parley::messaging {

void append_to(CanonicalText& text, const AttachedFile& file) {
  text.add(file.id).add(file.filename).add(file.size).add(file.content_type);
}
void append_to(CanonicalText& text, const MessageVersion& version) {
  text.add(version.version).add(version.content).add(version.mentions).add(version.metadata).add(version.created_at);
}

namespace transfer {

void append_to(CanonicalText& text, const ReactionRecord& reaction) {
  text.add(reaction.reaction).add(reaction.user).add(reaction.place);
}
void append_to(CanonicalText& text, const ConversationName& name) {
  text.add(name.tenant).add(name.id);
}

std::string canonical(const ConversationRecord& record) {
  return CanonicalText("conversation")
      .add(record.name)
      .add(to_string(record.kind))
      .add(record.pair)
      .add(record.title)
      .add(record.topic)
      .add(record.metadata)
      .add(record.archived)
      .add(record.imported)
      .add(record.created_by)
      .add(record.created_at)
      .add(record.updated_at)
      .add(record.version)
      .add(record.deleted_at)
      .add(record.erase_from)
      .add(record.last_seq)
      .add(record.live)
      .add(record.event_number)
      .add(record.member_count)
      .add(record.owner_count)
      .add(record.last_activity_at)
      .take();
}

std::string canonical(const MemberRecord& record) {
  return CanonicalText("member")
      .add(record.user)
      .add(to_string(record.role))
      .add(record.joined_at)
      .add(record.read_seq)
      .add(record.accounted)
      .take();
}

std::string canonical(const MessageRecord& record) {
  const Message& message = record.message;
  return CanonicalText("message")
      .add(message.id)
      .add(message.seq)
      .add(message.sender_id)
      .add(message.content)
      .add(message.type)
      .add(message.attachments)
      .add(message.files)
      .add(message.reply_to)
      .add(message.thread_root)
      .add(message.reply_count)
      .add(message.last_reply_at)
      .add(message.mentions)
      .add(message.metadata)
      .add(message.client_message_id)
      .add(message.created_at)
      .add(message.edited_at)
      .add(message.deleted_at)
      .add(message.version)
      .add(message.imported)
      .add(record.deleted_by)
      .add(record.versions)
      .add(record.reactions)
      .add(record.external_ids)
      .take();
}

std::string canonical(const UserRecord& record) {
  const User& user = record.user;
  return CanonicalText("user")
      .add(record.tenant)
      .add(user.id)
      .add(user.name)
      .add(user.avatar_url)
      .add(user.metadata)
      .add(user.created_at)
      .add(user.updated_at)
      .add(user.version)
      .take();
}

std::string canonical(const DeletedFileRecord& record) {
  return CanonicalText("deleted file").add(record.tenant).add(record.file).add(record.told_at).take();
}

std::string canonical(const RequestRecord& record) {
  return CanonicalText("request")
      .add(record.key)
      .add(record.request)
      .add(record.message)
      .add(record.conversation)
      .take();
}

std::string canonical(const LastEvent& last) {
  const events::Event& event = last.event;
  return CanonicalText("last event")
      .add(event.offset.value)
      .add(event.id)
      .add(event.type)
      .add(event.tenant)
      .add(event.scope == events::EventScope::kConversation)
      .add(event.key)
      .add(event.number)
      .add(event.time)
      .add(event.subject)
      .add(event.data)
      .add(last.refers)
      .add(last.version)
      .take();
}

}  // namespace transfer

}  // namespace parley::messaging
