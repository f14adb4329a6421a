// Send, edit, delete and react, as jobs of the SQLite store.
#include "messaging/event_data.h"
#include "messaging/stores/sqlite_writes.h"

namespace parley::messaging {

namespace {

// What an earlier request of either key made. The keys are separate names: they must not point at different messages.
struct Earlier {
  std::optional<std::int64_t> by_key;
  std::optional<std::int64_t> by_client_key;
  std::optional<std::int64_t> message() const { return by_key ? by_key : by_client_key; }
};

Result<Earlier> find_earlier(sqlite::Connection& db, const PreparedSend& send) {
  Earlier earlier;
  if (send.key) {
    auto found = find_request(db, *send.key, send.request);
    if (!found) return std::unexpected(std::move(found.error()));
    earlier.by_key = *found;
  }
  if (send.client_key) {
    auto found = find_request(db, *send.client_key, send.request);
    if (!found) return std::unexpected(std::move(found.error()));
    earlier.by_client_key = *found;
  }
  if (earlier.by_key && earlier.by_client_key && *earlier.by_key != *earlier.by_client_key) {
    return keys_of_different_messages();
  }
  return earlier;
}

void remember(sqlite::Connection& db, const PreparedSend& send, const Earlier& earlier, std::int64_t message) {
  if (send.key && !earlier.by_key) remember_request(db, *send.key, send.request, message);
  if (send.client_key && !earlier.by_client_key) remember_request(db, *send.client_key, send.request, message);
}

Message load_message(sqlite::Connection& db, const Caller& caller, const ConversationRow& conversation,
                     std::int64_t key) {
  auto row = find_message_row(db, conversation.id, key);
  CHECK(row.has_value());
  return complete(db, std::move(*row), caller.user);
}

struct ReplyTarget {
  std::int64_t key = 0;
  std::int64_t root = 0;
  MessageId root_id;
};

Result<std::optional<ReplyTarget>> find_reply_target(sqlite::Connection& db, const ConversationRow& conversation,
                                                     const std::optional<MessageId>& reply_to) {
  if (!reply_to) return std::nullopt;
  const auto bytes = parse_uuid(reply_to->value);
  if (bytes) {
    sqlite::Query row(db,
                      "SELECT m.key, m.thread_root, (SELECT r.id FROM messages r WHERE r.key = m.thread_root) "
                      "FROM messages m WHERE m.id = ?1",
                      *bytes);
    if (row.step() && conversation_of_key(row.integer(0)) == conversation.row) {
      if (row.is_null(1)) return ReplyTarget{row.integer(0), row.integer(0), *reply_to};
      return ReplyTarget{row.integer(0), row.integer(1), MessageId(format_uuid(row.blob(2)))};
    }
  }
  return no_such_reply_target();
}

void count_own(sqlite::Connection& db, std::int64_t conversation, const UserId& author) {
  sqlite::Query(db, "UPDATE members SET accounted = accounted + 1 WHERE conversation = ?1 AND user = ?2", conversation,
                author.value)
      .run();
}

}  // namespace

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
    return write.unchanged(load_message(write.db, write.caller, *conversation, *known));
  }
  if (auto allowed = may_send(standing); !allowed) return fail(allowed.error());
  const auto target = find_reply_target(write.db, *conversation, command.reply_to);
  if (!target) return fail(target.error());
  if (command.only_replay) return only_replays_now();
  if (auto there = check_files(write.db, write.caller.tenant, command); !there) return fail(there.error());
  if (conversation->last_seq >= kMaxSeq) return no_more_messages();

  const Seq seq = ++conversation->last_seq;
  const std::int64_t key = message_key(conversation->row, seq);
  const UuidBytes id = write.ids.next(write.now);
  const bool plain = command.type == "text";
  sqlite::Query(write.db,
                "INSERT INTO messages(key, id, sender, content, type, attachments, reply_to, thread_root, mentions, "
                "metadata, client_message_id, created_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                key, id, write.caller.user.value, command.content,
                plain ? std::nullopt : std::optional<std::string_view>(command.type), ids_text(command.attachments),
                *target ? std::optional((*target)->key) : std::nullopt,
                *target ? std::optional((*target)->root) : std::nullopt, ids_text(command.mentions),
                metadata_column(command.metadata), command.client_message_id, to_ms(write.now))
      .run();
  if (*target) {
    sqlite::Query(write.db, "UPDATE messages SET reply_count = reply_count + 1, last_reply_at = ?2 WHERE key = ?1",
                  (*target)->root, to_ms(write.now))
        .run();
  }
  insert_files(write.db, key, command);
  remember(write.db, send, *earlier, key);
  count_own(write.db, conversation->row, write.caller.user);
  Message message{
      .id = MessageId(format_uuid(id)),
      .conversation_id = command.conversation_id,
      .seq = seq,
      .sender_id = write.caller.user,
      .content = command.content,
      .type = command.type,
      .attachments = command.attachments,
      .reply_to = command.reply_to,
      .thread_root = *target ? std::optional((*target)->root_id) : std::nullopt,
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
  write.event(*conversation, kMessageCreated, message.id.value, {key, 1});
  ++conversation->live;
  conversation->last_activity_at = std::max(conversation->last_activity_at, write.now);
  write.save(*conversation);
  return write.changed(std::move(message));
}

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

  sqlite::Query(write.db,
                "INSERT INTO message_versions(message, version, content, mentions, metadata, created_at) "
                "SELECT key, version, content, mentions, metadata, coalesce(edited_at, created_at) FROM messages "
                "WHERE key = ?1",
                row.key)
      .run();
  apply(command, message, write.now);
  sqlite::Query(write.db,
                "UPDATE messages SET content = ?2, mentions = ?3, metadata = ?4, edited_at = ?5, version = ?6 "
                "WHERE key = ?1",
                row.key, *message.content, ids_text(message.mentions), metadata_column(message.metadata),
                to_ms(write.now), message.version)
      .run();
  write.event(conversation, kMessageEdited, message.id.value, {row.key, message.version});
  write.save(conversation);
  return write.changed(complete(write.db, std::move(row), write.caller.user));
}

