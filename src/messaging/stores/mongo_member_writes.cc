// Members and read marks, as jobs of the MongoDB store.
#include <algorithm>

#include "messaging/event_data.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

Document by_member(const ConversationRow& conversation, const UserId& user) {
  return make_document("_id", member_id(conversation.key, user));
}

Member member_view(WriteContext& write, const ConversationRow& conversation, const UserId& user, const MemberRow& row) {
  const auto profile = find_user(write.db, write.caller.tenant, user);
  // A tenant admin who is no member learns of no read marks.
  return {user, row.role, profile ? profile->name : std::nullopt, row.joined_at,
          conversation.role ? std::optional(row.read_seq) : std::nullopt};
}

bool is_only_owner(const ConversationRow& conversation, MemberRole role) {
  return role == MemberRole::kOwner && conversation.owner_count <= 1;
}

}  // namespace

void insert_members(WriteContext& write, ConversationRow& conversation, const std::vector<NewMember>& members) {
  std::vector<Document> documents;
  documents.reserve(members.size());
  for (const auto& [user, role] : members) {
    // A new member starts with nothing unread.
    documents.push_back(make_document("_id", member_id(conversation.key, user), "conversation", Uuid{conversation.key},
                                      "user", user.value, "tenant", write.caller.tenant.value, "role", to_string(role),
                                      "joined_at", write.now, "read_seq", conversation.view.last_seq, "accounted",
                                      conversation.live));
    ++conversation.view.member_count;
    if (role == MemberRole::kOwner) ++conversation.owner_count;
    write.event(conversation, kMemberAdded, user.value,
                member_added_data(conversation.view.id, user, role, write.now, write.caller.user));
  }
  write.db.insert(collection::kMembers, documents);
}

Result<Committed<Member>> add_member(WriteContext& write, const AddMember& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const MemberRole role = command.role.value_or(MemberRole::kMember);
  if (auto allowed = may_add_member(conversation->standing(write.caller), role); !allowed) {
    return fail(allowed.error());
  }
  if (const auto present = find_member(write.db, conversation->key, command.user_id)) {
    if (command.role && *command.role != present->role) return member_has_another_role();
    return write.unchanged(member_view(write, *conversation, command.user_id, *present));
  }
  if (auto fits = may_have_members(conversation->view.member_count + 1, write.max_members); !fits) {
    return fail(fits.error());
  }
  insert_members(write, *conversation, {{command.user_id, role}});
  write.save(*conversation);
  if (command.user_id == write.caller.user) conversation->role = role;
  return write.changed(
      member_view(write, *conversation, command.user_id, {role, write.now, conversation->view.last_seq}));
}

Result<Committed<Nothing>> remove_member(WriteContext& write, const RemoveMember& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const Standing standing = conversation->standing(write.caller);
  if (auto seen = may_list_members(standing); !seen) return fail(seen.error());
  const auto target = find_member(write.db, conversation->key, command.user_id);
  if (!target) return not_found("member");
  const bool self = command.user_id == write.caller.user;
  if (auto allowed = may_remove_member(standing, target->role, self, is_only_owner(*conversation, target->role));
      !allowed) {
    return fail(allowed.error());
  }
  write.db.delete_one(collection::kMembers, by_member(*conversation, command.user_id));
  --conversation->view.member_count;
  if (target->role == MemberRole::kOwner) --conversation->owner_count;
  write.event(*conversation, kMemberRemoved, command.user_id.value,
              member_removed_data(conversation->view.id, command.user_id, write.now, write.caller.user));
  write.save(*conversation);
  return write.changed(Nothing{});
}

Result<Committed<Member>> set_member_role(WriteContext& write, const SetMemberRole& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const Standing standing = conversation->standing(write.caller);
  if (auto seen = may_list_members(standing); !seen) return fail(seen.error());
  auto target = find_member(write.db, conversation->key, command.user_id);
  if (!target) return not_found("member");
  const MemberRole previous = target->role;
  if (auto allowed = may_set_role(standing, previous, command.role, is_only_owner(*conversation, previous)); !allowed) {
    return fail(allowed.error());
  }
  if (previous == command.role) return write.unchanged(member_view(write, *conversation, command.user_id, *target));
  write.db.update_one(collection::kMembers, by_member(*conversation, command.user_id),
                      make_document("$set", make_document("role", to_string(command.role))));
  if (previous == MemberRole::kOwner) --conversation->owner_count;
  if (command.role == MemberRole::kOwner) ++conversation->owner_count;
  target->role = command.role;
  write.event(*conversation, kMemberRoleChanged, command.user_id.value,
              member_role_data(conversation->view.id, command.user_id, command.role, previous, write.caller.user));
  write.save(*conversation);
  return write.changed(member_view(write, *conversation, command.user_id, *target));
}

namespace {

// Live messages by others with a seq in (after, through].
std::int64_t count_others(mongo::Database& db, const ConversationKey& conversation, const UserId& user, Seq after,
                          Seq through) {
  return db.count(collection::kMessages,
                  make_document("conversation", Uuid{conversation}, "seq", make_document("$gt", after, "$lte", through),
                                "deleted_at", absent(), "sender_id", make_document("$ne", user.value)));
}

}  // namespace

Result<Committed<ReadState>> set_read_mark(WriteContext& write, const SetReadMark& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  if (auto allowed = may_set_read_mark(conversation->standing(write.caller)); !allowed) return fail(allowed.error());
  const Seq last = conversation->view.last_seq;
  if (command.seq > last) return seq_is_above_the_last();
  const UserId& user = write.caller.user;
  ReadState state{conversation->view.id, user, conversation->read_seq, last, conversation->unread()};
  if (command.seq <= conversation->read_seq) return write.unchanged(std::move(state));
  // Counted over the shorter side of the mark; nothing at all when everything is read.
  const bool near_end = last - command.seq <= command.seq - conversation->read_seq;
  if (command.seq == last) {
    state.unread_count = 0;
  } else if (near_end) {
    state.unread_count = count_others(write.db, conversation->key, user, command.seq, last);
  } else {
    state.unread_count -= count_others(write.db, conversation->key, user, conversation->read_seq, command.seq);
  }
  state.read_seq = command.seq;
  write.db.update_one(collection::kMembers, by_member(*conversation, user),
                      make_document("$set", make_document("read_seq", state.read_seq, "accounted",
                                                          conversation->live - state.unread_count)));
  write.event(*conversation, kReadUpdated, user.value, read_data(conversation->view.id, user, state.read_seq));
  write.save(*conversation);
  return write.changed(std::move(state));
}

}  // namespace parley::messaging::mongodb
