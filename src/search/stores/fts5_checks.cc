#include "search/stores/fts5_checks.h"

#include <algorithm>

#include "search/message_text.h"
#include "search/stores/fts5_document.h"
#include "search/stores/fts5_expression.h"
#include "search/stores/fts5_generations.h"

namespace parley::search {

namespace {

std::int64_t count_findable(sqlite::Connection& db, std::int64_t conversation) {
  sqlite::Query row(db,
                    "SELECT count(*) FROM words CROSS JOIN documents d ON d.id = words.rowid "
                    "WHERE words MATCH ?1 AND d.conversation = ?2",
                    conversation_term(conversation), conversation);
  row.step();
  return row.integer(0);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

Result<std::int64_t> count_messages(sqlite::Connection& db, const CountRequest& request) {
  const auto generation = serving_generation(db, request.tenant);
  if (!generation) return 0;
  const auto conversation = conversation_number(db, *generation, request.conversation);
  return conversation ? count_findable(db, *conversation) : 0;
}

Result<std::vector<IndexedConversation>> list_conversations(sqlite::Connection& db,
                                                            const ConversationsRequest& request) {
  std::vector<IndexedConversation> listed;
  const auto generation = serving_generation(db, request.tenant);
  if (!generation) return listed;
  const std::string after = request.after ? request.after->value : std::string();
  sqlite::Query rows(db,
                     "SELECT id, public_id FROM conversations WHERE generation = ?1 AND public_id > ?2 "
                     "ORDER BY public_id",
                     *generation, after);
  while (listed.size() < request.limit && rows.step()) {
    const std::int64_t messages = count_findable(db, rows.integer(0));
    if (messages > 0) listed.push_back({ConversationId(rows.text(1)), messages});
  }
  return listed;
}

Result<std::vector<IndexedMessage>> look_up_messages(sqlite::Connection& db, const LookupRequest& request) {
  std::vector<IndexedMessage> found;
  const auto generation = serving_generation(db, request.tenant);
  const auto conversation = generation ? conversation_number(db, *generation, request.conversation) : std::nullopt;
  if (!conversation) return found;
  for (const MessageId& id : request.ids) {
    auto document = find_document(db, *conversation, message_key(id));
    if (!document) continue;
    std::vector<std::string> names = lines_of(names_in(document->body, document->names_at));
    if (document->names_at) document->body.resize(static_cast<std::size_t>(*document->names_at));
    found.push_back({id, document->seq, std::move(document->body), std::move(names)});
  }
  return found;
}

}  // namespace parley::search
