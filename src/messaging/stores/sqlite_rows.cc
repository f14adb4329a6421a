#include "messaging/stores/sqlite_rows.h"

#include <boost/json.hpp>

namespace parley::messaging {

namespace {

#define PARLEY_CONVERSATION_ROW                                                                             \
  "SELECT c.id, c.public_id, c.kind, c.archived, c.imported, m.role, m.read_seq, m.accounted, s.last_seq, " \
  "s.live, s.event_number, s.member_count, s.owner_count, s.last_activity_at FROM conversations c "         \
  "JOIN conversation_state s ON s.conversation = c.id "                                                     \
  "LEFT JOIN members m ON m.conversation = c.id AND m.user = ?2 "

std::optional<ConversationRow> take_conversation(sqlite::Query& row) {
  if (!row.step()) return std::nullopt;
  ConversationRow out;
  out.row = row.integer(0);
  out.id = ConversationId(row.text(1));
  out.kind = row.integer(2) == 1 ? ConversationKind::kDirect : ConversationKind::kGroup;
  out.archived = row.integer(3) != 0;
  out.imported = row.integer(4) != 0;
  if (!row.is_null(5)) out.role = static_cast<MemberRole>(row.integer(5));
  out.read_seq = row.integer(6);
  out.accounted = row.integer(7);
  out.last_seq = row.integer(8);
  out.live = row.integer(9);
  out.event_number = row.integer(10);
  out.member_count = row.integer(11);
  out.owner_count = row.integer(12);
  out.last_activity_at = wall_time(row.integer(13));
  return out;
}

std::optional<WallTime> optional_time(const sqlite::Query& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(wall_time(row.integer(column)));
}

void load_users_of(sqlite::Connection& db, std::int64_t message, ReactionSummary& summary, const UserId& user) {
  sqlite::Query givers(db,
                       "SELECT user FROM reactions WHERE message = ?1 AND reaction = ?2 ORDER BY place, user LIMIT ?3",
                       message, std::string_view(summary.reaction), kReactionUsersShown);
  while (givers.step()) summary.users.emplace_back(givers.text(0));
  sqlite::Query mine(db, "SELECT 1 FROM reactions WHERE message = ?1 AND reaction = ?2 AND user = ?3", message,
                     std::string_view(summary.reaction), user.value);
  summary.mine = mine.step();
}

}  // namespace

std::optional<ConversationRow> find_conversation(sqlite::Connection& db, const Caller& caller,
                                                 const ConversationId& id) {
  sqlite::Query row(db, PARLEY_CONVERSATION_ROW "WHERE c.tenant = ?1 AND c.public_id = ?3 AND c.deleted_at IS NULL",
                    caller.tenant.value, caller.user.value, id.value);
  return take_conversation(row);
}

std::optional<ConversationRow> find_conversation_of(sqlite::Connection& db, const Caller& caller, std::int64_t id) {
  sqlite::Query row(db, PARLEY_CONVERSATION_ROW "WHERE c.id = ?3 AND c.tenant = ?1 AND c.deleted_at IS NULL",
                    caller.tenant.value, caller.user.value, id);
  return take_conversation(row);
}

std::optional<MemberRow> find_member(sqlite::Connection& db, std::int64_t conversation, const UserId& user) {
  sqlite::Query row(db, "SELECT role, joined_at, read_seq FROM members WHERE conversation = ?1 AND user = ?2",
                    conversation, user.value);
  if (!row.step()) return std::nullopt;
  return MemberRow{static_cast<MemberRole>(row.integer(0)), wall_time(row.integer(1)), row.integer(2)};
}

MessageRow read_message_row(const sqlite::Query& row, const ConversationId& conversation) {
  MessageRow out;
  Message& message = out.message;
  out.key = row.integer(0);
  message.id = MessageId(format_uuid(row.blob(1)));
  message.conversation_id = conversation;
  message.seq = seq_of_key(out.key);
  message.sender_id = UserId(row.text(2));
  message.content = row.optional_text(3);
  if (!row.is_null(4)) message.type = row.text(4);
  message.attachments = parse_ids<FileId>(row.text(5));
  out.thread_root = row.optional_integer(6);
  if (!row.is_null(7)) message.reply_to = MessageId(format_uuid(row.blob(7)));
  if (!row.is_null(8)) message.thread_root = MessageId(format_uuid(row.blob(8)));
  message.reply_count = row.integer(9);
  message.last_reply_at = optional_time(row, 10);
  message.mentions = parse_ids<UserId>(row.text(11));
  message.metadata = metadata_of(row, 12);
  message.client_message_id = row.optional_text(13);
  out.reaction_total = row.integer(14);
  message.created_at = wall_time(row.integer(15));
  message.edited_at = optional_time(row, 16);
  message.deleted_at = optional_time(row, 17);
  message.version = row.integer(18);
  message.imported = row.integer(19) != 0;
  return out;
}

std::optional<MessageRow> find_message_row(sqlite::Connection& db, const ConversationId& conversation,
                                           std::int64_t key) {
  sqlite::Query row(db, "SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m WHERE m.key = ?1", key);
  if (!row.step()) return std::nullopt;
  return read_message_row(row, conversation);
}

std::optional<FoundMessage> find_message(sqlite::Connection& db, const Caller& caller, const MessageId& id) {
  const auto bytes = parse_uuid(id.value);
  if (!bytes) return std::nullopt;
  std::int64_t key = 0;
  {
    sqlite::Query row(db, "SELECT key FROM messages WHERE id = ?1", *bytes);
    if (!row.step()) return std::nullopt;
    key = row.integer(0);
  }
  auto conversation = find_conversation_of(db, caller, conversation_of_key(key));
  if (!conversation) return std::nullopt;
  auto row = find_message_row(db, conversation->id, key);
  if (!row) return std::nullopt;
  return FoundMessage{std::move(*conversation), std::move(*row)};
}

void load_files(sqlite::Connection& db, MessageRow& row) {
  if (row.message.attachments.empty()) return;
  sqlite::Query files(db,
                      "SELECT file, filename, size, content_type FROM message_files WHERE message = ?1 AND filename IS "
                      "NOT NULL ORDER BY place",
                      row.key);
  while (files.step()) {
    row.message.files.push_back(
        {FileId(files.text(0)), std::string(files.text(1)), files.integer(2), std::string(files.text(3))});
  }
}

Message complete(sqlite::Connection& db, MessageRow row, const UserId& user) {
  if (row.reaction_total > 0) {
    sqlite::Query kinds(db,
                        "SELECT reaction, count(*), min(place) AS first FROM reactions WHERE message = ?1 "
                        "GROUP BY reaction ORDER BY first, reaction",
                        row.key);
    while (kinds.step()) {
      row.message.reactions.push_back(
          {.reaction = std::string(kinds.text(0)), .count = kinds.integer(1), .users = {}, .mine = false});
    }
    for (auto& summary : row.message.reactions) load_users_of(db, row.key, summary, user);
  }
  return std::move(row.message);
}

ReactionSummary load_reaction(sqlite::Connection& db, std::int64_t message, std::string_view reaction,
                              const UserId& user) {
  ReactionSummary summary{.reaction = std::string(reaction), .count = 0, .users = {}, .mine = false};
  {
    sqlite::Query count(db, "SELECT count(*) FROM reactions WHERE message = ?1 AND reaction = ?2", message, reaction);
    if (count.step()) summary.count = count.integer(0);
  }
  if (summary.count > 0) load_users_of(db, message, summary, user);
  return summary;
}

Conversation load_conversation(sqlite::Connection& db, const ConversationRow& row, const Caller& caller) {
  Conversation out;
  out.id = row.id;
  out.kind = row.kind;
  out.archived = row.archived;
  out.imported = row.imported;
  out.member_count = row.member_count;
  out.last_seq = row.last_seq;
  out.last_activity_at = row.last_activity_at;
  out.my_role = row.role;
  out.read_seq = row.read_seq;
  out.unread_count = row.unread();
  {
    sqlite::Query more(db,
                       "SELECT name, topic, metadata, created_by, created_at, updated_at, version FROM conversations "
                       "WHERE id = ?1",
                       row.row);
    CHECK(more.step());
    out.name = more.optional_text(0);
    out.topic = more.optional_text(1);
    out.metadata = metadata_of(more, 2);
    out.created_by = UserId(more.text(3));
    out.created_at = wall_time(more.integer(4));
    out.updated_at = wall_time(more.integer(5));
    out.version = more.integer(6);
  }
  if (row.role && row.last_seq > 0) {
    if (auto last = find_message_row(db, row.id, message_key(row.row, row.last_seq))) {
      out.last_message = complete(db, std::move(*last), caller.user);
    }
  }
  return out;
}

std::optional<User> find_user(sqlite::Connection& db, const TenantId& tenant, const UserId& user) {
  sqlite::Query row(db,
                    "SELECT name, avatar_url, metadata, created_at, updated_at, version FROM users "
                    "WHERE tenant = ?1 AND id = ?2",
                    tenant.value, user.value);
  if (!row.step()) return std::nullopt;
  return User{user,
              row.optional_text(0),
              row.optional_text(1),
              metadata_of(row, 2),
              wall_time(row.integer(3)),
              wall_time(row.integer(4)),
              row.integer(5)};
}

std::optional<std::string> find_user_name(sqlite::Connection& db, const TenantId& tenant, const UserId& user) {
  sqlite::Query row(db, "SELECT name FROM users WHERE tenant = ?1 AND id = ?2", tenant.value, user.value);
  return row.step() ? row.optional_text(0) : std::nullopt;
}

std::optional<std::string> ids_text(const std::vector<std::string_view>& ids) {
  if (ids.empty()) return std::nullopt;
  boost::json::array array;
  for (const auto id : ids) array.emplace_back(boost::json::string_view(id.data(), id.size()));
  return boost::json::serialize(array);
}

std::vector<std::string> parse_texts(std::string_view json) {
  std::vector<std::string> texts;
  const auto value = boost::json::parse({json.data(), json.size()});
  for (const auto& element : value.as_array()) texts.emplace_back(element.as_string());
  return texts;
}

}  // namespace parley::messaging
