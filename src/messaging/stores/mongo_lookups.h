// Finding messaging's documents, for the reads and writes of the MongoDB store alike. Every function takes the caller
// or the tenant: nothing is found without it. Called inside a snapshot or a transaction; throws mongo::Failure.
#pragma once
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "messaging/stores/mongo_documents.h"

namespace parley::messaging::mongodb {

std::optional<ConversationRow> find_conversation(mongo::Database& db, const Caller& caller, const ConversationId& id);
// Of the caller's tenant, or none.
std::optional<ConversationRow> find_conversation(mongo::Database& db, const Caller& caller, const ConversationKey& key);
// The same for many, by key; those that are not there are left out.
std::unordered_map<std::string, ConversationRow> find_conversations(mongo::Database& db, const Caller& caller,
                                                                    const std::vector<ConversationKey>& keys);
std::optional<MemberRow> find_member(mongo::Database& db, const ConversationKey& conversation, const UserId& user);

// A message by its public id with the conversation it is in, whoever the caller is in it.
struct FoundMessage {
  ConversationRow conversation;
  MessageRow row;
};
std::optional<FoundMessage> find_message(mongo::Database& db, const Caller& caller, const MessageId& id);
std::optional<MessageRow> find_message_row(mongo::Database& db, const UuidBytes& id);

// The messages as `user` sees them.
void complete(mongo::Database& db, std::span<MessageRow> rows, const UserId& user);
Message complete(mongo::Database& db, MessageRow row, const UserId& user);
std::vector<Message> complete(mongo::Database& db, std::vector<MessageRow> rows, const ConversationId& conversation,
                              const UserId& user);

// The conversations as the caller sees them, last messages included.
std::vector<Conversation> views_of(mongo::Database& db, std::vector<ConversationRow> rows, const Caller& caller);
Conversation view_of(mongo::Database& db, ConversationRow row, const Caller& caller);

std::optional<User> find_user(mongo::Database& db, const TenantId& tenant, const UserId& user);
// Names of those who have a profile with one.
std::unordered_map<std::string, std::string> find_user_names(mongo::Database& db, const TenantId& tenant,
                                                             const std::vector<UserId>& users);

template <class Tag>
mongo::Array tenant_keys(const TenantId& tenant, const std::vector<Id<Tag>>& ids) {
  mongo::Array keys;
  for (const auto& id : ids) keys.add(tenant_key(tenant, id.value));
  return keys;
}
inline mongo::Document among(const mongo::Array& values) {
  return mongo::make_document("$in", values);
}
inline mongo::Document absent() {
  return mongo::make_document("$exists", false);
}

}  // namespace parley::messaging::mongodb
