// Reading everything of a tenant in pages, for reindex and check.
#include <algorithm>
#include <unordered_map>

#include "messaging/seq_range.h"
#include "messaging/stores/mongo_reads.h"

namespace parley::messaging::mongodb {

using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

Caller nobody_of(const TenantId& tenant) {
  return {.tenant = tenant, .user = {}, .roles = {}, .name = {}};
}

std::int64_t one_more(std::size_t limit) {
  return static_cast<std::int64_t>(limit) + 1;
}

// The first tenant after `after` that holds something; nothing of a tenant is looked at twice.
std::optional<std::string> next_tenant(Database& db, const std::string& after) {
  const auto conversation =
      db.find_one(collection::kConversations, make_document("tenant", make_document("$gt", after)),
                  {.sort = make_document("tenant", 1, "id", 1), .fields = make_document("tenant", 1)});
  // No id holds control characters: what is not of `after` itself stands behind its separator.
  const std::string behind = after.empty() ? std::string() : after + ' ';
  const auto user = db.find_one(collection::kUsers, make_document("_id", make_document("$gte", behind)),
                                {.sort = make_document("_id", 1), .fields = make_document("_id", 1)});
  std::optional<std::string> next;
  if (conversation) next = conversation->view().text("tenant");
  if (user) {
    const std::string_view key = user->view().text("_id");
    std::string tenant(key.substr(0, key.size() - id_of_tenant_key(key).size() - 1));
    if (!next || tenant < *next) next = std::move(tenant);
  }
  return next;
}

std::vector<UserId> load_member_ids(Database& db, const ConversationKey& conversation) {
  std::vector<UserId> ids;
  for (const Document& member : db.find(collection::kMembers, make_document("conversation", Uuid{conversation}),
                                        {.sort = {}, .fields = make_document("user", 1)})) {
    ids.emplace_back(member.view().text("user"));
  }
  std::ranges::sort(ids);
  return ids;
}

}  // namespace

Result<Page<TenantId>> scan_tenants(Database& db, const std::optional<TenantId>& after, std::size_t limit) {
  std::vector<TenantId> tenants;
  std::string from = after ? after->value : std::string();
  while (tenants.size() <= limit) {
    auto next = next_tenant(db, from);
    if (!next) break;
    from = *next;
    tenants.emplace_back(std::move(*next));
  }
  return cut_page(std::move(tenants), limit);
}

Result<Page<ScannedConversation>> scan_conversations(Database& db, const TenantId& tenant,
                                                     const std::optional<ConversationId>& after, std::size_t limit) {
  std::vector<ScannedConversation> scanned;
  for (const Document& document :
       db.find(collection::kConversations,
               make_document("tenant", tenant.value, "id", make_document("$gt", after ? after->value : std::string()),
                             "deleted_at", absent()),
               {.sort = make_document("id", 1), .limit = one_more(limit)})) {
    ConversationRow row = read_conversation(document.view());
    auto members = scanned.size() < limit ? load_member_ids(db, row.key) : std::vector<UserId>();
    scanned.push_back({std::move(row.view), std::move(members)});
  }
  return cut_page(std::move(scanned), limit);
}

Result<Page<Message>> scan_messages(Database& db, const TenantId& tenant, const ConversationId& conversation, Seq after,
                                    std::size_t limit) {
  const auto row = find_conversation(db, nobody_of(tenant), conversation);
  if (!row) return not_found("conversation");
  std::vector<Message> messages;
  for (const Document& document : db.find(collection::kMessages,
                                          make_document("conversation", Uuid{row->key}, "seq",
                                                        make_document("$gt", std::clamp<Seq>(after, 0, kMaxSeq))),
                                          {.sort = make_document("seq", 1), .limit = one_more(limit)})) {
    messages.push_back(read_message(document.view()).message);
    messages.back().conversation_id = row->view.id;
  }
  return cut_page(std::move(messages), limit);
}

Result<Page<User>> scan_users(Database& db, const TenantId& tenant, const std::optional<UserId>& after,
                              std::size_t limit) {
  std::vector<User> users;
  const std::string from = tenant_key(tenant, after ? after->value : std::string());
  for (const Document& document :
       db.find(collection::kUsers, make_document("_id", make_document("$gt", from, "$lt", tenant.value + ' ')),
               {.sort = make_document("_id", 1), .limit = one_more(limit)})) {
    users.push_back(read_user(document.view()));
  }
  return cut_page(std::move(users), limit);
}

}  // namespace parley::messaging::mongodb
