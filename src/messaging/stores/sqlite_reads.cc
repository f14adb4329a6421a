#include "messaging/stores/sqlite_reads.h"

#include <algorithm>

#include "messaging/seq_range.h"
#include "messaging/stores/sqlite_rows.h"

namespace parley::messaging {

namespace {

MessagePage load_range(sqlite::Connection& db, const ConversationRow& conversation, const SeqRange& range,
                       SeqOrder order, const UserId& user) {
  std::vector<MessageRow> rows;
  if (range.low <= range.high) {
    rows.reserve(static_cast<std::size_t>(range.high - range.low + 1));
    sqlite::Query found(
        db, "SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m WHERE m.key BETWEEN ?1 AND ?2 ORDER BY m.key",
        message_key(conversation.row, range.low), message_key(conversation.row, range.high));
    while (found.step()) rows.push_back(read_message_row(found, conversation.id));
  }
  std::vector<Message> messages;
  messages.reserve(rows.size());
  for (MessageRow& row : rows) messages.push_back(complete(db, std::move(row), user));
  return page_of(std::move(messages), range, conversation.last_seq, order);
}

Result<ConversationRow> enter(sqlite::Connection& db, const Caller& caller, const ConversationId& id,
                              Result<> (*may)(const Standing&)) {
  auto conversation = find_conversation(db, caller, id);
  if (!conversation) return not_found("conversation");
  if (auto allowed = may(conversation->standing(caller)); !allowed) return fail(allowed.error());
  return std::move(*conversation);
}

Result<FoundMessage> enter_message(sqlite::Connection& db, const Caller& caller, const MessageId& id) {
  auto found = find_message(db, caller, id);
  if (!found) return not_found("message");
  if (auto allowed = may_read_message(found->conversation.standing(caller)); !allowed) return fail(allowed.error());
  return std::move(*found);
}

}  // namespace

Result<Message> get_message(sqlite::Connection& db, const Caller& caller, const MessageId& id) {
  auto found = enter_message(db, caller, id);
  if (!found) return fail(found.error());
  return complete(db, std::move(found->row), caller.user);
}

Result<MessagePage> list_messages(sqlite::Connection& db, const Caller& caller, const ListMessages& query) {
  const auto conversation = enter(db, caller, query.conversation_id, may_read_messages);
  if (!conversation) return fail(conversation.error());
  return load_range(db, *conversation, range_of(query, conversation->last_seq), query.order, caller.user);
}

Result<MessagePage> messages_around(sqlite::Connection& db, const Caller& caller, const MessagesAround& query) {
  const auto conversation = enter(db, caller, query.conversation_id, may_read_messages);
  if (!conversation) return fail(conversation.error());
  return load_range(db, *conversation, range_of(query, conversation->last_seq), query.order, caller.user);
}

Result<MessagePage> list_replies(sqlite::Connection& db, const Caller& caller, const ListReplies& query) {
  const auto root = enter_message(db, caller, query.message_id);
  if (!root) return fail(root.error());
  const std::int64_t conversation = root->conversation.row;
  const bool newest_first = query.order == SeqOrder::kNewestFirst;
  const Seq from = query.from.value_or(newest_first ? kMaxSeq : 0);
  std::vector<MessageRow> rows;
  {
    sqlite::Query found(db,
                        newest_first
                            ? "SELECT " PARLEY_MESSAGE_COLUMNS
                              " FROM messages m WHERE m.thread_root = ?1 AND m.key < ?2 ORDER BY m.key DESC LIMIT ?3"
                            : "SELECT " PARLEY_MESSAGE_COLUMNS
                              " FROM messages m WHERE m.thread_root = ?1 AND m.key > ?2 ORDER BY m.key LIMIT ?3",
                        root->row.key, message_key(conversation, std::clamp<Seq>(from, 0, kMaxSeq)), query.limit + 1);
    while (found.step()) rows.push_back(read_message_row(found, root->conversation.id));
  }
  MessagePage page;
  page.has_before = query.from.has_value();
  page.has_after = rows.size() > query.limit;
  if (page.has_after) rows.resize(query.limit);
  for (auto& row : rows) page.items.push_back(complete(db, std::move(row), caller.user));
  return page;
}

namespace {

std::vector<MessageVersion> load_old_versions(sqlite::Connection& db, std::int64_t message, Version below_version,
                                              std::size_t limit) {
  std::vector<MessageVersion> versions;
  sqlite::Query rows(db,
                     "SELECT version, content, mentions, metadata, created_at FROM message_versions "
                     "WHERE message = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3",
                     message, below_version, limit);
  while (rows.step()) {
    versions.push_back({rows.integer(0), std::string(rows.text(1)), parse_ids<UserId>(rows.text(2)),
                        metadata_of(rows, 3), wall_time(rows.integer(4))});
  }
  return versions;
}

}  // namespace

Result<Page<MessageVersion>> list_versions(sqlite::Connection& db, const Caller& caller, const ListVersions& query) {
  auto found = enter_message(db, caller, query.message_id);
  if (!found) return fail(found.error());
  const Message& message = found->row.message;
  if (message.deleted_at) return Page<MessageVersion>{};
  std::vector<MessageVersion> versions;
  if (!query.below || message.version < *query.below) {
    versions.push_back({message.version, message.content.value_or(""), message.mentions, message.metadata,
                        message.edited_at.value_or(message.created_at)});
  }
  const Version before = std::min(message.version, query.below.value_or(message.version));
  auto old = load_old_versions(db, found->row.key, before, query.limit + 1 - versions.size());
  std::ranges::move(old, std::back_inserter(versions));
  return cut_page(std::move(versions), query.limit);
}

Result<Conversation> get_conversation(sqlite::Connection& db, const Caller& caller, const ConversationId& id) {
  const auto conversation = enter(db, caller, id, may_see_conversation);
  if (!conversation) return fail(conversation.error());
  return load_conversation(db, *conversation, caller);
}

Result<Page<Conversation>> list_conversations(sqlite::Connection& db, const Caller& caller,
                                              const ListConversations& query) {
  std::vector<std::int64_t> rows;
  {
    const auto after_time = query.after ? std::optional(to_ms(query.after->last_activity_at)) : std::nullopt;
    const std::string after_id = query.after ? query.after->id.value : std::string();
    // One small row for each conversation of the caller, whatever the number of messages in them.
    sqlite::Query found(db,
                        "SELECT c.id FROM members m JOIN conversation_state s ON s.conversation = m.conversation "
                        "JOIN conversations c ON c.id = m.conversation WHERE m.tenant = ?1 AND m.user = ?2 "
                        "AND (?3 IS NULL OR s.last_activity_at < ?3 OR (s.last_activity_at = ?3 AND c.public_id > ?4)) "
                        "ORDER BY s.last_activity_at DESC, c.public_id LIMIT ?5",
                        caller.tenant.value, caller.user.value, after_time, after_id, query.limit + 1);
    while (found.step()) rows.push_back(found.integer(0));
  }
  const auto chosen = cut_page(std::move(rows), query.limit);
  Page<Conversation> page;
  page.has_more = chosen.has_more;
  for (const std::int64_t row : chosen.items) {
    if (const auto conversation = find_conversation_of(db, caller, row)) {
      page.items.push_back(load_conversation(db, *conversation, caller));
    }
  }
  return page;
}

Result<Page<Member>> list_members(sqlite::Connection& db, const Caller& caller, const ListMembers& query) {
  const auto conversation = enter(db, caller, query.conversation_id, may_list_members);
  if (!conversation) return fail(conversation.error());
  const std::int64_t after_time = query.after ? to_ms(query.after->joined_at) : INT64_MIN;
  const std::string after_user = query.after ? query.after->user_id.value : std::string();
  std::vector<Member> members;
  sqlite::Query rows(db,
                     "SELECT m.user, m.role, u.name, m.joined_at, m.read_seq FROM members m "
                     "LEFT JOIN users u ON u.tenant = m.tenant AND u.id = m.user "
                     "WHERE m.conversation = ?1 AND (m.joined_at, m.user) > (?2, ?3) "
                     "ORDER BY m.joined_at, m.user LIMIT ?4",
                     conversation->row, after_time, after_user, query.limit + 1);
  while (rows.step()) {
    members.push_back({UserId(rows.text(0)), static_cast<MemberRole>(rows.integer(1)), rows.optional_text(2),
                       wall_time(rows.integer(3)), conversation->role ? std::optional(rows.integer(4)) : std::nullopt});
  }
  return cut_page(std::move(members), query.limit);
}

Result<User> get_user(sqlite::Connection& db, const Caller& caller, const UserId& user) {
  auto found = find_user(db, caller.tenant, user);
  if (!found) return not_found("user");
  return std::move(*found);
}

}  // namespace parley::messaging
