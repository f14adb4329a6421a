// What a move writes into a SQLite store.
#include <algorithm>

#include "events/sqlite_event_log.h"
#include "events/sqlite_move_mark.h"
#include "messaging/stores/sqlite_rows.h"
#include "messaging/stores/sqlite_transfer.h"
#include "messaging/stores/sqlite_transfer_parts.h"

namespace parley::messaging {

using namespace transfer;  // NOLINT(google-build-using-namespace): the port's records, all over this file

namespace {

std::optional<std::int64_t> optional_ms(const std::optional<WallTime>& time) {
  return time ? std::optional(to_ms(*time)) : std::nullopt;
}

std::optional<UuidBytes> optional_uuid(const std::optional<MessageId>& id) {
  if (!id) return std::nullopt;
  return parse_uuid(id->value);
}

}  // namespace

Result<> SqliteTransfer::begin(const MoveMark& mark, const PositionSecret& secret) {
  return store_->write([&](sqlite::Connection& db) {
    events::take_position_secret(db, secret);
    events::write_move_mark(db, mark);
  });
}

namespace {

// A pair that was deleted and began anew is another conversation: the target may still have the former one as live.
void give_up_pair(sqlite::Connection& db, const ConversationRecord& record) {
  if (!record.pair) return;
  sqlite::Query(db,
                "UPDATE conversations SET direct_key = NULL WHERE tenant = ?1 AND direct_key = ?2 AND public_id <> ?3",
                record.name.tenant.value, *record.pair, record.name.id.value)
      .run();
}

std::int64_t insert_name(sqlite::Connection& db, const ConversationRecord& record) {
  sqlite::Query(db,
                "INSERT INTO conversations(tenant, public_id, kind, created_by, created_at, updated_at) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
                record.name.tenant.value, record.name.id.value, record.kind == ConversationKind::kDirect,
                record.created_by.value, to_ms(record.created_at))
      .run();
  return db.last_insert_rowid();
}

void write_fields(sqlite::Connection& db, std::int64_t row, const ConversationRecord& record) {
  sqlite::Query(db,
                "UPDATE conversations SET kind = ?2, direct_key = ?3, name = ?4, topic = ?5, metadata = ?6, "
                "archived = ?7, imported = ?8, created_by = ?9, created_at = ?10, updated_at = ?11, version = ?12, "
                "deleted_at = ?13 WHERE id = ?1",
                row, record.kind == ConversationKind::kDirect, record.pair, record.title, record.topic,
                metadata_column(record.metadata), record.archived, record.imported, record.created_by.value,
                to_ms(record.created_at), to_ms(record.updated_at), record.version, optional_ms(record.deleted_at))
      .run();
}

void write_state(sqlite::Connection& db, std::int64_t row, const ConversationRecord& record, bool whole) {
  sqlite::Query(db,
                "INSERT OR REPLACE INTO conversation_state(conversation, last_seq, live, event_number, member_count, "
                "owner_count, last_activity_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                row, record.last_seq, record.live, whole ? record.event_number : 0, record.member_count,
                record.owner_count, to_ms(record.last_activity_at))
      .run();
  sqlite::Query(db, "DELETE FROM erasures WHERE conversation = ?1", row).run();
  if (record.erase_from) {
    sqlite::Query(db, "INSERT INTO erasures(conversation, next_seq) VALUES(?1, ?2)", row, *record.erase_from).run();
  } else if (record.deleted_at) {
    // External ids stay until a deleted conversation is erased, and go all at once.
    sqlite::Query(db, "DELETE FROM import_ids WHERE conversation = ?1", row).run();
  }
}

}  // namespace

Result<> SqliteTransfer::put_conversation(const ConversationRecord& conversation, bool whole) {
  return store_->write([&](sqlite::Connection& db) {
    give_up_pair(db, conversation);
    const auto found = find_row(db, conversation.name);
    const std::int64_t row = found ? *found : insert_name(db, conversation);
    write_fields(db, row, conversation);
    write_state(db, row, conversation, whole);
  });
}

Result<> SqliteTransfer::put_members(const ConversationName& conversation, std::span<const MemberRecord> members) {
  if (members.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    const auto row = find_row(db, conversation);
    CHECK(row.has_value());
    for (const MemberRecord& member : members) {
      sqlite::Query(db,
                    "INSERT OR REPLACE INTO members(conversation, user, tenant, role, joined_at, read_seq, accounted) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    *row, member.user.value, conversation.tenant.value, static_cast<int>(member.role),
                    to_ms(member.joined_at), member.read_seq, member.accounted)
          .run();
    }
  });
}

