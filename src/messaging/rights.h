// The rights table of messaging: who may do what in a conversation. Pure; every store adapter asks it inside the
// transaction that acts, with what it has just read there, so that two adapters cannot differ. docs/api.md is the same
// table in words, and rights_test.cc walks it whole.
//
// Each function answers nothing when the act is allowed, else not_found (the caller must not learn of it), forbidden or
// a conflict.
#pragma once
#include <optional>

#include "base/result.h"
#include "messaging/types.h"
#include "tenancy/caller.h"

namespace parley::messaging {

// How the caller stands to a conversation that exists in its tenant.
struct Standing {
  ConversationKind kind = ConversationKind::kGroup;
  bool archived = false;
  std::optional<MemberRole> role;  // none: not a member
  TenantRoles tenant;
};

// Reading.
Result<> may_see_conversation(const Standing& caller);  // members; tenant admins, groups only
Result<> may_read_messages(const Standing& caller);     // members; answers for the conversation
Result<> may_read_message(const Standing& caller);      // members; answers for the message
Result<> may_list_members(const Standing& caller);      // members; tenant admins, groups only

// Messages. Being archived stops new content, not deletion.
Result<> may_send(const Standing& caller);
Result<> may_edit_message(const Standing& caller, bool own);
Result<> may_delete_message(const Standing& caller, bool own);
Result<> may_add_reaction(const Standing& caller);
Result<> may_remove_reaction(const Standing& caller);
Result<> may_set_read_mark(const Standing& caller);

// The conversation itself. only_metadata: the command touches neither name, topic nor archived.
Result<> may_create_conversation(const TenantRoles& tenant, bool imported);
Result<> may_update_conversation(const Standing& caller, bool only_metadata);
Result<> may_delete_conversation(const Standing& caller);

// Members. self: the caller acts on itself. only_owner: the one acted on is the last owner.
Result<> may_add_member(const Standing& caller, MemberRole given);
Result<> may_remove_member(const Standing& caller, MemberRole theirs, bool self, bool only_owner);
// members: how many there would be; limit 0 is none.
Result<> may_have_members(std::int64_t members, std::int64_t limit);
Result<> may_set_role(const Standing& caller, MemberRole from, MemberRole to, bool only_owner);

// Bulk import; imported: the conversation was made for it.
Result<> may_import(const Standing& caller, bool imported);

}  // namespace parley::messaging
