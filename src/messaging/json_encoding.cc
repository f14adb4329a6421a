#include "messaging/json_encoding.h"

namespace parley::messaging {

namespace {

template <class Tag>
void write_ids(JsonWriter& json, const std::vector<Id<Tag>>& ids) {
  json.begin_array();
  for (const auto& id : ids) json.string(id.value);
  json.end_array();
}

template <class Tag>
void write_id(JsonWriter& json, const std::optional<Id<Tag>>& id) {
  id ? json.string(id->value) : json.null();
}

void write_position(JsonWriter& json, const Position& position) {
  if (position) json.key("position").string(*position);
}

// The members that a reaction has on its own and within a message.
void write_reaction_members(JsonWriter& json, const ReactionSummary& reaction) {
  json.key("reaction").string(reaction.reaction).key("count").number(reaction.count).key("users");
  write_ids(json, reaction.users);
  json.key("mine").boolean(reaction.mine);
}

void write(JsonWriter& json, const MessageVersion& version) {
  json.begin_object();
  json.key("version").number(version.version);
  json.key("content").string(version.content);
  json.key("mentions");
  write_ids(json, version.mentions);
  json.key("metadata").raw(version.metadata);
  json.key("created_at").time(version.created_at);
  json.end_object();
}

void write(JsonWriter& json, const Member& member, const Position& position = {}) {
  json.begin_object();
  json.key("user_id").string(member.user_id.value);
  json.key("role").string(to_string(member.role));
  json.key("name").string(member.name);
  json.key("joined_at").time(member.joined_at);
  if (member.read_seq) json.key("read_seq").number(*member.read_seq);
  write_position(json, position);
  json.end_object();
}

template <class T>
std::string encode_page(const std::vector<T>& items, const PageCursors& cursors, std::size_t bytes_each) {
  std::string text;
  text.reserve(items.size() * bytes_each + 128);
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const T& item : items) write(json, item);
  json.end_array();
  json.key("next_cursor").string(cursors.next);
  if (cursors.two_way) json.key("prev_cursor").string(cursors.prev);
  json.end_object();
  return text;
}

}  // namespace

void write_fields_of(JsonWriter& json, const Message& message) {
  json.key("id").string(message.id.value);
  json.key("conversation_id").string(message.conversation_id.value);
  json.key("seq").number(message.seq);
  json.key("sender_id").string(message.sender_id.value);
  json.key("content").string(message.content);
  json.key("type").string(message.type);
  json.key("attachments");
  write_ids(json, message.attachments);
  json.key("reply_to");
  write_id(json, message.reply_to);
  json.key("thread_root");
  write_id(json, message.thread_root);
  json.key("reply_count").number(message.reply_count);
  if (message.last_reply_at) json.key("last_reply_at").time(*message.last_reply_at);
  json.key("mentions");
  write_ids(json, message.mentions);
  json.key("metadata").raw(message.metadata);
  if (message.client_message_id) json.key("client_message_id").string(*message.client_message_id);
  json.key("reactions").begin_array();
  for (const ReactionSummary& reaction : message.reactions) {
    json.begin_object();
    write_reaction_members(json, reaction);
    json.end_object();
  }
  json.end_array();
  json.key("created_at").time(message.created_at);
  json.key("edited_at").time(message.edited_at);
  json.key("deleted_at").time(message.deleted_at);
  json.key("version").number(message.version);
  if (message.imported) json.key("imported").boolean(true);
}

void write(JsonWriter& json, const Message& message, const Position& position) {
  json.begin_object();
  write_fields_of(json, message);
  write_position(json, position);
  json.end_object();
}

void write_fields_of(JsonWriter& json, const Conversation& conversation) {
  json.key("id").string(conversation.id.value);
  json.key("type").string(to_string(conversation.kind));
  json.key("name").string(conversation.name);
  json.key("topic").string(conversation.topic);
  json.key("metadata").raw(conversation.metadata);
  json.key("archived").boolean(conversation.archived);
  json.key("imported").boolean(conversation.imported);
  json.key("created_by").string(conversation.created_by.value);
  json.key("created_at").time(conversation.created_at);
  json.key("updated_at").time(conversation.updated_at);
  json.key("version").number(conversation.version);
  json.key("member_count").number(conversation.member_count);
  json.key("last_seq").number(conversation.last_seq);
  json.key("last_message");
  conversation.last_message ? write(json, *conversation.last_message) : void(json.null());
  json.key("last_activity_at").time(conversation.last_activity_at);
  json.key("my_role");
  conversation.my_role ? json.string(to_string(*conversation.my_role)) : json.null();
  json.key("read_seq").number(conversation.read_seq);
  json.key("unread_count").number(conversation.unread_count);
}

void write(JsonWriter& json, const Conversation& conversation, const Position& position) {
  json.begin_object();
  write_fields_of(json, conversation);
  write_position(json, position);
  json.end_object();
}

void write(JsonWriter& json, const User& user, const Position& position) {
  json.begin_object();
  json.key("id").string(user.id.value);
  json.key("name").string(user.name);
  json.key("avatar_url").string(user.avatar_url);
  json.key("metadata").raw(user.metadata);
  json.key("created_at").time(user.created_at);
  json.key("updated_at").time(user.updated_at);
  json.key("version").number(user.version);
  write_position(json, position);
  json.end_object();
}

std::string encode(const Message& message, const Position& position) {
  std::string text;
  text.reserve(512 + (message.content ? message.content->size() : 0));
  JsonWriter json(text);
  write(json, message, position);
  return text;
}

std::string encode(const Conversation& conversation, const Position& position) {
  std::string text;
  JsonWriter json(text);
  write(json, conversation, position);
  return text;
}

std::string encode(const Member& member, const Position& position) {
  std::string text;
  JsonWriter json(text);
  write(json, member, position);
  return text;
}

std::string encode(const User& user, const Position& position) {
  std::string text;
  JsonWriter json(text);
  write(json, user, position);
  return text;
}

std::string encode(const ReadState& state, const Position& position) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("conversation_id").string(state.conversation_id.value);
  json.key("user_id").string(state.user_id.value);
  json.key("read_seq").number(state.read_seq);
  json.key("last_seq").number(state.last_seq);
  json.key("unread_count").number(state.unread_count);
  write_position(json, position);
  json.end_object();
  return text;
}

std::string encode(const ImportSummary& summary, const Position& position) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("created").number(summary.created);
  json.key("existing").number(summary.existing);
  json.key("last_seq").number(summary.last_seq);
  write_position(json, position);
  json.end_object();
  return text;
}

std::string encode(const ReactionSummary& reaction, const MessageId& message, const Position& position) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("message_id").string(message.value);
  write_reaction_members(json, reaction);
  write_position(json, position);
  json.end_object();
  return text;
}

std::string encode_list(const std::vector<Message>& items, const PageCursors& cursors) {
  return encode_page(items, cursors, 640);
}
std::string encode_list(const std::vector<MessageVersion>& items, const PageCursors& cursors) {
  return encode_page(items, cursors, 320);
}
std::string encode_list(const std::vector<Conversation>& items, const PageCursors& cursors) {
  return encode_page(items, cursors, 1280);
}
std::string encode_list(const std::vector<Member>& items, const PageCursors& cursors) {
  return encode_page(items, cursors, 160);
}

}  // namespace parley::messaging