Result<> SqliteTransfer::remove_members(const ConversationName& conversation, std::span<const UserId> users) {
  if (users.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    const auto row = find_row(db, conversation);
    CHECK(row.has_value());
    for (const UserId& user : users) {
      sqlite::Query(db, "DELETE FROM members WHERE conversation = ?1 AND user = ?2", *row, user.value).run();
    }
  });
}

namespace {

void insert_message(sqlite::Connection& db, std::int64_t key, const MessageRecord& record) {
  const Message& message = record.message;
  const auto id = parse_uuid(message.id.value);
  CHECK(id.has_value());
  const bool plain = message.type == "text";
  sqlite::Query(
      db,
      "INSERT OR REPLACE INTO messages(key, id, sender, content, type, attachments, reply_to, thread_root, "
      "reply_count, last_reply_at, mentions, metadata, client_message_id, reaction_total, created_at, edited_at, "
      "deleted_at, deleted_by, version, imported) VALUES(?1, ?2, ?3, ?4, ?5, ?6, "
      "(SELECT key FROM messages WHERE id = ?7), (SELECT key FROM messages WHERE id = ?8), ?9, ?10, ?11, ?12, ?13, "
      "?14, ?15, ?16, ?17, ?18, ?19, ?20)",
      key, *id, message.sender_id.value, message.content,
      plain ? std::nullopt : std::optional<std::string_view>(message.type), ids_text(message.attachments),
      optional_uuid(message.reply_to), optional_uuid(message.thread_root), message.reply_count,
      optional_ms(message.last_reply_at), ids_text(message.mentions), metadata_column(message.metadata),
      message.client_message_id, record.reactions.size(), to_ms(message.created_at), optional_ms(message.edited_at),
      optional_ms(message.deleted_at),
      record.deleted_by ? std::optional<std::string_view>(record.deleted_by->value) : std::nullopt, message.version,
      message.imported)
      .run();
}

void insert_files(sqlite::Connection& db, std::int64_t key, const Message& message) {
  for (std::size_t place = 0; place < message.attachments.size(); ++place) {
    const FileId& id = message.attachments[place];
    const auto known = std::ranges::find(message.files, id, &AttachedFile::id);
    const bool told = known != message.files.end();
    sqlite::Query(db,
                  "INSERT INTO message_files(message, place, file, filename, size, content_type) "
                  "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                  key, place, id.value, told ? std::optional<std::string_view>(known->filename) : std::nullopt,
                  told ? std::optional(known->size) : std::nullopt,
                  told ? std::optional<std::string_view>(known->content_type) : std::nullopt)
        .run();
  }
}

void insert_parts(sqlite::Connection& db, std::int64_t conversation, std::int64_t key, const MessageRecord& record) {
  for (const MessageVersion& version : record.versions) {
    sqlite::Query(db,
                  "INSERT INTO message_versions(message, version, content, mentions, metadata, created_at) "
                  "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                  key, version.version, version.content, ids_text(version.mentions), metadata_column(version.metadata),
                  to_ms(version.created_at))
        .run();
  }
  for (const ReactionRecord& reaction : record.reactions) {
    sqlite::Query(db, "INSERT INTO reactions(message, reaction, user, place) VALUES(?1, ?2, ?3, ?4)", key,
                  reaction.reaction, reaction.user.value, reaction.place)
        .run();
  }
  for (const std::string& external_id : record.external_ids) {
    sqlite::Query(db, "INSERT OR REPLACE INTO import_ids(conversation, external_id, message) VALUES(?1, ?2, ?3)",
                  conversation, external_id, key)
        .run();
  }
}

void remove_parts(sqlite::Connection& db, std::int64_t key) {
  sqlite::Query(db, "DELETE FROM message_versions WHERE message = ?1", key).run();
  sqlite::Query(db, "DELETE FROM reactions WHERE message = ?1", key).run();
  sqlite::Query(db, "DELETE FROM message_files WHERE message = ?1", key).run();
}

}  // namespace

