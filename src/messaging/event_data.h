// The `data` of messaging's events, as api/events/*.json describes them: compact JSON from domain values. Pure; the
// same from every store adapter.
#pragma once
#include <string>

#include "base/json_writer.h"
#include "messaging/types.h"

namespace parley::messaging {

inline constexpr const char* kMessageCreated = "message.created";
inline constexpr const char* kMessageEdited = "message.edited";
inline constexpr const char* kMessageDeleted = "message.deleted";
inline constexpr const char* kMessageFilesChanged = "message.files_changed";
inline constexpr const char* kReactionAdded = "reaction.added";
inline constexpr const char* kReactionRemoved = "reaction.removed";
inline constexpr const char* kConversationCreated = "conversation.created";
inline constexpr const char* kConversationUpdated = "conversation.updated";
inline constexpr const char* kConversationDeleted = "conversation.deleted";
inline constexpr const char* kMemberAdded = "member.added";
inline constexpr const char* kMemberRemoved = "member.removed";
inline constexpr const char* kMemberRoleChanged = "member.role_changed";
inline constexpr const char* kReadUpdated = "read.updated";
inline constexpr const char* kUserUpdated = "user.updated";

struct ReactionChange {
  UserId user;
  std::string reaction;
  std::int64_t count = 0;  // of this kind on the message now
  std::int64_t total = 0;  // of any kind
};

// What is known of attachments, as events and scans tell it.
void write_files(JsonWriter& json, const std::vector<AttachedFile>& files);

// Created, edited, files changed. A message that is a tombstone by now says nothing any more: its content is "".
std::string message_data(const Message& message);
std::string message_deleted_data(const Message& tombstone, const UserId& by);
std::string reaction_data(const MessageId& message, const ConversationId& conversation, Seq seq,
                          const ReactionChange& change);
std::string conversation_data(const Conversation& conversation);
std::string conversation_deleted_data(const ConversationId& conversation, WallTime at, const UserId& by);
std::string member_added_data(const ConversationId& conversation, const UserId& user, MemberRole role, WallTime at,
                              const UserId& by);
std::string member_removed_data(const ConversationId& conversation, const UserId& user, WallTime at, const UserId& by);
std::string member_role_data(const ConversationId& conversation, const UserId& user, MemberRole role,
                             MemberRole previous, const UserId& by);
std::string read_data(const ConversationId& conversation, const UserId& user, Seq read_seq);
std::string user_data(const User& user);

}  // namespace parley::messaging
