#include "search/event_mapping.h"

#include <boost/json/parse.hpp>
#include <unordered_map>

#include "search/json_fields.h"

namespace parley::search {

namespace {

using Change = decltype(IndexChange::what);
using Read = std::expected<Change, std::string>;

// `made`, unless a field of it was not there.
template <class T>
std::expected<T, std::string> unless_faulty(const JsonFields& fields, T made) {
  if (fields.fault()) return std::unexpected(*fields.fault());
  return made;
}

// The fields that a message's event and a message's resource share.
MessageWritten read_message(JsonFields& fields) {
  MessageWritten message;
  fields.read_id("id", message.id);
  message.seq = fields.integer("seq");
  fields.read_id("sender_id", message.sender);
  message.content = fields.text("content");
  message.file_names = fields.texts_within("files", "filename");
  message.has_file = !message.file_names.empty();
  fields.read_ids("mentions", message.mentions);
  message.created_at = fields.time("created_at");
  return message;
}

ConversationWritten read_conversation(JsonFields& fields) {
  ConversationWritten conversation;
  conversation.name = fields.optional_text("name");
  conversation.topic = fields.optional_text("topic");
  conversation.direct = fields.text("type") == "direct";
  conversation.archived = fields.boolean("archived");
  return conversation;
}

UserWritten read_user(JsonFields& fields) {
  UserWritten user;
  fields.read_id("id", user.user);
  user.name = fields.optional_text("name").value_or("");
  return user;
}

Read message_written(JsonFields& fields) {
  return unless_faulty<Change>(fields, read_message(fields));
}

Read message_removed(JsonFields& fields) {
  MessageRemoved removed;
  fields.read_id("id", removed.id);
  return unless_faulty<Change>(fields, std::move(removed));
}

Read reactions_changed(JsonFields& fields) {
  ReactionsChanged changed;
  fields.read_id("message_id", changed.id);
  changed.any = fields.integer("total") > 0;
  return unless_faulty<Change>(fields, std::move(changed));
}

Read conversation_written(JsonFields& fields) {
  return unless_faulty<Change>(fields, read_conversation(fields));
}

Read conversation_erased(JsonFields&) {
  return ConversationErased{};
}

Read user_written(JsonFields& fields) {
  return unless_faulty<Change>(fields, read_user(fields));
}

// Membership, roles and read marks are not in the index: messaging is asked for the scope of each search.
const std::unordered_map<std::string_view, Read (*)(JsonFields&)>& readers() {
  static const std::unordered_map<std::string_view, Read (*)(JsonFields&)> kReaders = {
      {"message.created", message_written},           {"message.edited", message_written},
      {"message.files_changed", message_written},     {"message.deleted", message_removed},
      {"reaction.added", reactions_changed},          {"reaction.removed", reactions_changed},
      {"conversation.created", conversation_written}, {"conversation.updated", conversation_written},
      {"conversation.deleted", conversation_erased},  {"user.updated", user_written},
  };
  return kReaders;
}

std::unexpected<Error> unreadable(std::string reason) {
  return fail(ErrorKind::kInvalid, "event_unreadable", std::move(reason));
}

}  // namespace

Result<std::optional<IndexChange>> change_of_event(const events::Event& event) {
  const auto reader = readers().find(event.type);
  if (reader == readers().end()) return std::nullopt;
  if (event.number < 1) return unreadable("the event has no number");
  if (!is_valid_id(event.tenant.value) || !is_valid_id(event.key)) return unreadable("the event's key is no id");
  boost::system::error_code error;
  const boost::json::value data = boost::json::parse(event.data, error);
  if (error || !data.is_object()) return unreadable("the data is no JSON object");
  JsonFields fields(data.get_object());
  Read read = reader->second(fields);
  if (!read) return unreadable("data: " + read.error());

  const bool of_user = std::holds_alternative<UserWritten>(*read);
  if (of_user != (event.scope == events::EventScope::kUser)) return unreadable("the event's key is of another kind");
  return IndexChange{.tenant = event.tenant,
                     .conversation = ConversationId(of_user ? std::string() : event.key),
                     .number = event.number,
                     .what = std::move(*read)};
}

DeadLetter dead_letter(const events::Event& event, std::string reason) {
  return {.offset = event.offset,
          .event = event.id,
          .type = event.type,
          .tenant = event.tenant,
          .key = event.key,
          .reason = std::move(reason)};
}

std::expected<StoredMessage, std::string> stored_message(const boost::json::object& message) {
  JsonFields fields(message);
  if (fields.optional_text("deleted_at")) {
    MessageRemoved removed;
    fields.read_id("id", removed.id);
    return unless_faulty<StoredMessage>(fields, std::move(removed));
  }
  MessageWritten written = read_message(fields);
  written.has_reaction = fields.size_of_array("reactions") > 0;
  return unless_faulty<StoredMessage>(fields, std::move(written));
}

std::expected<ConversationWritten, std::string> stored_conversation(const boost::json::object& conversation) {
  JsonFields fields(conversation);
  return unless_faulty(fields, read_conversation(fields));
}

std::expected<UserWritten, std::string> stored_user(const boost::json::object& user) {
  JsonFields fields(user);
  return unless_faulty(fields, read_user(fields));
}

}  // namespace parley::search
