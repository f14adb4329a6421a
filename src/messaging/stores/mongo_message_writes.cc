// Send, edit and delete, as jobs of the MongoDB store.
#include <algorithm>

#include "messaging/event_data.h"
#include "messaging/seq_range.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

// What an earlier request of either key made. The keys are separate names: they must not point at different messages.
struct Earlier {
  std::optional<UuidBytes> by_key;
  std::optional<UuidBytes> by_client_key;
  std::optional<UuidBytes> message() const { return by_key ? by_key : by_client_key; }
};

Result<Earlier> find_earlier(mongo::Database& db, const PreparedSend& send) {
  Earlier earlier;
  if (send.key) {
    auto found = find_request(db, *send.key, send.request);
    if (!found) return fail(std::move(found.error()));
    earlier.by_key = *found;
  }
  if (send.client_key) {
    auto found = find_request(db, *send.client_key, send.request);
    if (!found) return fail(std::move(found.error()));
    earlier.by_client_key = *found;
  }
  if (earlier.by_key && earlier.by_client_key && *earlier.by_key != *earlier.by_client_key) {
    return keys_of_different_messages();
  }
  return earlier;
}

void remember(mongo::Database& db, const PreparedSend& send, const Earlier& earlier, const UuidBytes& message) {
  if (send.key && !earlier.by_key) remember_request(db, *send.key, send.request, message);
  if (send.client_key && !earlier.by_client_key) remember_request(db, *send.client_key, send.request, message);
}

struct ReplyTarget {
  MessageId id;
  UuidBytes root{};
};

Result<std::optional<ReplyTarget>> find_reply_target(mongo::Database& db, const ConversationRow& conversation,
                                                     const std::optional<MessageId>& reply_to) {
  if (!reply_to) return std::nullopt;
  const auto bytes = parse_uuid(reply_to->value);
  const auto target = bytes ? find_message_row(db, *bytes) : std::nullopt;
  if (!target || target->conversation != conversation.key) return no_such_reply_target();
  return ReplyTarget{*reply_to, target->thread_root.value_or(target->id)};
}

MessageRow new_row(WriteContext& write, ConversationRow& conversation, const SendMessage& command,
                   const std::optional<ReplyTarget>& target) {
  MessageRow row;
  row.id = write.ids.next(write.now);
  row.conversation = conversation.key;
  if (target) row.thread_root = target->root;
  row.message = {
      .id = MessageId(format_uuid(row.id)),
      .conversation_id = command.conversation_id,
      .seq = ++conversation.view.last_seq,
      .sender_id = write.caller.user,
      .content = command.content,
      .type = command.type,
      .attachments = command.attachments,
      .files = command.files,
      .reply_to = command.reply_to,
      .thread_root = target ? std::optional(MessageId(format_uuid(target->root))) : std::nullopt,
      .reply_count = 0,
      .last_reply_at = {},
      .mentions = command.mentions,
      .metadata = command.metadata,
      .client_message_id = command.client_message_id,
      .reactions = {},
      .created_at = write.now,
      .edited_at = {},
      .deleted_at = {},
      .version = 1,
      .imported = false,
  };
  return row;
}

void count_reply(WriteContext& write, const UuidBytes& root) {
  write.db.update_one(
      collection::kMessages, make_document("_id", Uuid{root}),
      make_document("$inc", make_document("reply_count", 1), "$set", make_document("last_reply_at", write.now)));
}

}  // namespace

void count_own(mongo::Database& db, const ConversationKey& conversation, const UserId& author, std::int64_t messages) {
  db.update_one(collection::kMembers, make_document("_id", member_id(conversation, author)),
                make_document("$inc", make_document("accounted", messages)));
}

Result<Committed<Message>> send_message(WriteContext& write, const PreparedSend& send) {
  const SendMessage& command = send.command;
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const Standing standing = conversation->standing(write.caller);
  if (auto allowed = may_read_messages(standing); !allowed) return fail(allowed.error());
  const auto earlier = find_earlier(write.db, send);
  if (!earlier) return fail(earlier.error());
  if (const auto known = earlier->message()) {
    remember(write.db, send, *earlier, *known);
    auto row = find_message_row(write.db, *known);
    CHECK(row.has_value());
    row->message.conversation_id = command.conversation_id;
    return write.unchanged(complete(write.db, std::move(*row), write.caller.user));
  }
  if (auto allowed = may_send(standing); !allowed) return fail(allowed.error());
  const auto target = find_reply_target(write.db, *conversation, command.reply_to);
  if (!target) return fail(target.error());
  if (command.only_replay) return only_replays_now();
  if (auto there = check_files(write, command); !there) return fail(there.error());
  if (conversation->view.last_seq >= kMaxSeq) return no_more_messages();

  MessageRow row = new_row(write, *conversation, command, *target);
  write.db.insert(collection::kMessages, message_document(row, write.caller.tenant));
  if (*target) count_reply(write, (*target)->root);
  lock_files(write, command.attachments);
  remember(write.db, send, *earlier, row.id);
  count_own(write.db, conversation->key, write.caller.user, 1);
  write.event(*conversation, kMessageCreated, row.id, 1);
  ++conversation->live;
  conversation->view.last_activity_at = std::max(conversation->view.last_activity_at, write.now);
  write.save(*conversation);
  row.message.files.clear();
  return write.changed(std::move(row.message));
}

