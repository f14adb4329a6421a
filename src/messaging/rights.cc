#include "messaging/rights.h"

namespace parley::messaging {

namespace {

constexpr auto kOwner = MemberRole::kOwner;
constexpr auto kAdmin = MemberRole::kAdmin;
constexpr auto kModerator = MemberRole::kModerator;
constexpr auto kMember = MemberRole::kMember;

std::unexpected<Error> forbidden() {
  return fail(ErrorKind::kForbidden, "forbidden", "You lack the right to do this here.");
}
std::unexpected<Error> archived() {
  return fail(ErrorKind::kConflict, "conversation_archived", "The conversation is archived.");
}
std::unexpected<Error> direct() {
  return fail(ErrorKind::kConflict, "direct_conversation", "Not with a direct conversation.");
}
std::unexpected<Error> last_owner() {
  return fail(ErrorKind::kConflict, "last_owner",
              "The conversation would be left without an owner; make another first.");
}

bool is_direct(const Standing& caller) {
  return caller.kind == ConversationKind::kDirect;
}

// Members may look; so may tenant admins, at groups.
Result<> may_look(const Standing& caller) {
  if (caller.role || (caller.tenant.admin && !is_direct(caller))) return {};
  return not_found("conversation");
}

// The first gate of everything that manages a group.
Result<> may_enter_group(const Standing& caller) {
  if (auto seen = may_look(caller); !seen) return seen;
  if (is_direct(caller)) return direct();
  return {};
}

// Whom an admin and a moderator may add, remove and rank; owners and tenant admins: everyone.
bool outranks(const Standing& caller, MemberRole theirs) {
  if (caller.tenant.admin || caller.role == kOwner) return true;
  if (caller.role == kAdmin) return theirs <= kModerator;
  return caller.role == kModerator && theirs == kMember;
}

}  // namespace

Result<> may_see_conversation(const Standing& caller) {
  return may_look(caller);
}
Result<> may_list_members(const Standing& caller) {
  return may_look(caller);
}

Result<> may_read_messages(const Standing& caller) {
  if (!caller.role) return not_found("conversation");
  return {};
}

Result<> may_read_message(const Standing& caller) {
  if (!caller.role) return not_found("message");
  return {};
}

Result<> may_send(const Standing& caller) {
  if (!caller.role) return not_found("conversation");
  if (caller.archived) return archived();
  return {};
}

Result<> may_edit_message(const Standing& caller, bool own) {
  if (!caller.role) return not_found("message");
  if (!own) return forbidden();
  if (caller.archived) return archived();
  return {};
}

Result<> may_delete_message(const Standing& caller, bool own) {
  if (caller.tenant.admin) return {};
  if (!caller.role) return not_found("message");
  if (own || (!is_direct(caller) && *caller.role >= kModerator)) return {};
  return forbidden();
}

Result<> may_add_reaction(const Standing& caller) {
  if (!caller.role) return not_found("message");
  if (caller.archived) return archived();
  return {};
}

Result<> may_remove_reaction(const Standing& caller) {
  return may_add_reaction(caller);
}

Result<> may_set_read_mark(const Standing& caller) {
  return may_read_messages(caller);
}

Result<> may_create_conversation(const TenantRoles& tenant, bool imported) {
  if (imported && !tenant.admin && !tenant.service) return forbidden();
  return {};
}

Result<> may_update_conversation(const Standing& caller, bool only_metadata) {
  if (auto seen = may_look(caller); !seen) return seen;
  if (is_direct(caller)) return only_metadata ? Result<>{} : direct();
  if (caller.tenant.admin || *caller.role >= kAdmin) return {};
  return forbidden();
}

Result<> may_delete_conversation(const Standing& caller) {
  if (caller.tenant.admin) return {};
  if (!caller.role) return not_found("conversation");
  if (!is_direct(caller) && caller.role == kOwner) return {};
  return forbidden();
}

Result<> may_add_member(const Standing& caller, MemberRole given) {
  if (auto entered = may_enter_group(caller); !entered) return entered;
  if (!outranks(caller, given)) return forbidden();
  return {};
}

Result<> may_have_members(std::int64_t members, std::int64_t limit) {
  if (limit == 0 || members <= limit) return {};
  return fail(ErrorKind::kConflict, "too_many_members",
              "A conversation has at most " + std::to_string(limit) + " members.");
}

Result<> may_remove_member(const Standing& caller, MemberRole theirs, bool self, bool only_owner) {
  if (auto entered = may_enter_group(caller); !entered) return entered;
  if (!self && !outranks(caller, theirs)) return forbidden();
  if (only_owner) return last_owner();
  return {};
}

Result<> may_set_role(const Standing& caller, MemberRole from, MemberRole to, bool only_owner) {
  if (auto entered = may_enter_group(caller); !entered) return entered;
  const bool may_give_any = caller.tenant.admin || caller.role == kOwner;
  const bool may_give_low = caller.role == kAdmin && from <= kModerator && to <= kModerator;
  if (!may_give_any && !may_give_low) return forbidden();
  if (only_owner && to != kOwner) return last_owner();
  return {};
}

Result<> may_import(const Standing& caller, bool imported) {
  if (!caller.role) return not_found("conversation");
  if ((!caller.tenant.admin && !caller.tenant.service) || *caller.role < kAdmin) return forbidden();
  if (!imported) {
    return fail(ErrorKind::kConflict, "conversation_not_imported",
                "Messages are imported only into a conversation that was created with imported.");
  }
  return {};
}

}  // namespace parley::messaging
