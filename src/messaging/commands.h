// What can be asked of the messaging store, as plain values made by the service from checked input. Texts are valid
// UTF-8 within the contract's limits already; whether the caller may do it is for the store to decide, inside its
// transaction.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "messaging/types.h"

namespace parley::messaging {

// If-Match: none for "no condition" or "*"; else the versions that the caller accepts.
using VersionGuard = std::optional<std::vector<Version>>;

// The Idempotency-Key header. Scope: tenant, user and route, for good.
using IdempotencyKey = std::optional<std::string>;

struct SendMessage {
  ConversationId conversation_id;
  std::string content;  // empty only with attachments
  std::string type = "text";
  std::vector<FileId> attachments;  // each once
  std::vector<AttachedFile> files;  // what is known of them
  std::optional<MessageId> reply_to;
  std::vector<UserId> mentions;
  MetadataText metadata = "{}";
  std::optional<std::string> client_message_id;  // scope: tenant, user and conversation, for good
  IdempotencyKey idempotency_key;
  // Set for a caller who may send nothing new now (its limit is used up, its attachments are refused): a replay is
  // answered as ever, anything else is kRateLimited (rate_limited) after the checks a send has, and nothing is stored.
  bool only_replay = false;
};
inline bool may_be_replay(const SendMessage& command) {
  return command.idempotency_key || command.client_message_id;
}

// Fields that are none stay as they are. content must not become empty unless the message has attachments.
struct EditMessage {
  MessageId message_id;
  std::optional<std::string> content;
  std::optional<std::vector<UserId>> mentions;
  std::optional<MetadataText> metadata;
  VersionGuard if_match;
};

struct DeleteMessage {
  MessageId message_id;
  VersionGuard if_match;
};

struct React {
  MessageId message_id;
  std::string reaction;
};

// `members` are the others: never the caller, no one twice. A direct conversation has exactly one other.
struct CreateConversation {
  std::optional<ConversationId> id;
  ConversationKind kind = ConversationKind::kGroup;
  std::optional<std::string> name;
  std::optional<std::string> topic;
  MetadataText metadata = "{}";
  std::vector<UserId> members;
  bool imported = false;  // needs the tenant role admin or service
  IdempotencyKey idempotency_key;
};

// Outer none: stays as it is. Inner none: cleared.
struct UpdateConversation {
  ConversationId conversation_id;
  std::optional<std::optional<std::string>> name;
  std::optional<std::optional<std::string>> topic;
  std::optional<MetadataText> metadata;
  std::optional<bool> archived;
  VersionGuard if_match;
};

struct DeleteConversation {
  ConversationId conversation_id;
  VersionGuard if_match;
};

// role none: "member" for a new one, "as it is" for one who is in it already.
struct AddMember {
  ConversationId conversation_id;
  UserId user_id;
  std::optional<MemberRole> role;
};

struct RemoveMember {
  ConversationId conversation_id;
  UserId user_id;  // the caller itself: leaving
};

struct SetMemberRole {
  ConversationId conversation_id;
  UserId user_id;
  MemberRole role = MemberRole::kMember;
};

struct SetReadMark {
  ConversationId conversation_id;
  Seq seq = 0;
};

struct UpdateUser {
  std::optional<std::optional<std::string>> name;
  std::optional<std::optional<std::string>> avatar_url;
  std::optional<MetadataText> metadata;
  VersionGuard if_match;
};

// Bulk import. `line` is what errors are named after: "/<line>/author".
struct ImportedReaction {
  std::string reaction;
  std::vector<UserId> users;
};
struct ImportedMessage {
  std::int64_t line = 0;
  std::string external_id;
  UserId author;
  std::string content;
  WallTime created_at{};
  std::optional<std::string> reply_to_external_id;
  std::vector<ImportedReaction> reactions;
};
struct ImportMessages {
  ConversationId conversation_id;
  std::vector<ImportedMessage> messages;  // at most 1000
};
struct ImportSummary {
  std::int64_t created = 0;
  std::int64_t existing = 0;
  Seq last_seq = 0;
};

// Many things at once, by their ids, no id twice.
struct LookUp {
  std::vector<MessageId> messages;
  std::vector<ConversationId> conversations;
  std::vector<UserId> users;
};
struct LookedUp {
  std::vector<Message> messages;
  std::vector<Conversation> conversations;
  std::vector<User> users;
};

enum class SeqOrder { kNewestFirst, kOldestFirst };

// Messages by seq. from: the first page has none; else the page starts behind this seq in the order asked for.
// backwards: the page ends before `from` instead (what prev_cursor asks for); items still stand in `order`.
struct ListMessages {
  ConversationId conversation_id;
  SeqOrder order = SeqOrder::kNewestFirst;
  std::optional<Seq> from;
  bool backwards = false;
  std::size_t limit = 50;
};
// The page with `seq` in its middle, as far as there are messages on both sides.
struct MessagesAround {
  ConversationId conversation_id;
  SeqOrder order = SeqOrder::kNewestFirst;
  Seq seq = 1;
  std::size_t limit = 50;
};
struct ListReplies {
  MessageId message_id;
  SeqOrder order = SeqOrder::kNewestFirst;
  std::optional<Seq> from;
  std::size_t limit = 50;
};
// Newest version first.
struct ListVersions {
  MessageId message_id;
  std::optional<Version> below;
  std::size_t limit = 50;
};
// Last activity first; among equals by id, ascending. The next page starts behind the last item's two values.
struct ConversationListPoint {
  WallTime last_activity_at{};
  ConversationId id;
};
struct ListConversations {
  std::optional<ConversationListPoint> after;
  std::size_t limit = 50;
};
// In the order of joining; among equals by id, ascending.
struct MemberListPoint {
  WallTime joined_at{};
  UserId user_id;
};
struct ListMembers {
  ConversationId conversation_id;
  std::optional<MemberListPoint> after;
  std::size_t limit = 50;
};

}  // namespace parley::messaging
