// The words of messaging: what a message, a conversation, a member and a profile are, as services and stores pass them
// on. Plain values, no behaviour; JSON is the routes' matter. The names are those of api/messaging.yaml.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/page.h"

namespace parley::messaging {

// Place of a message in its conversation: dense from 1, given at commit. 0 stands for "before the first".
using Seq = std::int64_t;
// 1 at first; grows by one with each change that the contract counts.
using Version = std::int64_t;
// A JSON object as compact text, at most 4 KiB; "{}" when there is none.
using MetadataText = std::string;

enum class MemberRole { kMember, kModerator, kAdmin, kOwner };  // ascending power
enum class ConversationKind { kGroup, kDirect };

std::string_view to_string(MemberRole role);        // "owner", "admin", "moderator", "member"
std::string_view to_string(ConversationKind kind);  // "group", "direct"
std::optional<MemberRole> parse_member_role(std::string_view text);
std::optional<ConversationKind> parse_conversation_kind(std::string_view text);

// One kind of reaction on a message, as one caller sees it. Ordered by who came first.
struct ReactionSummary {
  std::string reaction;
  std::int64_t count = 0;
  std::vector<UserId> users;  // the first kReactionUsersShown who gave it
  bool mine = false;
};
inline constexpr std::size_t kReactionUsersShown = 20;
inline constexpr std::size_t kMaxReactionKinds = 50;  // different reactions on one message

// A file that a message attaches, as media told of it when the message was sent.
struct AttachedFile {
  FileId id;
  std::string filename;
  std::int64_t size = 0;
  std::string content_type;
};
inline constexpr std::size_t kMaxAttachments = 10;  // of one message

// A tombstone has deleted_at set, no content, no client_message_id, and empty attachments, mentions, reactions,
// metadata.
struct Message {
  MessageId id;
  ConversationId conversation_id;
  Seq seq = 0;
  UserId sender_id;
  std::optional<std::string> content;
  std::string type = "text";
  std::vector<FileId> attachments;
  std::vector<AttachedFile> files;  // what is known of attachments; in events and scans alone
  std::optional<MessageId> reply_to;
  std::optional<MessageId> thread_root;
  std::int64_t reply_count = 0;           // live replies, on a thread's root
  std::optional<WallTime> last_reply_at;  // of the last live reply
  std::vector<UserId> mentions;
  MetadataText metadata = "{}";
  std::optional<std::string> client_message_id;
  std::vector<ReactionSummary> reactions;
  WallTime created_at{};
  std::optional<WallTime> edited_at;
  std::optional<WallTime> deleted_at;
  Version version = 1;
  bool imported = false;
};

// One version of a message's content; created_at says when this version came to be.
struct MessageVersion {
  Version version = 1;
  std::string content;
  std::vector<UserId> mentions;
  MetadataText metadata = "{}";
  WallTime created_at{};
};

// A conversation as one caller sees it. For a tenant admin who is not a member: no my_role, no last_message, and
// read_seq and unread_count are 0.
struct Conversation {
  ConversationId id;
  ConversationKind kind = ConversationKind::kGroup;
  std::optional<std::string> name;
  std::optional<std::string> topic;
  MetadataText metadata = "{}";
  bool archived = false;
  bool imported = false;
  UserId created_by;
  WallTime created_at{};
  WallTime updated_at{};
  Version version = 1;
  std::int64_t member_count = 0;
  Seq last_seq = 0;
  std::optional<Message> last_message;
  WallTime last_activity_at{};
  std::optional<MemberRole> my_role;
  Seq read_seq = 0;
  std::int64_t unread_count = 0;
};

struct Member {
  UserId user_id;
  MemberRole role = MemberRole::kMember;
  std::optional<std::string> name;  // of the profile; none for a member who has not been seen yet
  WallTime joined_at{};
  std::optional<Seq> read_seq;  // none for a tenant admin who is not a member
};

struct ReadState {
  ConversationId conversation_id;
  UserId user_id;
  Seq read_seq = 0;
  Seq last_seq = 0;
  std::int64_t unread_count = 0;
};

struct User {
  UserId id;
  std::optional<std::string> name;
  std::optional<std::string> avatar_url;
  MetadataText metadata = "{}";
  WallTime created_at{};
  WallTime updated_at{};
  Version version = 1;
};

// Page of messages by seq. Items stand in the order asked for; has_before and has_after speak of that order too:
// whether messages stand before the first and after the last item.
struct MessagePage {
  std::vector<Message> items;
  bool has_before = false;
  bool has_after = false;
};

}  // namespace parley::messaging
