// Create, update and delete conversations, as jobs of the SQLite store.
#include <algorithm>

#include "messaging/event_data.h"
#include "messaging/stores/sqlite_writes.h"

namespace parley::messaging {

namespace {

// A held id answers its conversation to a member who asks for the same; else it is taken, and no more is told.
Result<std::optional<Conversation>> find_held(WriteContext& write, const CreateConversation& command) {
  if (!command.id) return std::nullopt;
  bool held = false;
  {
    sqlite::Query row(write.db, "SELECT 1 FROM conversations WHERE tenant = ?1 AND public_id = ?2",
                      write.caller.tenant.value, command.id->value);
    held = row.step();
  }
  if (!held) return std::nullopt;
  const auto existing = find_conversation(write.db, write.caller, *command.id);
  if (!existing || !existing->role) return conversation_id_is_taken();
  auto view = load_conversation(write.db, *existing, write.caller);
  if (!asks_for_the_same(command, view)) return conversation_id_is_taken();
  return view;
}

std::optional<std::int64_t> find_pair(WriteContext& write, const std::string& pair) {
  sqlite::Query row(write.db,
                    "SELECT id FROM conversations WHERE tenant = ?1 AND direct_key = ?2 AND direct_key IS NOT NULL "
                    "AND deleted_at IS NULL",
                    write.caller.tenant.value, pair);
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

Result<Conversation> view_of(WriteContext& write, std::int64_t row) {
  const auto conversation = find_conversation_of(write.db, write.caller, row);
  if (!conversation || !conversation->role) return not_found("conversation");
  return load_conversation(write.db, *conversation, write.caller);
}

ConversationRow insert_conversation(WriteContext& write, const CreateConversation& command,
                                    const std::optional<std::string>& pair) {
  ConversationRow row;
  row.id = command.id ? *command.id : ConversationId(format_uuid(write.ids.next(write.now)));
  row.kind = command.kind;
  row.imported = command.imported;
  row.last_activity_at = write.now;
  sqlite::Query(write.db,
                "INSERT INTO conversations(tenant, public_id, kind, direct_key, name, topic, metadata, imported, "
                "created_by, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
                write.caller.tenant.value, row.id.value, command.kind == ConversationKind::kDirect, pair, command.name,
                command.topic, metadata_column(command.metadata), command.imported, write.caller.user.value,
                to_ms(write.now))
      .run();
  row.row = write.db.last_insert_rowid();
  sqlite::Query(write.db, "INSERT INTO conversation_state(conversation, last_activity_at) VALUES(?1, ?2)", row.row,
                to_ms(write.now))
      .run();
  return row;
}

}  // namespace

Result<Committed<Conversation>> create_conversation(WriteContext& write, const CreateConversation& command) {
  if (auto allowed = may_create_conversation(write.caller.roles, command.imported); !allowed) {
    return fail(allowed.error());
  }
  const Digest request = request_digest(command);
  std::optional<Digest> key;
  if (command.idempotency_key) {
    key = idempotency_scope(write.caller, "create_conversation", *command.idempotency_key);
    const auto earlier = find_request(write.db, *key, request);
    if (!earlier) return fail(earlier.error());
    if (*earlier) {
      auto view = view_of(write, **earlier);
      if (!view) return fail(view.error());
      return write.unchanged(std::move(*view));
    }
  }
  const bool direct = command.kind == ConversationKind::kDirect;
  std::optional<std::string> pair;
  if (direct) {
    CHECK(command.members.size() == 1);
    pair = pair_key(write.caller.user, command.members.front());
    if (const auto existing = find_pair(write, *pair)) {
      auto view = view_of(write, *existing);
      if (!view) return fail(view.error());
      if (key) remember_request(write.db, *key, request, *existing);
      return write.unchanged(std::move(*view));
    }
  }
  auto held = find_held(write, command);
  if (!held) return fail(held.error());
  if (*held) {
    if (key) {
      const auto row = find_conversation(write.db, write.caller, *command.id);
      remember_request(write.db, *key, request, row->row);
    }
    return write.unchanged(std::move(**held));
  }
  const auto members = static_cast<std::int64_t>(command.members.size()) + 1;
  if (auto fits = may_have_members(members, direct ? 0 : write.max_members); !fits) return fail(fits.error());

  ConversationRow row = insert_conversation(write, command, pair);
  if (key) remember_request(write.db, *key, request, row.row);
  Conversation created = load_conversation(write.db, row, write.caller);
  write.event(row, kConversationCreated, row.id.value, conversation_data(created));
  insert_member(write, row, write.caller.user, direct ? MemberRole::kMember : MemberRole::kOwner);
  for (const UserId& member : command.members) insert_member(write, row, member, MemberRole::kMember);
  write.save(row);
  auto view = view_of(write, row.row);
  if (!view) return fail(view.error());
  return write.changed(std::move(*view));
}

Result<Committed<Conversation>> update_conversation(WriteContext& write, const UpdateConversation& command) {
  auto row = find_conversation(write.db, write.caller, command.conversation_id);
  if (!row) return not_found("conversation");
  if (auto allowed = may_update_conversation(row->standing(write.caller), touches_only_metadata(command)); !allowed) {
    return fail(allowed.error());
  }
  Conversation view = load_conversation(write.db, *row, write.caller);
  if (auto wanted = check_version(command.if_match, view.version); !wanted) return fail(wanted.error());
  if (changes_nothing(command, view)) return write.unchanged(std::move(view));

  apply(command, view, write.now);
  sqlite::Query(write.db,
                "UPDATE conversations SET name = ?2, topic = ?3, metadata = ?4, archived = ?5, updated_at = ?6, "
                "version = ?7 WHERE id = ?1",
                row->row, view.name, view.topic, metadata_column(view.metadata), view.archived, to_ms(write.now),
                view.version)
      .run();
  write.event(*row, kConversationUpdated, view.id.value, conversation_data(view));
  write.save(*row);
  return write.changed(std::move(view));
}

namespace {

// Events hold messages by reference, but a conversation's fields by value.
void erase_fields_in_log(WriteContext& write, const ConversationRow& conversation) {
  sqlite::Query(write.db,
                "UPDATE event_log SET data = json_set(data, '$.name', NULL, '$.topic', NULL, '$.metadata', json('{}')) "
                "WHERE tenant = ?1 AND key = ?2 AND scope = 0 AND type IN ('conversation.created', "
                "'conversation.updated')",
                write.caller.tenant.value, conversation.id.value)
      .run();
}

}  // namespace

Result<Committed<Nothing>> delete_conversation(WriteContext& write, const DeleteConversation& command) {
  auto row = find_conversation(write.db, write.caller, command.conversation_id);
  if (!row) return not_found("conversation");
  if (auto allowed = may_delete_conversation(row->standing(write.caller)); !allowed) return fail(allowed.error());
  const Version version = load_conversation(write.db, *row, write.caller).version;
  if (auto wanted = check_version(command.if_match, version); !wanted) return fail(wanted.error());

  sqlite::Query(write.db,
                "UPDATE conversations SET deleted_at = ?2, direct_key = NULL, name = NULL, topic = NULL, "
                "metadata = NULL WHERE id = ?1",
                row->row, to_ms(write.now))
      .run();
  erase_fields_in_log(write, *row);
  sqlite::Query(write.db, "DELETE FROM members WHERE conversation = ?1", row->row).run();
  sqlite::Query(write.db, "INSERT INTO erasures(conversation, next_seq) VALUES(?1, 1)", row->row).run();
  write.event(*row, kConversationDeleted, row->id.value,
              conversation_deleted_data(row->id, write.now, write.caller.user));
  row->member_count = 0;
  row->owner_count = 0;
  write.save(*row);
  return write.changed(Nothing{});
}

namespace {

struct Erasure {
  std::int64_t conversation = 0;
  Seq next = 0;
  Seq last = 0;
};

std::optional<Erasure> find_erasure(sqlite::Connection& db) {
  sqlite::Query row(db,
                    "SELECT e.conversation, e.next_seq, s.last_seq FROM erasures e "
                    "JOIN conversation_state s ON s.conversation = e.conversation ORDER BY e.conversation LIMIT 1");
  if (!row.step()) return std::nullopt;
  return Erasure{row.integer(0), row.integer(1), row.integer(2)};
}

std::int64_t erase_range(sqlite::Connection& db, const Erasure& erasure, Seq through) {
  const std::int64_t low = message_key(erasure.conversation, erasure.next);
  const std::int64_t high = message_key(erasure.conversation, through);
  const auto erased =
      sqlite::Query(db,
                    "UPDATE messages SET content = NULL, attachments = NULL, mentions = NULL, metadata = NULL, "
                    "client_message_id = NULL, reaction_total = 0, reply_count = 0, last_reply_at = NULL, deleted_at = "
                    "(SELECT deleted_at FROM conversations WHERE id = ?3) "
                    "WHERE key BETWEEN ?1 AND ?2 AND deleted_at IS NULL",
                    low, high, erasure.conversation)
          .run();
  sqlite::Query(db, "DELETE FROM message_versions WHERE message BETWEEN ?1 AND ?2", low, high).run();
  sqlite::Query(db, "DELETE FROM reactions WHERE message BETWEEN ?1 AND ?2", low, high).run();
  sqlite::Query(db, "DELETE FROM message_files WHERE message BETWEEN ?1 AND ?2", low, high).run();
  sqlite::Query(db, "UPDATE conversation_state SET live = live - ?2 WHERE conversation = ?1", erasure.conversation,
                erased)
      .run();
  return erased;
}

}  // namespace

std::int64_t erase_deleted(sqlite::Connection& db, std::int64_t limit) {
  const auto erasure = find_erasure(db);
  if (!erasure) return 0;
  const Seq through = std::min(erasure->last, erasure->next + limit - 1);
  const std::int64_t looked_at = through - erasure->next + 1;
  if (looked_at > 0) erase_range(db, *erasure, through);
  if (through >= erasure->last) {
    sqlite::Query(db, "DELETE FROM import_ids WHERE conversation = ?1", erasure->conversation).run();
    sqlite::Query(db, "DELETE FROM erasures WHERE conversation = ?1", erasure->conversation).run();
  } else {
    sqlite::Query(db, "UPDATE erasures SET next_seq = ?2 WHERE conversation = ?1", erasure->conversation, through + 1)
        .run();
  }
  return std::max<std::int64_t>(looked_at, 1);
}

}  // namespace parley::messaging
