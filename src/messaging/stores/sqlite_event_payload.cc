#include "messaging/stores/sqlite_event_payload.h"

#include "messaging/event_data.h"
#include "messaging/stores/sqlite_rows.h"
#include "messaging/write_rules.h"

namespace parley::messaging {

namespace {

bool conversation_is_deleted(sqlite::Connection& db, std::int64_t conversation) {
  sqlite::Query row(db, "SELECT deleted_at IS NOT NULL FROM conversations WHERE id = ?1", conversation);
  return !row.step() || row.integer(0) != 0;
}

void take_old_version(sqlite::Connection& db, std::int64_t key, Version version, Message& message) {
  sqlite::Query row(db,
                    "SELECT content, mentions, metadata, created_at FROM message_versions "
                    "WHERE message = ?1 AND version = ?2",
                    key, version);
  if (!row.step()) return;
  message.content = row.optional_text(0);
  message.mentions = parse_ids<UserId>(row.text(1));
  message.metadata = metadata_of(row, 2);
  message.edited_at = version == 1 ? std::nullopt : std::optional(wall_time(row.integer(3)));
}

}  // namespace

std::string resolve_message_event(sqlite::Connection& db, const events::Event& event,
                                  events::EventReference reference) {
  auto row = find_message_row(db, ConversationId(event.key), reference.row);
  CHECK(row.has_value());
  load_files(db, *row);
  Message& message = row->message;
  if (message.deleted_at || conversation_is_deleted(db, conversation_of_key(reference.row))) {
    say_nothing(message);
  } else if (message.version != reference.version) {
    take_old_version(db, reference.row, reference.version, message);
  }
  date_back(message, reference.version, event.time);
  return message_data(message);
}

}  // namespace parley::messaging