namespace {

// The root's count of live replies, and when the last of them came.
void uncount_reply(sqlite::Connection& db, std::int64_t root) {
  sqlite::Query(db,
                "UPDATE messages SET reply_count = reply_count - 1, last_reply_at = "
                "(SELECT r.created_at FROM messages r WHERE r.thread_root = ?1 AND r.deleted_at IS NULL "
                "ORDER BY r.key DESC LIMIT 1) WHERE key = ?1",
                root)
      .run();
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
  sqlite::Query(write.db,
                "UPDATE messages SET content = NULL, attachments = NULL, mentions = NULL, metadata = NULL, "
                "client_message_id = NULL, reaction_total = 0, deleted_at = ?2, deleted_by = ?3, version = ?4 "
                "WHERE key = ?1",
                row.key, to_ms(write.now), write.caller.user.value, message.version)
      .run();
  sqlite::Query(write.db, "DELETE FROM message_versions WHERE message = ?1", row.key).run();
  sqlite::Query(write.db, "DELETE FROM reactions WHERE message = ?1", row.key).run();
  sqlite::Query(write.db, "DELETE FROM message_files WHERE message = ?1", row.key).run();
  if (row.thread_root) uncount_reply(write.db, *row.thread_root);
  // It was counted for its author, and for those who had read it.
  sqlite::Query(
      write.db,
      "UPDATE members SET accounted = accounted - 1 WHERE conversation = ?1 AND (user = ?2 OR read_seq >= ?3)",
      conversation.row, message.sender_id.value, message.seq)
      .run();
  --conversation.live;
  write.event(conversation, kMessageDeleted, message.id.value, message_deleted_data(message, write.caller.user));
  write.save(conversation);
  return write.changed(std::move(message));
}

namespace {

Result<FoundMessage> find_for_reaction(WriteContext& write, const React& command, Result<> (*may)(const Standing&)) {
  auto found = find_message(write.db, write.caller, command.message_id);
  if (!found) return not_found("message");
  if (auto allowed = may(found->conversation.standing(write.caller)); !allowed) return fail(allowed.error());
  return std::move(*found);
}

void publish_reaction(WriteContext& write, FoundMessage& found, const char* type, const ReactionSummary& summary,
                      std::int64_t total) {
  const Message& message = found.row.message;
  write.event(found.conversation, type, message.id.value,
              reaction_data(message.id, message.conversation_id, message.seq,
                            {write.caller.user, summary.reaction, summary.count, total}));
  write.save(found.conversation);
}

void set_reaction_total(sqlite::Connection& db, std::int64_t message, std::int64_t total) {
  sqlite::Query(db, "UPDATE messages SET reaction_total = ?2 WHERE key = ?1", message, total).run();
}

}  // namespace

Result<Committed<ReactionSummary>> add_reaction(WriteContext& write, const React& command) {
  auto found = find_for_reaction(write, command, may_add_reaction);
  if (!found) return fail(found.error());
  const std::int64_t key = found->row.key;
  const UserId& user = write.caller.user;
  if (found->row.message.deleted_at) return message_is_deleted();
  auto summary = load_reaction(write.db, key, command.reaction, user);
  if (summary.mine) return write.unchanged(std::move(summary));
  if (summary.count == 0) {
    sqlite::Query kinds(write.db, "SELECT count(DISTINCT reaction) FROM reactions WHERE message = ?1", key);
    if (kinds.step() && kinds.integer(0) >= static_cast<std::int64_t>(kMaxReactionKinds)) {
      return too_many_reactions();
    }
  }
  sqlite::Query(write.db,
                "INSERT INTO reactions(message, reaction, user, place) VALUES(?1, ?2, ?3, "
                "(SELECT coalesce(max(place), 0) + 1 FROM reactions WHERE message = ?1))",
                key, command.reaction, user.value)
      .run();
  const std::int64_t total = found->row.reaction_total + 1;
  set_reaction_total(write.db, key, total);
  summary = load_reaction(write.db, key, command.reaction, user);
  publish_reaction(write, *found, kReactionAdded, summary, total);
  return write.changed(std::move(summary));
}

Result<Committed<ReactionSummary>> remove_reaction(WriteContext& write, const React& command) {
  auto found = find_for_reaction(write, command, may_remove_reaction);
  if (!found) return fail(found.error());
  const std::int64_t key = found->row.key;
  auto summary = load_reaction(write.db, key, command.reaction, write.caller.user);
  if (!summary.mine) return write.unchanged(std::move(summary));
  sqlite::Query(write.db, "DELETE FROM reactions WHERE message = ?1 AND reaction = ?2 AND user = ?3", key,
                command.reaction, write.caller.user.value)
      .run();
  const std::int64_t total = found->row.reaction_total - 1;
  set_reaction_total(write.db, key, total);
  summary = load_reaction(write.db, key, command.reaction, write.caller.user);
  publish_reaction(write, *found, kReactionRemoved, summary, total);
  return write.changed(std::move(summary));
}

}  // namespace parley::messaging
