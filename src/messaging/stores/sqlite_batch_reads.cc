// What other roles ask on behalf of a caller: where it may look, whether it may see what was found, and whether a
// message shows it a file.
#include <unordered_map>

#include "messaging/stores/sqlite_reads.h"
#include "messaging/stores/sqlite_rows.h"

namespace parley::messaging {

namespace {

// The conversations that a batch meets, each read once: what was found together often stands together.
class MetConversations {
 public:
  MetConversations(sqlite::Connection& db, const Caller& caller) : db_(db), caller_(caller) {}

  const std::optional<ConversationRow>& at(std::int64_t row) {
    const auto met = met_.find(row);
    return met != met_.end() ? met->second : met_.emplace(row, find_conversation_of(db_, caller_, row)).first->second;
  }

 private:
  sqlite::Connection& db_;
  const Caller& caller_;
  std::unordered_map<std::int64_t, std::optional<ConversationRow>> met_;
};

std::optional<std::int64_t> find_message_key(sqlite::Connection& db, const MessageId& id) {
  const auto bytes = parse_uuid(id.value);
  if (!bytes) return std::nullopt;
  sqlite::Query row(db, "SELECT key FROM messages WHERE id = ?1", *bytes);
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

std::optional<Message> read_live_message(sqlite::Connection& db, const Caller& caller, MetConversations& conversations,
                                         const MessageId& id) {
  const auto key = find_message_key(db, id);
  if (!key) return std::nullopt;
  const auto& conversation = conversations.at(conversation_of_key(*key));
  if (!conversation || !may_read_message(conversation->standing(caller))) return std::nullopt;
  auto row = find_message_row(db, conversation->id, *key);
  if (!row || row->message.deleted_at) return std::nullopt;
  return complete(db, std::move(*row), caller.user);
}

}  // namespace

Result<Page<ConversationId>> get_scope(sqlite::Connection& db, const Caller& caller, const std::size_t& limit) {
  Page<ConversationId> page;
  sqlite::Query rows(db,
                     "SELECT c.public_id FROM members m JOIN conversation_state s ON s.conversation = m.conversation "
                     "JOIN conversations c ON c.id = m.conversation WHERE m.tenant = ?1 AND m.user = ?2 "
                     "ORDER BY s.last_activity_at DESC, c.public_id LIMIT ?3",
                     caller.tenant.value, caller.user.value, limit + 1);
  while (rows.step()) {
    page.has_more = page.items.size() == limit;
    if (!page.has_more) page.items.emplace_back(rows.text(0));
  }
  return page;
}

Result<LookedUp> look_up(sqlite::Connection& db, const Caller& caller, const LookUp& query) {
  LookedUp found;
  MetConversations conversations(db, caller);
  for (const MessageId& id : query.messages) {
    if (auto message = read_live_message(db, caller, conversations, id)) found.messages.push_back(std::move(*message));
  }
  for (const ConversationId& id : query.conversations) {
    if (auto conversation = get_conversation(db, caller, id)) found.conversations.push_back(std::move(*conversation));
  }
  for (const UserId& id : query.users) {
    if (auto user = find_user(db, caller.tenant, id)) found.users.push_back(std::move(*user));
  }
  return found;
}

// From one conversation that attaches the file to the next, however many of its messages do.
Result<bool> may_read_file(sqlite::Connection& db, const Caller& caller, const FileId& file) {
  sqlite::Query row(db,
                    "WITH RECURSIVE attaching(conversation) AS ("
                    " SELECT min(message) >> 32 FROM message_files WHERE file = ?1"
                    " UNION ALL"
                    " SELECT (SELECT min(message) >> 32 FROM message_files WHERE file = ?1 AND"
                    "  message >= (conversation + 1) << 32) FROM attaching WHERE conversation IS NOT NULL)"
                    "SELECT 1 FROM attaching a CROSS JOIN members m ON m.conversation = a.conversation"
                    " WHERE m.user = ?2 AND m.tenant = ?3 LIMIT 1",
                    file.value, caller.user.value, caller.tenant.value);
  return row.step();
}

}  // namespace parley::messaging
