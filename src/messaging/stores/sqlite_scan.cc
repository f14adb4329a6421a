// Reading everything of a tenant in pages, for reindex and check.
#include <algorithm>

#include "messaging/stores/sqlite_reads.h"
#include "messaging/stores/sqlite_rows.h"

namespace parley::messaging {

namespace {

Caller nobody_of(const TenantId& tenant) {
  return {.tenant = tenant, .user = {}, .roles = {}, .name = {}};
}

template <class T>
Page<T> cut(std::vector<T> items, std::size_t limit) {
  Page<T> page{std::move(items), false};
  if (page.items.size() > limit) {
    page.items.resize(limit);
    page.has_more = true;
  }
  return page;
}

std::vector<UserId> load_member_ids(sqlite::Connection& db, std::int64_t conversation) {
  std::vector<UserId> ids;
  sqlite::Query rows(db, "SELECT user FROM members WHERE conversation = ?1 ORDER BY user", conversation);
  while (rows.step()) ids.emplace_back(rows.text(0));
  return ids;
}

}  // namespace

Result<Page<TenantId>> scan_tenants(sqlite::Connection& db, const std::optional<TenantId>& after, std::size_t limit) {
  const std::string from = after ? after->value : std::string();
  std::vector<TenantId> tenants;
  // Jumps from one tenant to the next; no row is looked at twice.
  sqlite::Query rows(db,
                     "WITH RECURSIVE t(tenant) AS ("
                     " SELECT min(x) FROM (SELECT min(tenant) AS x FROM conversations WHERE tenant > ?1"
                     "  UNION ALL SELECT min(tenant) FROM users WHERE tenant > ?1)"
                     " UNION ALL SELECT (SELECT min(x) FROM (SELECT min(tenant) AS x FROM conversations"
                     "  WHERE tenant > t.tenant UNION ALL SELECT min(tenant) FROM users WHERE tenant > t.tenant))"
                     " FROM t WHERE t.tenant IS NOT NULL)"
                     "SELECT tenant FROM t WHERE tenant IS NOT NULL LIMIT ?2",
                     from, limit + 1);
  while (rows.step()) tenants.emplace_back(rows.text(0));
  return cut(std::move(tenants), limit);
}

Result<Page<ScannedConversation>> scan_conversations(sqlite::Connection& db, const TenantId& tenant,
                                                     const std::optional<ConversationId>& after, std::size_t limit) {
  const Caller nobody = nobody_of(tenant);
  const std::string from = after ? after->value : std::string();
  std::vector<std::int64_t> ids;
  {
    sqlite::Query rows(db,
                       "SELECT id FROM conversations WHERE tenant = ?1 AND public_id > ?2 AND deleted_at IS NULL "
                       "ORDER BY public_id LIMIT ?3",
                       tenant.value, from, limit + 1);
    while (rows.step()) ids.push_back(rows.integer(0));
  }
  const auto chosen = cut(std::move(ids), limit);
  Page<ScannedConversation> page;
  page.has_more = chosen.has_more;
  for (const std::int64_t id : chosen.items) {
    const auto row = find_conversation_of(db, nobody, id);
    CHECK(row.has_value());
    page.items.push_back({load_conversation(db, *row, nobody), load_member_ids(db, id)});
  }
  return page;
}

Result<Page<Message>> scan_messages(sqlite::Connection& db, const TenantId& tenant, const ConversationId& conversation,
                                    Seq after, std::size_t limit) {
  const auto row = find_conversation(db, nobody_of(tenant), conversation);
  if (!row) return not_found("conversation");
  std::vector<MessageRow> rows;
  {
    sqlite::Query found(
        db,
        "SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m WHERE m.key > ?1 AND m.key <= ?2 ORDER BY m.key LIMIT ?3",
        message_key(row->row, std::clamp<Seq>(after, 0, kMaxSeq)), message_key(row->row, kMaxSeq), limit + 1);
    while (found.step()) rows.push_back(read_message_row(found, row->id));
  }
  Page<Message> page;
  page.has_more = rows.size() > limit;
  if (page.has_more) rows.resize(limit);
  for (auto& found : rows) {
    load_files(db, found);
    page.items.push_back(complete(db, std::move(found), UserId()));
  }
  return page;
}

Result<Page<User>> scan_users(sqlite::Connection& db, const TenantId& tenant, const std::optional<UserId>& after,
                              std::size_t limit) {
  const std::string from = after ? after->value : std::string();
  std::vector<UserId> ids;
  {
    sqlite::Query rows(db, "SELECT id FROM users WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3", tenant.value,
                       from, limit + 1);
    while (rows.step()) ids.emplace_back(rows.text(0));
  }
  const auto chosen = cut(std::move(ids), limit);
  Page<User> page;
  page.has_more = chosen.has_more;
  for (const UserId& id : chosen.items) page.items.push_back(*find_user(db, tenant, id));
  return page;
}

}  // namespace parley::messaging
