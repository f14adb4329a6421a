// Reading messaging's rows into domain values, for the reads and writes of the SQLite store alike. Every function takes
// the caller or the tenant: no row is found without it. Called inside a snapshot or a transaction; throws
// sqlite::Failure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/sqlite/connection.h"
#include "messaging/rights.h"
#include "messaging/stores/sqlite_schema.h"
#include "messaging/types.h"
#include "tenancy/caller.h"

namespace parley::messaging {

inline WallTime wall_time(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}
inline std::int64_t to_ms(WallTime time) {
  return time.time_since_epoch().count();
}

// A live conversation with its counters, and the caller's membership in it.
struct ConversationRow {
  std::int64_t row = 0;
  ConversationId id;
  ConversationKind kind = ConversationKind::kGroup;
  bool archived = false;
  bool imported = false;
  std::optional<MemberRole> role;
  Seq read_seq = 0;
  std::int64_t accounted = 0;
  Seq last_seq = 0;
  std::int64_t live = 0;
  std::int64_t event_number = 0;
  std::int64_t member_count = 0;
  std::int64_t owner_count = 0;
  WallTime last_activity_at{};

  Standing standing(const Caller& caller) const { return {kind, archived, role, caller.roles}; }
  std::int64_t unread() const { return role ? live - accounted : 0; }
};

std::optional<ConversationRow> find_conversation(sqlite::Connection& db, const Caller& caller,
                                                 const ConversationId& id);
std::optional<ConversationRow> find_conversation_of(sqlite::Connection& db, const Caller& caller, std::int64_t row);

struct MemberRow {
  MemberRole role = MemberRole::kMember;
  WallTime joined_at{};
  Seq read_seq = 0;
};
std::optional<MemberRow> find_member(sqlite::Connection& db, std::int64_t conversation, const UserId& user);

// A message's row, not yet with its reactions.
struct MessageRow {
  std::int64_t key = 0;
  std::optional<std::int64_t> thread_root;
  std::int64_t reaction_total = 0;
  Message message;
};
// The columns that read_message_row takes, from `messages m`.
#define PARLEY_MESSAGE_COLUMNS                                                                                    \
  "m.key, m.id, m.sender, m.content, m.type, m.attachments, m.thread_root, "                                      \
  "(SELECT r.id FROM messages r WHERE r.key = m.reply_to), (SELECT r.id FROM messages r WHERE r.key = "           \
  "m.thread_root), "                                                                                              \
  "m.reply_count, m.last_reply_at, m.mentions, m.metadata, m.client_message_id, m.reaction_total, m.created_at, " \
  "m.edited_at, m.deleted_at, m.version, m.imported"
MessageRow read_message_row(const sqlite::Query& row, const ConversationId& conversation);

// A message by its public id with the conversation it is in, whoever the caller is in it.
struct FoundMessage {
  ConversationRow conversation;
  MessageRow row;
};
std::optional<FoundMessage> find_message(sqlite::Connection& db, const Caller& caller, const MessageId& id);
std::optional<MessageRow> find_message_row(sqlite::Connection& db, const ConversationId& conversation,
                                           std::int64_t key);

// Fills message.files.
void load_files(sqlite::Connection& db, MessageRow& row);

// The message as `user` sees it, reactions included.
Message complete(sqlite::Connection& db, MessageRow row, const UserId& user);
ReactionSummary load_reaction(sqlite::Connection& db, std::int64_t message, std::string_view reaction,
                              const UserId& user);

// The conversation as the caller sees it.
Conversation load_conversation(sqlite::Connection& db, const ConversationRow& row, const Caller& caller);
std::optional<User> find_user(sqlite::Connection& db, const TenantId& tenant, const UserId& user);
std::optional<std::string> find_user_name(sqlite::Connection& db, const TenantId& tenant, const UserId& user);

// Lists of ids as JSON text, none when empty.
std::optional<std::string> ids_text(const std::vector<std::string_view>& ids);
template <class Tag>
std::optional<std::string> ids_text(const std::vector<Id<Tag>>& ids) {
  if (ids.empty()) return std::nullopt;
  std::vector<std::string_view> views;
  for (const auto& id : ids) views.push_back(id.value);
  return ids_text(views);
}
std::vector<std::string> parse_texts(std::string_view json);
template <class IdType>
std::vector<IdType> parse_ids(std::string_view json) {
  std::vector<IdType> ids;
  if (json.empty()) return ids;
  for (auto& text : parse_texts(json)) ids.emplace_back(std::move(text));
  return ids;
}
inline std::optional<std::string_view> metadata_column(const MetadataText& metadata) {
  return metadata == "{}" ? std::nullopt : std::optional<std::string_view>(metadata);
}
inline MetadataText metadata_of(const sqlite::Query& row, int column) {
  return row.is_null(column) ? "{}" : std::string(row.text(column));
}

}  // namespace parley::messaging