Result<> SqliteTransfer::put_messages(const ConversationName& conversation, std::span<const MessageRecord> messages,
                                      bool replace) {
  if (messages.empty()) return {};
  external_ids_of_ = 0;
  return store_->write([&](sqlite::Connection& db) {
    const auto row = find_row(db, conversation);
    CHECK(row.has_value());
    for (const MessageRecord& record : messages) {
      const std::int64_t key = message_key(*row, record.message.seq);
      if (replace) remove_parts(db, key);
      insert_message(db, key, record);
      insert_files(db, key, record.message);
      insert_parts(db, *row, key, record);
    }
  });
}

Result<> SqliteTransfer::put_users(std::span<const UserRecord> users) {
  if (users.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const UserRecord& record : users) {
      const User& user = record.user;
      sqlite::Query(db,
                    "INSERT OR REPLACE INTO users(tenant, id, name, avatar_url, metadata, created_at, updated_at, "
                    "version) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    record.tenant.value, user.id.value, user.name, user.avatar_url, metadata_column(user.metadata),
                    to_ms(user.created_at), to_ms(user.updated_at), user.version)
          .run();
    }
  });
}

Result<> SqliteTransfer::put_deleted_files(std::span<const DeletedFileRecord> files) {
  if (files.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const DeletedFileRecord& file : files) {
      sqlite::Query(db, "INSERT OR REPLACE INTO deleted_files(tenant, file, told_at) VALUES(?1, ?2, ?3)",
                    file.tenant.value, file.file.value, to_ms(file.told_at))
          .run();
    }
  });
}

Result<> SqliteTransfer::remove_deleted_files(std::span<const DeletedFileRecord> files) {
  if (files.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const DeletedFileRecord& file : files) {
      sqlite::Query(db, "DELETE FROM deleted_files WHERE tenant = ?1 AND file = ?2", file.tenant.value, file.file.value)
          .run();
    }
  });
}

namespace {

// None: it came after what was copied of the rest, and is left to the next time.
std::optional<std::int64_t> find_resource(sqlite::Connection& db, const RequestRecord& record) {
  if (record.message) {
    const auto id = parse_uuid(record.message->value);
    if (!id) return std::nullopt;
    sqlite::Query row(db, "SELECT key FROM messages WHERE id = ?1", *id);
    return row.step() ? std::optional(row.integer(0)) : std::nullopt;
  }
  if (!record.conversation) return std::nullopt;
  sqlite::Query row(db, "SELECT id FROM conversations WHERE tenant = ?1 AND public_id = ?2",
                    record.conversation->tenant.value, record.conversation->id.value);
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

events::NumberedEvent event_of(sqlite::Connection& db, const LastEvent& last) {
  events::NewEvent event = events::new_event_of(last.event);
  if (last.refers) {
    const auto message = parse_uuid(last.event.subject);
    CHECK(message.has_value());
    sqlite::Query found(db, "SELECT key FROM messages WHERE id = ?1", *message);
    event.data.reset();
    event.reference = {.row = found.step() ? found.integer(0) : 0, .version = last.version};
  }
  return {event, last.event.offset};
}

}  // namespace

Result<> SqliteTransfer::put_requests(std::span<const RequestRecord> requests) {
  if (requests.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const RequestRecord& record : requests) {
      const auto resource = find_resource(db, record);
      if (!resource) continue;
      sqlite::Query(db, "INSERT OR REPLACE INTO idempotency(key, request, resource) VALUES(?1, ?2, ?3)", record.key,
                    record.request, *resource)
          .run();
    }
  });
}

Result<> SqliteTransfer::finish(const std::optional<LastEvent>& last) {
  const auto present = mark();
  if (!present) return fail(present.error());
  CHECK(present->has_value());
  auto done = store_->write([&](sqlite::Connection& db) {
    std::vector<events::NumberedEvent> events;
    if (last) events.push_back(event_of(db, *last));
    events::begin_behind(db, events);
    events::write_move_mark(db, {(*present)->source, MoveMark::State::kDone});
  });
  if (!done) return done;
  return store_->settle();
}

}  // namespace parley::messaging
