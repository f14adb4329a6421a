#include "messaging/write_rules.h"

#include <algorithm>

namespace parley::messaging {

Result<> check_version(const VersionGuard& guard, Version version) {
  if (!guard || std::ranges::find(*guard, version) != guard->end()) return {};
  return fail(ErrorKind::kPreconditionFailed, "precondition_failed", "The version is another one by now.");
}

PreparedSend::PreparedSend(const Caller& caller, SendMessage command_in)
    : command(std::move(command_in)), request(request_digest(command)) {
  if (command.idempotency_key) key = idempotency_scope(caller, "send_message", *command.idempotency_key);
  if (command.client_message_id) {
    client_key = client_message_scope(caller, command.conversation_id, *command.client_message_id);
  }
}

std::unexpected<Error> key_of_another_request() {
  return fail(ErrorKind::kConflict, "idempotency_mismatch", "This key was used for another request.");
}
std::unexpected<Error> keys_of_different_messages() {
  return fail(ErrorKind::kConflict, "idempotency_mismatch", "The two keys were used for different messages.");
}
std::unexpected<Error> only_replays_now() {
  return fail(ErrorKind::kRateLimited, "rate_limited", "Over the limit of messages.");
}
std::unexpected<Error> no_more_messages() {
  return fail(ErrorKind::kNoRoom, "storage_full", "The conversation can hold no more messages.");
}
std::unexpected<Error> no_such_reply_target() {
  return invalid_field("/reply_to", "names no message of this conversation");
}
std::unexpected<Error> message_is_deleted() {
  return fail(ErrorKind::kConflict, "message_deleted", "The message is deleted.");
}
std::unexpected<Error> too_many_reactions() {
  return fail(ErrorKind::kConflict, "too_many_reactions", "The message has as many different reactions as it can.");
}
std::unexpected<Error> attachments_are_gone(const std::vector<std::size_t>& places) {
  std::vector<FieldError> gone;
  for (const std::size_t place : places) {
    gone.push_back({"/attachments/" + std::to_string(place), "names no file that you can read"});
  }
  return fail(Error{
      ErrorKind::kInvalid, "validation_failed", "The message attaches what cannot be read.", std::move(gone), {}});
}

Result<> check_edit(const EditMessage& command, const Message& message) {
  if (message.deleted_at) return message_is_deleted();
  if (command.content && command.content->empty() && message.attachments.empty()) {
    return invalid_field("/content", "must not be empty unless the message has attachments");
  }
  return check_version(command.if_match, message.version);
}

bool changes_nothing(const EditMessage& command, const Message& message) {
  return (!command.content || *command.content == message.content) &&
         (!command.mentions || *command.mentions == message.mentions) &&
         (!command.metadata || same_metadata(*command.metadata, message.metadata));
}

void apply(const EditMessage& command, Message& message, WallTime now) {
  if (command.content) message.content = *command.content;
  if (command.mentions) message.mentions = *command.mentions;
  if (command.metadata) message.metadata = *command.metadata;
  message.edited_at = now;
  ++message.version;
}

void say_nothing(Message& message) {
  message.content.reset();
  message.attachments.clear();
  message.files.clear();
  message.mentions.clear();
  message.metadata = "{}";
  message.client_message_id.reset();
}

void apply_deletion(Message& message, WallTime now) {
  say_nothing(message);
  message.deleted_at = now;
  ++message.version;
}

void date_back(Message& message, Version version, WallTime event_time) {
  message.version = version;
  if (version == 1) message.edited_at.reset();
  if (version > 1 && !message.edited_at) message.edited_at = event_time;
}

std::string pair_key(const UserId& a, const UserId& b) {
  const auto& [first, second] = std::minmax(a.value, b.value);
  return std::to_string(first.size()) + ":" + first + second;
}

std::unexpected<Error> conversation_id_is_taken() {
  return fail(ErrorKind::kConflict, "conversation_exists", "The id of the conversation is taken.");
}

bool asks_for_the_same(const CreateConversation& command, const Conversation& existing) {
  return existing.kind == command.kind && existing.name == command.name && existing.topic == command.topic &&
         existing.imported == command.imported && same_metadata(existing.metadata, command.metadata);
}

bool touches_only_metadata(const UpdateConversation& command) {
  return !command.name && !command.topic && !command.archived;
}

bool changes_nothing(const UpdateConversation& command, const Conversation& conversation) {
  return (!command.name || *command.name == conversation.name) &&
         (!command.topic || *command.topic == conversation.topic) &&
         (!command.metadata || same_metadata(*command.metadata, conversation.metadata)) &&
         (!command.archived || *command.archived == conversation.archived);
}

void apply(const UpdateConversation& command, Conversation& conversation, WallTime now) {
  if (command.name) conversation.name = *command.name;
  if (command.topic) conversation.topic = *command.topic;
  if (command.metadata) conversation.metadata = *command.metadata;
  if (command.archived) conversation.archived = *command.archived;
  conversation.updated_at = now;
  ++conversation.version;
}

std::unexpected<Error> member_has_another_role() {
  return fail(ErrorKind::kConflict, "member_exists", "The user is a member already, with another role.");
}
std::unexpected<Error> seq_is_above_the_last() {
  return invalid_field("/seq", "is above the last seq of the conversation");
}

bool changes_nothing(const UpdateUser& command, const User& user) {
  return (!command.name || *command.name == user.name) &&
         (!command.avatar_url || *command.avatar_url == user.avatar_url) &&
         (!command.metadata || same_metadata(*command.metadata, user.metadata));
}

void apply(const UpdateUser& command, User& user, WallTime now) {
  if (command.name) user.name = *command.name;
  if (command.avatar_url) user.avatar_url = *command.avatar_url;
  if (command.metadata) user.metadata = *command.metadata;
  user.updated_at = now;
  ++user.version;
}

std::string line_path(const ImportedMessage& line, std::string_view field) {
  return "/" + std::to_string(line.line) + "/" + std::string(field);
}
std::unexpected<Error> author_has_signed_in(std::string path) {
  return invalid_field(std::move(path), "is a user who has signed in; an import cannot speak for it");
}
std::unexpected<Error> no_such_imported_target(const ImportedMessage& line) {
  return invalid_field(line_path(line, "reply_to_external_id"), "names no line above and none imported before");
}

}  // namespace parley::messaging
