// What messages attach, as jobs of the SQLite store: kept with the message, taken out when the file is deleted.
#include <algorithm>

#include "messaging/event_data.h"
#include "messaging/stores/sqlite_writes.h"

namespace parley::messaging {

namespace {

constexpr std::chrono::hours kDeletedFilesKept{24};
constexpr std::int64_t kOutlivedAtOnce = 1'000;

bool is_deleted(sqlite::Connection& db, const TenantId& tenant, const FileId& file) {
  sqlite::Query row(db, "SELECT 1 FROM deleted_files WHERE tenant = ?1 AND file = ?2", tenant.value, file.value);
  return row.step();
}

void note_deleted(WriteContext& write, const FileId& file) {
  sqlite::Query(write.db, "INSERT INTO deleted_files(tenant, file, told_at) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
                write.caller.tenant.value, file.value, to_ms(write.now))
      .run();
  sqlite::Query(write.db,
                "DELETE FROM deleted_files WHERE (tenant, file) IN (SELECT tenant, file FROM deleted_files "
                "WHERE told_at < ?1 ORDER BY told_at LIMIT ?2)",
                to_ms(write.now - kDeletedFilesKept), kOutlivedAtOnce)
      .run();
}

std::vector<std::int64_t> find_knowing(WriteContext& write, const ForgetFile& command) {
  std::vector<std::int64_t> keys;
  sqlite::Query rows(write.db,
                     "SELECT f.message FROM message_files f JOIN conversations c ON c.id = f.message >> 32 "
                     "WHERE f.file = ?1 AND f.message > ?2 AND f.filename IS NOT NULL AND c.tenant = ?3 "
                     "ORDER BY f.message LIMIT ?4",
                     command.file.value, command.after, write.caller.tenant.value, command.limit);
  while (rows.step()) keys.push_back(rows.integer(0));
  return keys;
}

void publish(WriteContext& write, ConversationRow& conversation, std::int64_t key) {
  sqlite::Query row(write.db, "SELECT id, version FROM messages WHERE key = ?1", key);
  CHECK(row.step());
  write.event(conversation, kMessageFilesChanged, format_uuid(row.blob(0)), {key, row.integer(1)});
}

}  // namespace

void insert_files(sqlite::Connection& db, std::int64_t message, const SendMessage& command) {
  for (std::size_t place = 0; place < command.attachments.size(); ++place) {
    const FileId& id = command.attachments[place];
    const auto known = std::ranges::find(command.files, id, &AttachedFile::id);
    const bool told = known != command.files.end();
    sqlite::Query(db,
                  "INSERT INTO message_files(message, place, file, filename, size, content_type) "
                  "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                  message, place, id.value, told ? std::optional<std::string_view>(known->filename) : std::nullopt,
                  told ? std::optional(known->size) : std::nullopt,
                  told ? std::optional<std::string_view>(known->content_type) : std::nullopt)
        .run();
  }
}

Result<> check_files(sqlite::Connection& db, const TenantId& tenant, const SendMessage& command) {
  std::vector<std::size_t> gone;
  for (std::size_t place = 0; place < command.attachments.size(); ++place) {
    if (is_deleted(db, tenant, command.attachments[place])) gone.push_back(place);
  }
  if (gone.empty()) return {};
  return attachments_are_gone(gone);
}

Result<Committed<ForgottenPart>> forget_file(WriteContext& write, const ForgetFile& command) {
  note_deleted(write, command.file);
  const std::vector<std::int64_t> keys = find_knowing(write, command);
  std::optional<ConversationRow> conversation;
  for (const std::int64_t key : keys) {
    sqlite::Query(write.db,
                  "UPDATE message_files SET filename = NULL, size = NULL, content_type = NULL WHERE file = ?1 AND "
                  "message = ?2",
                  command.file.value, key)
        .run();
    if (!conversation || conversation->row != conversation_of_key(key)) {
      if (conversation) write.save(*conversation);
      conversation = find_conversation_of(write.db, write.caller, conversation_of_key(key));
    }
    if (conversation) publish(write, *conversation, key);  // else it is deleted, and being erased
  }
  if (conversation) write.save(*conversation);
  const auto done = static_cast<std::int64_t>(keys.size());
  return write.changed(ForgottenPart{done, done == command.limit ? std::optional(keys.back()) : std::nullopt});
}

}  // namespace parley::messaging
