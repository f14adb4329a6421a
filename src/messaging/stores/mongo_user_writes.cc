// Profiles, as jobs of the MongoDB store.
#include "messaging/event_data.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;

namespace {

User insert_user(WriteContext& write) {
  User user;
  user.id = write.caller.user;
  if (!write.caller.name.empty()) user.name = write.caller.name;
  user.created_at = write.now;
  user.updated_at = write.now;
  write.db.insert(collection::kUsers,
                  make_document("_id", tenant_key(write.caller.tenant, user.id.value), "name", user.name, "created_at",
                                user.created_at, "updated_at", user.updated_at, "version", user.version));
  write.event(user);
  return user;
}

void write_user(WriteContext& write, const User& user) {
  Document change = make_document(
      "$set", make_document("name", user.name, "avatar_url", user.avatar_url, "metadata", metadata_field(user.metadata),
                            "updated_at", user.updated_at, "version", user.version));
  Document unset;
  if (!user.name) unset.add("name", "");
  if (!user.avatar_url) unset.add("avatar_url", "");
  if (!metadata_field(user.metadata)) unset.add("metadata", "");
  if (!unset.empty()) change.add("$unset", unset);
  write.db.update_one(collection::kUsers, make_document("_id", tenant_key(write.caller.tenant, user.id.value)), change);
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
  write_user(write, user);
  write.event(user);
  return write.changed(std::move(user));
}

}  // namespace parley::messaging::mongodb