namespace {

void keep_version(mongo::Database& db, const MessageRow& row) {
  const Message& message = row.message;
  db.insert(
      collection::kVersions,
      make_document("_id", version_id(row.id, message.version), "message", Uuid{row.id}, "version", message.version,
                    "content", message.content, "mentions", texts_field(message.mentions), "metadata",
                    metadata_field(message.metadata), "created_at", message.edited_at.value_or(message.created_at)));
}

void write_content(mongo::Database& db, const MessageRow& row) {
  const Message& message = row.message;
  Document set = make_document("content", message.content, "edited_at", message.edited_at, "version", message.version,
                               "mentions", texts_field(message.mentions), "metadata", metadata_field(message.metadata));
  Document change = make_document("$set", set);
  Document unset;
  if (message.mentions.empty()) unset.add("mentions", "");
  if (!metadata_field(message.metadata)) unset.add("metadata", "");
  if (!unset.empty()) change.add("$unset", unset);
  db.update_one(collection::kMessages, make_document("_id", Uuid{row.id}), change);
}

}  // namespace

Result<Committed<Message>> edit_message(WriteContext& write, const EditMessage& command) {
  auto found = find_message(write.db, write.caller, command.message_id);
  if (!found) return not_found("message");
  auto& [conversation, row] = *found;
  Message& message = row.message;
  if (auto allowed = may_edit_message(conversation.standing(write.caller), message.sender_id == write.caller.user);
      !allowed) {
    return fail(allowed.error());
  }
  if (auto well = check_edit(command, message); !well) return fail(well.error());
  if (changes_nothing(command, message)) {
    return write.unchanged(complete(write.db, std::move(row), write.caller.user));
  }
  keep_version(write.db, row);
  apply(command, message, write.now);
  write_content(write.db, row);
  write.event(conversation, kMessageEdited, row.id, message.version);
  write.save(conversation);
  return write.changed(complete(write.db, std::move(row), write.caller.user));
}

namespace {

// The root's count of live replies, and when the last of them came.
void uncount_reply(mongo::Database& db, const UuidBytes& root) {
  const auto last = db.find_one(collection::kMessages, make_document("thread_root", Uuid{root}, "deleted_at", absent()),
                                {.sort = make_document("seq", -1), .fields = make_document("created_at", 1)});
  Document change = make_document("$inc", make_document("reply_count", -1));
  if (last) {
    change.add("$set", make_document("last_reply_at", last->view().time("created_at")));
  } else {
    change.add("$unset", make_document("last_reply_at", ""));
  }
  db.update_one(collection::kMessages, make_document("_id", Uuid{root}), change);
}

void write_tombstone(WriteContext& write, const MessageRow& row) {
  const Document said = make_document("content", "", "attachments", "", "files", "", "mentions", "", "metadata", "",
                                      "client_message_id", "", "reactions", "");
  write.db.update_one(collection::kMessages, make_document("_id", Uuid{row.id}),
                      make_document("$unset", said, "$set",
                                    make_document("deleted_at", write.now, "deleted_by", write.caller.user.value,
                                                  "version", row.message.version)));
  write.db.delete_many(collection::kVersions, make_document("message", Uuid{row.id}));
  write.db.delete_many(collection::kReactions, make_document("message", Uuid{row.id}));
}

}  // namespace

Result<Committed<Message>> delete_message(WriteContext& write, const DeleteMessage& command) {
  auto found = find_message(write.db, write.caller, command.message_id);
  if (!found) return not_found("message");
  auto& [conversation, row] = *found;
  Message& message = row.message;
  if (auto allowed = may_delete_message(conversation.standing(write.caller), message.sender_id == write.caller.user);
      !allowed) {
    return fail(allowed.error());
  }
  if (message.deleted_at) return write.unchanged(std::move(message));
  if (auto wanted = check_version(command.if_match, message.version); !wanted) return fail(wanted.error());

  apply_deletion(message, write.now);
  message.reactions.clear();
  write_tombstone(write, row);
  if (row.thread_root) uncount_reply(write.db, *row.thread_root);
  // It was counted for its author, and for those who had read it.
  write.db.update_many(collection::kMembers,
                       make_document("conversation", Uuid{conversation.key}, "$or",
                                     mongo::make_array(make_document("user", message.sender_id.value),
                                                       make_document("read_seq", make_document("$gte", message.seq)))),
                       make_document("$inc", make_document("accounted", -1)));
  --conversation.live;
  write.event(conversation, kMessageDeleted, message.id.value, message_deleted_data(message, write.caller.user));
  write.save(conversation);
  return write.changed(std::move(message));
}

}  // namespace parley::messaging::mongodb
