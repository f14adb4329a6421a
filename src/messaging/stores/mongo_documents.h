// Messaging's documents in MongoDB: the collections, their indexes, and the way between documents and domain values
// (ADR 24 has the design). Field names are those of api/messaging.yaml where there is one; times are dates, metadata is
// JSON text, ids of messages are UUIDs. A field that is empty is left out.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "drivers/mongo/database.h"
#include "messaging/request_digest.h"
#include "messaging/rights.h"
#include "messaging/types.h"
#include "tenancy/caller.h"

namespace parley::messaging::mongodb {

namespace collection {
inline constexpr const char* kConversations = "conversations";
inline constexpr const char* kMembers = "members";
inline constexpr const char* kMessages = "messages";
inline constexpr const char* kVersions = "message_versions";  // those that an edit replaced
inline constexpr const char* kReactions = "reactions";
inline constexpr const char* kIdempotency = "idempotency";
inline constexpr const char* kImportIds = "import_ids";
inline constexpr const char* kUsers = "users";
inline constexpr const char* kDeletedFiles = "deleted_files";
inline constexpr const char* kFileLocks = "file_locks";
}  // namespace collection

// At start, outside of any transaction.
void prepare_messaging(mongo::Database& database);

// The _id of a conversation: a digest of its tenant and its id, so that each is found by what callers name, and no id
// is ever given twice.
using ConversationKey = UuidBytes;
ConversationKey conversation_key(const TenantId& tenant, const ConversationId& id);
// Lanes of the writer: jobs of one conversation, one pair, one user never run beside each other.
std::string_view lane_of(const ConversationKey& key);

// "tenant<0x1f>id": neither holds control characters, so no two pairs look alike, and all of a tenant stand together.
std::string tenant_key(const TenantId& tenant, std::string_view id);
std::string_view id_of_tenant_key(std::string_view key);

mongo::Document member_id(const ConversationKey& conversation, const UserId& user);
mongo::Document version_id(const UuidBytes& message, Version version);
mongo::Document reaction_id(const UuidBytes& message, std::string_view reaction, const UserId& user);
mongo::Document import_id(const ConversationKey& conversation, std::string_view external_id);

// A live conversation with the caller's membership in it.
struct ConversationRow {
  ConversationKey key{};
  Conversation view;  // what is the same for everyone
  std::optional<MemberRole> role;
  Seq read_seq = 0;
  std::int64_t accounted = 0;  // of the live messages, those the member wrote or has read
  std::int64_t live = 0;       // messages that are not deleted
  std::int64_t event_number = 0;
  std::int64_t owner_count = 0;

  Standing standing(const Caller& caller) const { return {view.kind, view.archived, role, caller.roles}; }
  std::int64_t unread() const { return role ? live - accounted : 0; }
  void take_membership(mongo::View member);
};
ConversationRow read_conversation(mongo::View document);

struct MemberRow {
  MemberRole role = MemberRole::kMember;
  WallTime joined_at{};
  Seq read_seq = 0;
};
MemberRow read_member(mongo::View document);

// A message as it is stored; `message.reactions` are as nobody in particular sees them.
struct MessageRow {
  UuidBytes id{};
  ConversationKey conversation{};
  std::optional<UuidBytes> thread_root;
  std::int64_t reaction_total = 0;
  Message message;
};
// message.conversation_id is the caller's to fill in.
MessageRow read_message(mongo::View document);
mongo::Document message_document(const MessageRow& row, const TenantId& tenant);
// The element of a message's `reactions`: the first who gave it, and since when it stands there.
mongo::Array reactions_array(const std::vector<ReactionSummary>& reactions, const std::vector<std::int64_t>& since);
std::vector<std::int64_t> reactions_since(mongo::View message);

MessageVersion read_version(mongo::View document);
User read_user(mongo::View document);

UuidBytes uuid_of(std::span<const std::uint8_t> bytes);  // CHECK-fails unless there are 16
template <class Tag>
mongo::Array texts_array(const std::vector<Id<Tag>>& ids) {
  mongo::Array array;
  for (const auto& id : ids) array.add(id.value);
  return array;
}
template <class Tag>
std::optional<mongo::Array> texts_field(const std::vector<Id<Tag>>& ids) {
  return ids.empty() ? std::nullopt : std::optional(texts_array(ids));
}
std::optional<std::string_view> metadata_field(const MetadataText& metadata);

}  // namespace parley::messaging::mongodb
