// What a store of messaging holds, record by record, as it goes from one kind of store to another (ADR 31): all of it
// and nothing that only one kind has. Two stores that hold the same have equal records, so they can be compared. Plain
// values.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "events/event.h"
#include "messaging/request_digest.h"
#include "messaging/types.h"

namespace parley::messaging::transfer {

// Names a conversation in every store.
struct ConversationName {
  TenantId tenant;
  ConversationId id;
  auto operator<=>(const ConversationName&) const = default;
};

// Deleted ones too: no id is given twice.
struct ConversationRecord {
  ConversationName name;
  ConversationKind kind = ConversationKind::kGroup;
  std::optional<std::string> pair;  // of a direct one that is not deleted: pair_key()
  std::optional<std::string> title;
  std::optional<std::string> topic;
  MetadataText metadata = "{}";
  bool archived = false;
  bool imported = false;
  UserId created_by;
  WallTime created_at{};
  WallTime updated_at{};
  Version version = 1;
  std::optional<WallTime> deleted_at;
  std::optional<Seq> erase_from;  // of a deleted one whose messages still wait to be erased
  Seq last_seq = 0;
  std::int64_t live = 0;
  std::int64_t event_number = 0;  // grows with each change of its messages or members
  std::int64_t member_count = 0;
  std::int64_t owner_count = 0;
  WallTime last_activity_at{};
};

struct MemberRecord {
  UserId user;
  MemberRole role = MemberRole::kMember;
  WallTime joined_at{};
  Seq read_seq = 0;
  std::int64_t accounted = 0;
};

struct ReactionRecord {
  std::string reaction;
  UserId user;
  std::int64_t place = 0;  // who came first
};

// `message` without conversation_id and reactions.
struct MessageRecord {
  Message message;
  std::optional<UserId> deleted_by;
  std::vector<MessageVersion> versions;   // those that an edit replaced, ascending
  std::vector<ReactionRecord> reactions;  // by place
  std::vector<std::string> external_ids;  // of imports, ascending
};

struct UserRecord {
  TenantId tenant;
  User user;
};

// A file that media told was deleted.
struct DeletedFileRecord {
  TenantId tenant;
  FileId file;
  WallTime told_at{};
};

// A key that a request came with, and what it made: a message, or else a conversation.
struct RequestRecord {
  Digest key{};
  Digest request{};
  std::optional<MessageId> message;
  std::optional<ConversationName> conversation;
};

// The last event of the log. Those of messages have no data of their own: they refer to `event.subject` at `version`.
struct LastEvent {
  events::Event event;
  bool refers = false;
  Version version = 0;
};

}  // namespace parley::messaging::transfer
