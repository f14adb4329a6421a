#include "messaging/types.h"

namespace parley::messaging {

std::string_view to_string(MemberRole role) {
  switch (role) {
    case MemberRole::kMember:
      return "member";
    case MemberRole::kModerator:
      return "moderator";
    case MemberRole::kAdmin:
      return "admin";
    case MemberRole::kOwner:
      return "owner";
  }
  return "member";
}

std::string_view to_string(ConversationKind kind) {
  return kind == ConversationKind::kDirect ? "direct" : "group";
}

std::optional<MemberRole> parse_member_role(std::string_view text) {
  for (const auto role : {MemberRole::kMember, MemberRole::kModerator, MemberRole::kAdmin, MemberRole::kOwner}) {
    if (to_string(role) == text) return role;
  }
  return std::nullopt;
}

std::optional<ConversationKind> parse_conversation_kind(std::string_view text) {
  if (text == "group") return ConversationKind::kGroup;
  if (text == "direct") return ConversationKind::kDirect;
  return std::nullopt;
}

}  // namespace parley::messaging
