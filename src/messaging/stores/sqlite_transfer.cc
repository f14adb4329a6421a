// Opening, marks and reading; what is written stands in sqlite_transfer_writes.cc.
#include "messaging/stores/sqlite_transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "events/sqlite_event_log.h"
#include "events/sqlite_move_mark.h"
#include "messaging/stores/sqlite_messaging_store.h"
#include "messaging/stores/sqlite_rows.h"
#include "messaging/stores/sqlite_transfer_parts.h"

namespace parley::messaging {

namespace fs = std::filesystem;
using namespace transfer;  // NOLINT(google-build-using-namespace): the port's records, all over this file

namespace {

std::optional<WallTime> optional_time(const sqlite::Query& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(wall_time(row.integer(column)));
}

template <class Key>
std::int64_t limit_of(const Range<Key>& range) {
  return range.limit == 0 ? -1 : static_cast<std::int64_t>(range.limit);
}

// The two halves of a key's bounds as SQL parameters: '' is below every id, none is no bound.
template <class Key>
struct Bounds {
  explicit Bounds(const Range<Key>& range)
      : tenant(range.after ? range.after->tenant.value : ""),
        id(range.after ? range.after->id.value : ""),
        last_tenant(range.through ? std::optional(range.through->tenant.value) : std::nullopt),
        last_id(range.through ? std::optional(range.through->id.value) : std::nullopt),
        limit(limit_of(range)) {}
  std::string tenant;
  std::string id;
  std::optional<std::string> last_tenant;
  std::optional<std::string> last_id;
  std::int64_t limit;
};

}  // namespace

namespace {

sqlite::MovedDatabase::Kind kind() {
  return {kMessagingDatabase, kMessagingApplicationId, messaging_migrations(), "messaging"};
}

}  // namespace

Result<std::unique_ptr<SqliteTransfer>> SqliteTransfer::open_source(const fs::path& folder, sqlite::MoveLock lock) {
  auto store = sqlite::MovedDatabase::open_source(folder, kind(), lock);
  if (!store) return fail(std::move(store.error()));
  return std::unique_ptr<SqliteTransfer>(new SqliteTransfer(std::move(*store)));
}

Result<std::unique_ptr<SqliteTransfer>> SqliteTransfer::open_target(const fs::path& folder) {
  auto store = sqlite::MovedDatabase::open_target(folder, kind());
  if (!store) return fail(std::move(store.error()));
  return std::unique_ptr<SqliteTransfer>(new SqliteTransfer(std::move(*store)));
}

Result<PositionSecret> SqliteTransfer::position_secret() {
  return store_->read<PositionSecret>([](sqlite::Connection& db) { return events::load_position_secret(db); });
}

Result<std::optional<LastEvent>> SqliteTransfer::last_event() {
  return store_->read<std::optional<LastEvent>>([](sqlite::Connection& db) -> std::optional<LastEvent> {
    sqlite::Query row(db, "SELECT " PARLEY_EVENT_COLUMNS " FROM event_log ORDER BY position DESC LIMIT 1");
    if (!row.step()) return std::nullopt;
    LastEvent last;
    last.event = events::read_event(row);
    last.refers = row.is_null(9);
    if (last.refers) last.version = row.integer(11);
    return last;
  });
}

Result<std::vector<ConversationRecord>> SqliteTransfer::conversations(const Range<ConversationName>& range) {
  return store_->read<std::vector<ConversationRecord>>([&range](sqlite::Connection& db) {
    const Bounds bounds(range);
    std::vector<ConversationRecord> records;
    sqlite::Query row(db,
                      "SELECT c.tenant, c.public_id, c.kind, c.direct_key, c.name, c.topic, c.metadata, c.archived, "
                      "c.imported, c.created_by, c.created_at, c.updated_at, c.version, c.deleted_at, e.next_seq, "
                      "s.last_seq, s.live, s.event_number, s.member_count, s.owner_count, s.last_activity_at "
                      "FROM conversations c JOIN conversation_state s ON s.conversation = c.id "
                      "LEFT JOIN erasures e ON e.conversation = c.id WHERE (c.tenant, c.public_id) > (?1, ?2) "
                      "AND (?3 IS NULL OR (c.tenant, c.public_id) <= (?3, ?4)) ORDER BY c.tenant, c.public_id LIMIT ?5",
                      bounds.tenant, bounds.id, bounds.last_tenant, bounds.last_id, bounds.limit);
    while (row.step()) {
      ConversationRecord record;
      record.name = {TenantId(row.text(0)), ConversationId(row.text(1))};
      record.kind = row.integer(2) == 0 ? ConversationKind::kGroup : ConversationKind::kDirect;
      record.deleted_at = optional_time(row, 13);
      if (!record.deleted_at) record.pair = row.optional_text(3);
      record.title = row.optional_text(4);
      record.topic = row.optional_text(5);
      record.metadata = metadata_of(row, 6);
      record.archived = row.integer(7) != 0;
      record.imported = row.integer(8) != 0;
      record.created_by = UserId(row.text(9));
      record.created_at = wall_time(row.integer(10));
      record.updated_at = wall_time(row.integer(11));
      record.version = row.integer(12);
      record.erase_from = row.optional_integer(14);
      record.last_seq = row.integer(15);
      record.live = row.integer(16);
      record.event_number = row.integer(17);
      record.member_count = row.integer(18);
      record.owner_count = row.integer(19);
      record.last_activity_at = wall_time(row.integer(20));
      records.push_back(std::move(record));
    }
    return records;
  });
}

std::optional<std::int64_t> find_row(sqlite::Connection& db, const ConversationName& conversation) {
  sqlite::Query row(db, "SELECT id FROM conversations WHERE tenant = ?1 AND public_id = ?2", conversation.tenant.value,
                    conversation.id.value);
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

Result<std::vector<MemberRecord>> SqliteTransfer::members(const ConversationName& conversation) {
  return store_->read<std::vector<MemberRecord>>([&](sqlite::Connection& db) {
    std::vector<MemberRecord> records;
    const auto found = find_row(db, conversation);
    if (!found) return records;
    sqlite::Query row(db,
                      "SELECT user, role, joined_at, read_seq, accounted FROM members WHERE conversation = ?1 "
                      "ORDER BY user",
                      *found);
    while (row.step()) {
      records.push_back({UserId(row.text(0)), static_cast<MemberRole>(row.integer(1)), wall_time(row.integer(2)),
                         row.integer(3), row.integer(4)});
    }
    return records;
  });
}

void SqliteTransfer::load_external_ids(sqlite::Connection& db, std::int64_t conversation) {
  if (external_ids_of_ == conversation) return;
  external_ids_.clear();
  sqlite::Query row(db, "SELECT message, external_id FROM import_ids WHERE conversation = ?1 ORDER BY external_id",
                    conversation);
  while (row.step()) external_ids_.emplace(row.integer(0), row.text(1));
  external_ids_of_ = conversation;
}

namespace {

using ByKey = std::map<std::int64_t, MessageRecord>;

void add_versions(sqlite::Connection& db, ByKey& records) {
  sqlite::Query row(db,
                    "SELECT message, version, content, mentions, metadata, created_at FROM message_versions "
                    "WHERE message BETWEEN ?1 AND ?2 ORDER BY message, version",
                    records.begin()->first, records.rbegin()->first);
  while (row.step()) {
    const auto at = records.find(row.integer(0));
    if (at == records.end()) continue;
    at->second.versions.push_back({row.integer(1), std::string(row.text(2)), parse_ids<UserId>(row.text(3)),
                                   metadata_of(row, 4), wall_time(row.integer(5))});
  }
}

void add_reactions(sqlite::Connection& db, ByKey& records) {
  sqlite::Query row(db,
                    "SELECT message, reaction, user, place FROM reactions WHERE message BETWEEN ?1 AND ?2 "
                    "ORDER BY message, place, reaction, user",
                    records.begin()->first, records.rbegin()->first);
  while (row.step()) {
    const auto at = records.find(row.integer(0));
    if (at == records.end()) continue;
    at->second.reactions.push_back({std::string(row.text(1)), UserId(row.text(2)), row.integer(3)});
  }
}

void add_files(sqlite::Connection& db, ByKey& records) {
  sqlite::Query row(db,
                    "SELECT message, file, filename, size, content_type FROM message_files "
                    "WHERE message BETWEEN ?1 AND ?2 AND filename IS NOT NULL ORDER BY message, place",
                    records.begin()->first, records.rbegin()->first);
  while (row.step()) {
    const auto at = records.find(row.integer(0));
    if (at == records.end()) continue;
    at->second.message.files.push_back(
        {FileId(row.text(1)), std::string(row.text(2)), row.integer(3), std::string(row.text(4))});
  }
}

}  // namespace

Result<std::vector<MessageRecord>> SqliteTransfer::messages(const ConversationName& conversation,
                                                            const Range<Seq>& range) {
  return store_->read<std::vector<MessageRecord>>([&](sqlite::Connection& db) {
    std::vector<MessageRecord> found;
    const auto conversation_row = find_row(db, conversation);
    if (!conversation_row) return found;
    ByKey records;
    {
      sqlite::Query row(db,
                        "SELECT " PARLEY_MESSAGE_COLUMNS
                        ", m.deleted_by FROM messages m WHERE m.key > ?1 AND m.key <= ?2 ORDER BY m.key LIMIT ?3",
                        message_key(*conversation_row, range.after.value_or(0)),
                        message_key(*conversation_row, range.through.value_or(kMaxSeq)), limit_of(range));
      while (row.step()) {
        MessageRow message = read_message_row(row, {});
        MessageRecord& record = records[message.key];
        record.message = std::move(message.message);
        if (!row.is_null(kDeletedByColumn)) record.deleted_by = UserId(row.text(kDeletedByColumn));
      }
    }
    if (records.empty()) return found;
    add_versions(db, records);
    add_reactions(db, records);
    add_files(db, records);
    load_external_ids(db, *conversation_row);
    for (auto& [key, record] : records) {
      const auto [first, last] = external_ids_.equal_range(key);
      for (auto at = first; at != last; ++at) record.external_ids.push_back(at->second);
      found.push_back(std::move(record));
    }
    return found;
  });
}

Result<std::vector<UserRecord>> SqliteTransfer::users(const Range<UserName>& range) {
  return store_->read<std::vector<UserRecord>>([&range](sqlite::Connection& db) {
    const Bounds bounds(range);
    std::vector<UserRecord> records;
    sqlite::Query row(db,
                      "SELECT tenant, id, name, avatar_url, metadata, created_at, updated_at, version FROM users "
                      "WHERE (tenant, id) > (?1, ?2) AND (?3 IS NULL OR (tenant, id) <= (?3, ?4)) "
                      "ORDER BY tenant, id LIMIT ?5",
                      bounds.tenant, bounds.id, bounds.last_tenant, bounds.last_id, bounds.limit);
    while (row.step()) {
      records.push_back({TenantId(row.text(0)),
                         {UserId(row.text(1)), row.optional_text(2), row.optional_text(3), metadata_of(row, 4),
                          wall_time(row.integer(5)), wall_time(row.integer(6)), row.integer(7)}});
    }
    return records;
  });
}

Result<std::vector<DeletedFileRecord>> SqliteTransfer::deleted_files(const Range<FileName>& range) {
  return store_->read<std::vector<DeletedFileRecord>>([&range](sqlite::Connection& db) {
    const Bounds bounds(range);
    std::vector<DeletedFileRecord> records;
    sqlite::Query row(db,
                      "SELECT tenant, file, told_at FROM deleted_files WHERE (tenant, file) > (?1, ?2) "
                      "AND (?3 IS NULL OR (tenant, file) <= (?3, ?4)) ORDER BY tenant, file LIMIT ?5",
                      bounds.tenant, bounds.id, bounds.last_tenant, bounds.last_id, bounds.limit);
    while (row.step()) {
      records.push_back({TenantId(row.text(0)), FileId(row.text(1)), wall_time(row.integer(2))});
    }
    return records;
  });
}

Result<std::vector<RequestRecord>> SqliteTransfer::requests(const Range<Digest>& range) {
  return store_->read<std::vector<RequestRecord>>([&range](sqlite::Connection& db) {
    std::vector<RequestRecord> records;
    const sqlite::Blob after = range.after ? sqlite::Blob(*range.after) : sqlite::Blob(kBelowAll, 0);
    const std::optional<sqlite::Blob> through =
        range.through ? std::optional(sqlite::Blob(*range.through)) : std::nullopt;
    // A message's key is beyond every conversation's row.
    sqlite::Query row(db,
                      "SELECT i.key, i.request, m.id, c.tenant, c.public_id FROM idempotency i "
                      "LEFT JOIN messages m ON i.resource >= 4294967296 AND m.key = i.resource "
                      "LEFT JOIN conversations c ON i.resource < 4294967296 AND c.id = i.resource "
                      "WHERE i.key > ?1 AND (?2 IS NULL OR i.key <= ?2) ORDER BY i.key LIMIT ?3",
                      after, through, limit_of(range));
    while (row.step()) {
      RequestRecord record;
      std::ranges::copy(row.blob(0), record.key.begin());
      std::ranges::copy(row.blob(1), record.request.begin());
      if (!row.is_null(2)) record.message = MessageId(format_uuid(row.blob(2)));
      if (!row.is_null(3)) record.conversation = ConversationName{TenantId(row.text(3)), ConversationId(row.text(4))};
      records.push_back(std::move(record));
    }
    return records;
  });
}

Result<std::optional<MoveMark>> SqliteTransfer::mark() {
  return store_->read<std::optional<MoveMark>>(events::read_move_mark);
}

Result<bool> SqliteTransfer::is_empty() {
  return store_->read<bool>([](sqlite::Connection& db) {
    return db.query_int(
               "SELECT EXISTS(SELECT 1 FROM conversations) + EXISTS(SELECT 1 FROM users) + "
               "EXISTS(SELECT 1 FROM event_log)") == 0;
  });
}

}  // namespace parley::messaging
