#include "messaging/event_data.h"

namespace parley::messaging {

void write_files(JsonWriter& json, const std::vector<AttachedFile>& files) {
  json.begin_array();
  for (const AttachedFile& file : files) {
    json.begin_object();
    json.key("id").string(file.id.value);
    json.key("filename").string(file.filename);
    json.key("size").number(file.size);
    json.key("content_type").string(file.content_type);
    json.end_object();
  }
  json.end_array();
}

namespace {

// One JSON object of named fields.
class ObjectText {
 public:
  ObjectText() { json_.begin_object(); }
  ObjectText(const ObjectText&) = delete;
  ObjectText& operator=(const ObjectText&) = delete;

  ObjectText& text(std::string_view name, std::string_view value) { return json_.key(name).string(value), *this; }
  ObjectText& text(std::string_view name, const std::optional<std::string>& value) {
    return json_.key(name).string(value), *this;
  }
  template <class Tag>
  ObjectText& id(std::string_view name, const Id<Tag>& value) {
    return text(name, std::string_view(value.value));
  }
  template <class Tag>
  ObjectText& id(std::string_view name, const std::optional<Id<Tag>>& value) {
    return value ? id(name, *value) : (json_.key(name).null(), *this);
  }
  template <class Tag>
  ObjectText& ids(std::string_view name, const std::vector<Id<Tag>>& values) {
    json_.key(name).begin_array();
    for (const auto& value : values) json_.string(value.value);
    return json_.end_array(), *this;
  }
  ObjectText& files(std::string_view name, const std::vector<AttachedFile>& files) {
    return write_files(json_.key(name), files), *this;
  }
  ObjectText& raw(std::string_view name, std::string_view json) { return json_.key(name).raw(json), *this; }
  ObjectText& integer(std::string_view name, std::int64_t value) { return json_.key(name).number(value), *this; }
  ObjectText& flag(std::string_view name, bool value) { return json_.key(name).boolean(value), *this; }
  ObjectText& time(std::string_view name, WallTime value) { return json_.key(name).time(value), *this; }
  std::string done() {
    json_.end_object();
    return std::move(out_);
  }

 private:
  std::string out_;
  JsonWriter json_{out_};
};

}  // namespace

std::string message_data(const Message& message) {
  ObjectText out;
  out.id("id", message.id)
      .id("conversation_id", message.conversation_id)
      .integer("seq", message.seq)
      .id("sender_id", message.sender_id)
      .text("type", std::string_view(message.type))
      .text("content", std::string_view(message.content ? *message.content : std::string_view()))
      .ids("attachments", message.attachments)
      .files("files", message.files)
      .id("reply_to", message.reply_to)
      .id("thread_root", message.thread_root)
      .ids("mentions", message.mentions)
      .raw("metadata", message.metadata)
      .time("created_at", message.created_at);
  if (message.edited_at) out.time("edited_at", *message.edited_at);
  out.integer("version", message.version);
  if (message.client_message_id) out.text("client_message_id", message.client_message_id);
  if (message.imported) out.flag("imported", true);
  return out.done();
}

std::string message_deleted_data(const Message& tombstone, const UserId& by) {
  return ObjectText()
      .id("id", tombstone.id)
      .id("conversation_id", tombstone.conversation_id)
      .integer("seq", tombstone.seq)
      .id("sender_id", tombstone.sender_id)
      .id("thread_root", tombstone.thread_root)
      .time("deleted_at", tombstone.deleted_at.value_or(WallTime{}))
      .id("deleted_by", by)
      .integer("version", tombstone.version)
      .done();
}

std::string reaction_data(const MessageId& message, const ConversationId& conversation, Seq seq,
                          const ReactionChange& change) {
  return ObjectText()
      .id("message_id", message)
      .id("conversation_id", conversation)
      .integer("seq", seq)
      .id("user_id", change.user)
      .text("reaction", std::string_view(change.reaction))
      .integer("count", change.count)
      .integer("total", change.total)
      .done();
}

std::string conversation_data(const Conversation& conversation) {
  return ObjectText()
      .id("id", conversation.id)
      .text("type", to_string(conversation.kind))
      .text("name", conversation.name)
      .text("topic", conversation.topic)
      .raw("metadata", conversation.metadata)
      .flag("archived", conversation.archived)
      .flag("imported", conversation.imported)
      .id("created_by", conversation.created_by)
      .time("created_at", conversation.created_at)
      .time("updated_at", conversation.updated_at)
      .integer("version", conversation.version)
      .done();
}

std::string conversation_deleted_data(const ConversationId& conversation, WallTime at, const UserId& by) {
  return ObjectText().id("id", conversation).time("deleted_at", at).id("deleted_by", by).done();
}

std::string member_added_data(const ConversationId& conversation, const UserId& user, MemberRole role, WallTime at,
                              const UserId& by) {
  return ObjectText()
      .id("conversation_id", conversation)
      .id("user_id", user)
      .text("role", to_string(role))
      .time("joined_at", at)
      .id("added_by", by)
      .done();
}

std::string member_removed_data(const ConversationId& conversation, const UserId& user, WallTime at, const UserId& by) {
  return ObjectText()
      .id("conversation_id", conversation)
      .id("user_id", user)
      .time("removed_at", at)
      .id("removed_by", by)
      .done();
}

std::string member_role_data(const ConversationId& conversation, const UserId& user, MemberRole role,
                             MemberRole previous, const UserId& by) {
  return ObjectText()
      .id("conversation_id", conversation)
      .id("user_id", user)
      .text("role", to_string(role))
      .text("previous_role", to_string(previous))
      .id("changed_by", by)
      .done();
}

std::string read_data(const ConversationId& conversation, const UserId& user, Seq read_seq) {
  return ObjectText().id("conversation_id", conversation).id("user_id", user).integer("read_seq", read_seq).done();
}

std::string user_data(const User& user) {
  return ObjectText()
      .id("id", user.id)
      .text("name", user.name)
      .text("avatar_url", user.avatar_url)
      .raw("metadata", user.metadata)
      .time("created_at", user.created_at)
      .time("updated_at", user.updated_at)
      .integer("version", user.version)
      .done();
}

}  // namespace parley::messaging
