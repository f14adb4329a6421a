// What other roles ask on behalf of a caller: where it may look, whether it may see what was found, and whether a
// message shows it a file. Each thing is found with the others of its kind.
#include <algorithm>
#include <unordered_map>

#include "messaging/stores/mongo_reads.h"

namespace parley::messaging::mongodb {

using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

constexpr std::int64_t kLookedAtOnce = 64;  // messages that attach a file

std::vector<MessageRow> find_messages(Database& db, const std::vector<MessageId>& ids) {
  mongo::Array wanted;
  for (const MessageId& id : ids) {
    if (const auto bytes = parse_uuid(id.value)) wanted.add(Uuid{*bytes});
  }
  std::vector<MessageRow> rows;
  if (wanted.size() == 0) return rows;
  for (const Document& document : db.find(collection::kMessages, make_document("_id", among(wanted)))) {
    rows.push_back(read_message(document.view()));
  }
  return rows;
}

std::vector<Message> look_up_messages(Database& db, const Caller& caller, const std::vector<MessageId>& ids) {
  std::vector<MessageRow> rows = find_messages(db, ids);
  std::vector<ConversationKey> keys;
  for (const MessageRow& row : rows) keys.push_back(row.conversation);
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  const auto conversations = find_conversations(db, caller, keys);
  std::erase_if(rows, [&](MessageRow& row) {
    const auto at = conversations.find(std::string(lane_of(row.conversation)));
    if (at == conversations.end() || row.message.deleted_at || !may_read_message(at->second.standing(caller))) {
      return true;
    }
    row.message.conversation_id = at->second.view.id;
    row.message.files.clear();
    return false;
  });
  complete(db, std::span(rows), caller.user);
  std::unordered_map<std::string, Message> by_id;
  for (MessageRow& row : rows) by_id.emplace(row.message.id.value, std::move(row.message));
  std::vector<Message> messages;
  for (const MessageId& id : ids) {
    if (const auto at = by_id.find(id.value); at != by_id.end()) messages.push_back(std::move(at->second));
  }
  return messages;
}

std::vector<Conversation> look_up_conversations(Database& db, const Caller& caller,
                                                const std::vector<ConversationId>& ids) {
  std::vector<ConversationKey> keys;
  for (const ConversationId& id : ids) keys.push_back(conversation_key(caller.tenant, id));
  auto found = find_conversations(db, caller, keys);
  std::vector<ConversationRow> rows;
  for (const ConversationKey& key : keys) {
    const auto at = found.find(std::string(lane_of(key)));
    if (at != found.end() && may_see_conversation(at->second.standing(caller))) rows.push_back(std::move(at->second));
  }
  return views_of(db, std::move(rows), caller);
}

std::vector<User> look_up_users(Database& db, const TenantId& tenant, const std::vector<UserId>& ids) {
  std::vector<User> users;
  if (ids.empty()) return users;
  std::unordered_map<std::string, User> by_id;
  for (const Document& document : db.find(collection::kUsers, make_document("_id", among(tenant_keys(tenant, ids))))) {
    User user = read_user(document.view());
    by_id.emplace(user.id.value, std::move(user));
  }
  for (const UserId& id : ids) {
    if (const auto at = by_id.find(id.value); at != by_id.end()) users.push_back(std::move(at->second));
  }
  return users;
}

}  // namespace

std::vector<ConversationRow> list_of_member(Database& db, const Caller& caller,
                                            const std::optional<ConversationListPoint>& after, std::size_t limit) {
  // One small document for each conversation of the caller, whatever the number of messages in them.
  std::unordered_map<std::string, Document> memberships;
  mongo::Array keys;
  for (Document& member :
       db.find(collection::kMembers, make_document("tenant", caller.tenant.value, "user", caller.user.value))) {
    const ConversationKey key = uuid_of(member.view().bytes("conversation"));
    keys.add(Uuid{key});
    memberships.emplace(lane_of(key), std::move(member));
  }
  std::vector<ConversationRow> rows;
  if (memberships.empty()) return rows;
  Document filter = make_document("_id", among(keys));
  if (after) {
    const auto& [time, id] = *after;
    filter.add("$or", mongo::make_array(make_document("last_activity_at", make_document("$lt", time)),
                                        make_document("last_activity_at", time, "id", make_document("$gt", id.value))));
  }
  for (const Document& document :
       db.find(collection::kConversations, filter,
               {.sort = make_document("last_activity_at", -1, "id", 1), .limit = static_cast<std::int64_t>(limit)})) {
    ConversationRow row = read_conversation(document.view());
    row.take_membership(memberships.at(std::string(lane_of(row.key))).view());
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Page<ConversationId>> get_scope(Database& db, const Caller& caller, const std::size_t& limit) {
  std::vector<ConversationId> ids;
  for (ConversationRow& row : list_of_member(db, caller, std::nullopt, limit + 1))
    ids.push_back(std::move(row.view.id));
  return cut_page(std::move(ids), limit);
}

Result<LookedUp> look_up(Database& db, const Caller& caller, const LookUp& query) {
  return LookedUp{look_up_messages(db, caller, query.messages), look_up_conversations(db, caller, query.conversations),
                  look_up_users(db, caller.tenant, query.users)};
}

// From one conversation that attaches the file to the next, however many of its messages do.
Result<bool> may_read_file(Database& db, const Caller& caller, const FileId& file) {
  const std::string key = tenant_key(caller.tenant, file.value);
  std::optional<ConversationKey> after;
  for (;;) {
    Document filter = make_document("files.key", key);
    if (after) filter.add("conversation", make_document("$gt", Uuid{*after}));
    const auto attaching = db.find(
        collection::kMessages, filter,
        {.sort = make_document("conversation", 1), .fields = make_document("conversation", 1), .limit = kLookedAtOnce});
    mongo::Array memberships;
    for (const Document& message : attaching) {
      const ConversationKey conversation = uuid_of(message.view().bytes("conversation"));
      if (after != conversation) memberships.add(member_id(conversation, caller.user));
      after = conversation;
    }
    if (memberships.size() == 0) return false;
    if (db.find_one(collection::kMembers, make_document("_id", among(memberships)))) return true;
    if (attaching.size() < static_cast<std::size_t>(kLookedAtOnce)) return false;
  }
}

}  // namespace parley::messaging::mongodb
