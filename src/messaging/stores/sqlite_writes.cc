#include "messaging/stores/sqlite_writes.h"

#include <algorithm>

#include "messaging/event_data.h"

namespace parley::messaging {

void WriteContext::event(ConversationRow& conversation, std::string_view type, std::string_view subject,
                         std::string_view data) {
  offset_ = events::append(db, {.id = ids.next(now),
                                .type = type,
                                .tenant = caller.tenant.value,
                                .key = conversation.id.value,
                                .number = ++conversation.event_number,
                                .time = now,
                                .subject = subject,
                                .data = data});
}

void WriteContext::event(ConversationRow& conversation, std::string_view type, std::string_view subject,
                         events::EventReference reference) {
  offset_ = events::append(db, {.id = ids.next(now),
                                .type = type,
                                .tenant = caller.tenant.value,
                                .key = conversation.id.value,
                                .number = ++conversation.event_number,
                                .time = now,
                                .subject = subject,
                                .data = {},
                                .reference = reference});
}

void WriteContext::event(const User& user) {
  const std::string data = user_data(user);
  offset_ = events::append(db, {.id = ids.next(now),
                                .type = kUserUpdated,
                                .tenant = caller.tenant.value,
                                .scope = events::EventScope::kUser,
                                .key = user.id.value,
                                .number = user.version,  // one event for each version
                                .time = now,
                                .subject = user.id.value,
                                .data = data});
}

void WriteContext::save(const ConversationRow& conversation) {
  sqlite::Query(db,
                "UPDATE conversation_state SET last_seq = ?2, live = ?3, event_number = ?4, member_count = ?5, "
                "owner_count = ?6, last_activity_at = ?7 WHERE conversation = ?1",
                conversation.row, conversation.last_seq, conversation.live, conversation.event_number,
                conversation.member_count, conversation.owner_count, to_ms(conversation.last_activity_at))
      .run();
}

Result<std::optional<std::int64_t>> find_request(sqlite::Connection& db, const Digest& key, const Digest& request) {
  sqlite::Query row(db, "SELECT request, resource FROM idempotency WHERE key = ?1", key);
  if (!row.step()) return std::nullopt;
  if (!std::ranges::equal(row.blob(0), request)) {
    return key_of_another_request();
  }
  return row.integer(1);
}

void remember_request(sqlite::Connection& db, const Digest& key, const Digest& request, std::int64_t resource) {
  sqlite::Query(db, "INSERT INTO idempotency(key, request, resource) VALUES(?1, ?2, ?3)", key, request, resource).run();
}

}  // namespace parley::messaging
