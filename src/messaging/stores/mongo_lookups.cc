#include "messaging/stores/mongo_lookups.h"

#include <algorithm>

namespace parley::messaging::mongodb {

using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

std::optional<ConversationRow> find_live(Database& db, const Caller& caller, const ConversationKey& key) {
  const auto document = db.find_one(collection::kConversations, make_document("_id", Uuid{key}));
  if (!document || document->view().has("deleted_at") || document->view().text("tenant") != caller.tenant.value) {
    return std::nullopt;
  }
  ConversationRow row = read_conversation(document->view());
  if (caller.user.empty()) return row;
  if (const auto member = db.find_one(collection::kMembers, make_document("_id", member_id(key, caller.user)))) {
    row.take_membership(member->view());
  }
  return row;
}

// Whether `users`, which are the first of those who gave it, leave open whether `user` is among all of them.
bool is_open(const ReactionSummary& reaction) {
  return !reaction.mine && reaction.count > static_cast<std::int64_t>(reaction.users.size());
}

}  // namespace

std::optional<ConversationRow> find_conversation(Database& db, const Caller& caller, const ConversationId& id) {
  return find_live(db, caller, conversation_key(caller.tenant, id));
}
std::optional<ConversationRow> find_conversation(Database& db, const Caller& caller, const ConversationKey& key) {
  return find_live(db, caller, key);
}

std::unordered_map<std::string, ConversationRow> find_conversations(Database& db, const Caller& caller,
                                                                    const std::vector<ConversationKey>& keys) {
  std::unordered_map<std::string, ConversationRow> found;
  if (keys.empty()) return found;
  mongo::Array ids;
  mongo::Array memberships;
  for (const auto& key : keys) {
    ids.add(Uuid{key});
    memberships.add(member_id(key, caller.user));
  }
  for (const Document& document : db.find(collection::kConversations, make_document("_id", among(ids)))) {
    if (document.view().has("deleted_at") || document.view().text("tenant") != caller.tenant.value) continue;
    ConversationRow row = read_conversation(document.view());
    found.emplace(lane_of(row.key), std::move(row));
  }
  for (const Document& member : db.find(collection::kMembers, make_document("_id", among(memberships)))) {
    const auto at = found.find(std::string(lane_of(uuid_of(member.view().bytes("conversation")))));
    if (at != found.end()) at->second.take_membership(member.view());
  }
  return found;
}

std::optional<MemberRow> find_member(Database& db, const ConversationKey& conversation, const UserId& user) {
  const auto document = db.find_one(collection::kMembers, make_document("_id", member_id(conversation, user)));
  return document ? std::optional(read_member(document->view())) : std::nullopt;
}

std::optional<MessageRow> find_message_row(Database& db, const UuidBytes& id) {
  const auto document = db.find_one(collection::kMessages, make_document("_id", Uuid{id}));
  return document ? std::optional(read_message(document->view())) : std::nullopt;
}

std::optional<FoundMessage> find_message(Database& db, const Caller& caller, const MessageId& id) {
  const auto bytes = parse_uuid(id.value);
  if (!bytes) return std::nullopt;
  auto row = find_message_row(db, *bytes);
  if (!row) return std::nullopt;
  auto conversation = find_conversation(db, caller, row->conversation);
  if (!conversation) return std::nullopt;
  row->message.conversation_id = conversation->view.id;
  return FoundMessage{std::move(*conversation), std::move(*row)};
}

void complete(Database& db, std::span<MessageRow> rows, const UserId& user) {
  if (user.empty()) return;
  mongo::Array unknown;
  for (MessageRow& row : rows) {
    for (ReactionSummary& reaction : row.message.reactions) {
      reaction.mine = std::ranges::find(reaction.users, user) != reaction.users.end();
      if (is_open(reaction)) unknown.add(reaction_id(row.id, reaction.reaction, user));
    }
  }
  if (unknown.size() == 0) return;
  for (const Document& given : db.find(collection::kReactions, make_document("_id", among(unknown)))) {
    const UuidBytes message = uuid_of(given.view().bytes("message"));
    for (MessageRow& row : rows) {
      if (row.id != message) continue;
      const auto at = std::ranges::find(row.message.reactions, given.view().text("reaction"),
                                        [](const auto& one) { return std::string_view(one.reaction); });
      if (at != row.message.reactions.end()) at->mine = true;
    }
  }
}

Message complete(Database& db, MessageRow row, const UserId& user) {
  complete(db, std::span(&row, 1), user);
  row.message.files.clear();
  return std::move(row.message);
}

std::vector<Message> complete(Database& db, std::vector<MessageRow> rows, const ConversationId& conversation,
                              const UserId& user) {
  complete(db, std::span(rows), user);
  std::vector<Message> messages;
  messages.reserve(rows.size());
  for (MessageRow& row : rows) {
    row.message.conversation_id = conversation;
    row.message.files.clear();
    messages.push_back(std::move(row.message));
  }
  return messages;
}

std::vector<Conversation> views_of(Database& db, std::vector<ConversationRow> rows, const Caller& caller) {
  mongo::Array last_messages;
  for (const ConversationRow& row : rows) {
    if (!row.role || row.view.last_seq == 0) continue;
    last_messages.add(make_document("conversation", Uuid{row.key}, "seq", row.view.last_seq));
  }
  std::unordered_map<std::string, Message> last;
  if (last_messages.size() > 0) {
    std::vector<MessageRow> found;
    for (const Document& document : db.find(collection::kMessages, make_document("$or", last_messages))) {
      found.push_back(read_message(document.view()));
    }
    complete(db, std::span(found), caller.user);
    for (MessageRow& row : found) last.emplace(lane_of(row.conversation), std::move(row.message));
  }
  std::vector<Conversation> views;
  views.reserve(rows.size());
  for (ConversationRow& row : rows) {
    row.view.my_role = row.role;
    row.view.read_seq = row.read_seq;
    row.view.unread_count = row.unread();
    if (const auto at = last.find(std::string(lane_of(row.key))); at != last.end()) {
      row.view.last_message = std::move(at->second);
      row.view.last_message->conversation_id = row.view.id;
      row.view.last_message->files.clear();
    }
    views.push_back(std::move(row.view));
  }
  return views;
}

Conversation view_of(Database& db, ConversationRow row, const Caller& caller) {
  std::vector<ConversationRow> rows;
  rows.push_back(std::move(row));
  return std::move(views_of(db, std::move(rows), caller).front());
}

std::optional<User> find_user(Database& db, const TenantId& tenant, const UserId& user) {
  const auto document = db.find_one(collection::kUsers, make_document("_id", tenant_key(tenant, user.value)));
  return document ? std::optional(read_user(document->view())) : std::nullopt;
}

std::unordered_map<std::string, std::string> find_user_names(Database& db, const TenantId& tenant,
                                                             const std::vector<UserId>& users) {
  std::unordered_map<std::string, std::string> names;
  if (users.empty()) return names;
  for (const Document& document : db.find(collection::kUsers, make_document("_id", among(tenant_keys(tenant, users))),
                                          {.sort = {}, .fields = make_document("name", 1)})) {
    if (!document.view().has("name")) continue;
    names.emplace(id_of_tenant_key(document.view().text("_id")), document.view().text("name"));
  }
  return names;
}

}  // namespace parley::messaging::mongodb
