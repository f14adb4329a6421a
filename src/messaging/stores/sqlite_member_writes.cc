// Members, read marks and profiles, as jobs of the SQLite store.
#include <algorithm>

#include "messaging/event_data.h"
#include "messaging/stores/sqlite_writes.h"

namespace parley::messaging {

namespace {

Member member_view(WriteContext& write, const ConversationRow& conversation, const UserId& user, const MemberRow& row) {
  // A tenant admin who is no member learns of no read marks.
  return {user, row.role, find_user_name(write.db, write.caller.tenant, user), row.joined_at,
          conversation.role ? std::optional(row.read_seq) : std::nullopt};
}

bool is_only_owner(const ConversationRow& conversation, MemberRole role) {
  return role == MemberRole::kOwner && conversation.owner_count <= 1;
}

}  // namespace

void insert_member(WriteContext& write, ConversationRow& conversation, const UserId& user, MemberRole role) {
  // A new member starts with nothing unread.
  sqlite::Query(write.db,
                "INSERT INTO members(conversation, user, tenant, role, joined_at, read_seq, accounted) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                conversation.row, user.value, write.caller.tenant.value, static_cast<int>(role), to_ms(write.now),
                conversation.last_seq, conversation.live)
      .run();
  ++conversation.member_count;
  if (role == MemberRole::kOwner) ++conversation.owner_count;
  write.event(conversation, kMemberAdded, user.value,
              member_added_data(conversation.id, user, role, write.now, write.caller.user));
}

Result<Committed<Member>> add_member(WriteContext& write, const AddMember& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const MemberRole role = command.role.value_or(MemberRole::kMember);
  if (auto allowed = may_add_member(conversation->standing(write.caller), role); !allowed) {
    return fail(allowed.error());
  }
  if (const auto present = find_member(write.db, conversation->row, command.user_id)) {
    if (command.role && *command.role != present->role) {
      return member_has_another_role();
    }
    return write.unchanged(member_view(write, *conversation, command.user_id, *present));
  }
  if (auto fits = may_have_members(conversation->member_count + 1, write.max_members); !fits) {
    return fail(fits.error());
  }
  insert_member(write, *conversation, command.user_id, role);
  write.save(*conversation);
  if (command.user_id == write.caller.user) conversation->role = role;
  return write.changed(member_view(write, *conversation, command.user_id, {role, write.now, conversation->last_seq}));
}

Result<Committed<Nothing>> remove_member(WriteContext& write, const RemoveMember& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const Standing standing = conversation->standing(write.caller);
  if (auto seen = may_list_members(standing); !seen) return fail(seen.error());
  const auto target = find_member(write.db, conversation->row, command.user_id);
  if (!target) return not_found("member");
  const bool self = command.user_id == write.caller.user;
  if (auto allowed = may_remove_member(standing, target->role, self, is_only_owner(*conversation, target->role));
      !allowed) {
    return fail(allowed.error());
  }
  sqlite::Query(write.db, "DELETE FROM members WHERE conversation = ?1 AND user = ?2", conversation->row,
                command.user_id.value)
      .run();
  --conversation->member_count;
  if (target->role == MemberRole::kOwner) --conversation->owner_count;
  write.event(*conversation, kMemberRemoved, command.user_id.value,
              member_removed_data(conversation->id, command.user_id, write.now, write.caller.user));
  write.save(*conversation);
  return write.changed(Nothing{});
}

Result<Committed<Member>> set_member_role(WriteContext& write, const SetMemberRole& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  const Standing standing = conversation->standing(write.caller);
  if (auto seen = may_list_members(standing); !seen) return fail(seen.error());
  auto target = find_member(write.db, conversation->row, command.user_id);
  if (!target) return not_found("member");
  const MemberRole previous = target->role;
  if (auto allowed = may_set_role(standing, previous, command.role, is_only_owner(*conversation, previous)); !allowed) {
    return fail(allowed.error());
  }
  if (previous == command.role) return write.unchanged(member_view(write, *conversation, command.user_id, *target));
  sqlite::Query(write.db, "UPDATE members SET role = ?3 WHERE conversation = ?1 AND user = ?2", conversation->row,
                command.user_id.value, static_cast<int>(command.role))
      .run();
  if (previous == MemberRole::kOwner) --conversation->owner_count;
  if (command.role == MemberRole::kOwner) ++conversation->owner_count;
  target->role = command.role;
  write.event(*conversation, kMemberRoleChanged, command.user_id.value,
              member_role_data(conversation->id, command.user_id, command.role, previous, write.caller.user));
  write.save(*conversation);
  return write.changed(member_view(write, *conversation, command.user_id, *target));
}

namespace {

// Live messages by others with a seq in (after, through].
std::int64_t count_others(sqlite::Connection& db, std::int64_t conversation, const UserId& user, Seq after,
                          Seq through) {
  sqlite::Query count(db,
                      "SELECT count(*) FROM messages WHERE key > ?1 AND key <= ?2 AND deleted_at IS NULL "
                      "AND sender <> ?3",
                      message_key(conversation, after), message_key(conversation, through), user.value);
  count.step();
  return count.integer(0);
}

}  // namespace

Result<Committed<ReadState>> set_read_mark(WriteContext& write, const SetReadMark& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  if (auto allowed = may_set_read_mark(conversation->standing(write.caller)); !allowed) return fail(allowed.error());
  const Seq last = conversation->last_seq;
  if (command.seq > last) return seq_is_above_the_last();
  const UserId& user = write.caller.user;
  ReadState state{conversation->id, user, conversation->read_seq, last, conversation->unread()};
  if (command.seq <= conversation->read_seq) return write.unchanged(std::move(state));
  // Counted over the shorter side of the mark; nothing at all when everything is read.
  const bool near_end = last - command.seq <= command.seq - conversation->read_seq;
  state.unread_count = near_end ? count_others(write.db, conversation->row, user, command.seq, last)
                                : state.unread_count - count_others(write.db, conversation->row, user,
                                                                    conversation->read_seq, command.seq);
  state.read_seq = command.seq;
  sqlite::Query(write.db, "UPDATE members SET read_seq = ?3, accounted = ?4 WHERE conversation = ?1 AND user = ?2",
                conversation->row, user.value, state.read_seq, conversation->live - state.unread_count)
      .run();
  write.event(*conversation, kReadUpdated, user.value, read_data(conversation->id, user, state.read_seq));
  write.save(*conversation);
  return write.changed(std::move(state));
}

namespace {

User insert_user(WriteContext& write) {
  User user;
  user.id = write.caller.user;
  if (!write.caller.name.empty()) user.name = write.caller.name;
  user.created_at = write.now;
  user.updated_at = write.now;
  sqlite::Query(write.db, "INSERT INTO users(tenant, id, name, created_at, updated_at) VALUES(?1, ?2, ?3, ?4, ?4)",
                write.caller.tenant.value, user.id.value, user.name, to_ms(write.now))
      .run();
  write.event(user);
  return user;
}

}  // namespace

Result<Committed<User>> see_user(WriteContext& write, const Nothing&) {
  if (auto present = find_user(write.db, write.caller.tenant, write.caller.user)) {
    return write.unchanged(std::move(*present));
  }
  return write.changed(insert_user(write));
}

Result<Committed<User>> update_user(WriteContext& write, const UpdateUser& command) {
  const auto present = find_user(write.db, write.caller.tenant, write.caller.user);
  // A caller who was not seen before is made first; its profile then has version 1.
  if (auto wanted = check_version(command.if_match, present ? present->version : 1); !wanted) {
    return fail(wanted.error());
  }
  User user = present ? *present : insert_user(write);
  if (changes_nothing(command, user)) {
    return present ? write.unchanged(std::move(user)) : write.changed(std::move(user));
  }

  apply(command, user, write.now);
  sqlite::Query(write.db,
                "UPDATE users SET name = ?3, avatar_url = ?4, metadata = ?5, updated_at = ?6, version = ?7 "
                "WHERE tenant = ?1 AND id = ?2",
                write.caller.tenant.value, user.id.value, user.name, user.avatar_url, metadata_column(user.metadata),
                to_ms(write.now), user.version)
      .run();
  write.event(user);
  return write.changed(std::move(user));
}

}  // namespace parley::messaging
