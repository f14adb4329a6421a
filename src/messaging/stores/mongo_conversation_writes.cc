// Create, update and delete conversations, as jobs of the MongoDB store.
#include <algorithm>

#include "messaging/event_data.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

Document by_key(const ConversationKey& key) {
  return make_document("_id", Uuid{key});
}

// A held id answers its conversation to a member who asks for the same; else it is taken, and no more is told.
Result<std::optional<Conversation>> find_held(WriteContext& write, const CreateConversation& command) {
  if (!command.id) return std::nullopt;
  const bool held =
      write.db
          .find_one(collection::kConversations, by_key(conversation_key(write.caller.tenant, *command.id)),
                    {.sort = {}, .fields = make_document("_id", 1)})
          .has_value();
  if (!held) return std::nullopt;
  auto existing = find_conversation(write.db, write.caller, *command.id);
  if (!existing || !existing->role) return conversation_id_is_taken();
  auto view = view_of(write.db, std::move(*existing), write.caller);
  if (!asks_for_the_same(command, view)) return conversation_id_is_taken();
  return view;
}

Result<Conversation> view_of_key(WriteContext& write, const ConversationKey& key) {
  auto conversation = find_conversation(write.db, write.caller, key);
  if (!conversation || !conversation->role) return not_found("conversation");
  return view_of(write.db, std::move(*conversation), write.caller);
}

std::optional<ConversationKey> find_pair(WriteContext& write, const std::string& pair) {
  const auto row = write.db.find_one(collection::kConversations, make_document("pair", pair),
                                     {.sort = {}, .fields = make_document("_id", 1)});
  return row ? std::optional(uuid_of(row->view().bytes("_id"))) : std::nullopt;
}

ConversationRow insert_conversation(WriteContext& write, const CreateConversation& command,
                                    const std::optional<std::string>& pair) {
  ConversationRow row;
  Conversation& view = row.view;
  view.id = command.id ? *command.id : ConversationId(format_uuid(write.ids.next(write.now)));
  view.kind = command.kind;
  view.name = command.name;
  view.topic = command.topic;
  view.metadata = command.metadata;
  view.imported = command.imported;
  view.created_by = write.caller.user;
  view.created_at = write.now;
  view.updated_at = write.now;
  view.last_activity_at = write.now;
  row.key = conversation_key(write.caller.tenant, view.id);
  write.db.insert(collection::kConversations,
                  make_document("_id", Uuid{row.key}, "tenant", write.caller.tenant.value, "id", view.id.value, "type",
                                to_string(view.kind), "pair", pair, "name", view.name, "topic", view.topic, "metadata",
                                metadata_field(view.metadata), "archived", false, "imported", view.imported,
                                "created_by", view.created_by.value, "created_at", view.created_at, "updated_at",
                                view.updated_at, "version", view.version, "last_seq", 0, "live", 0, "event_number", 0,
                                "member_count", 0, "owner_count", 0, "last_activity_at", view.last_activity_at));
  return row;
}

std::vector<NewMember> first_members(const Caller& caller, const CreateConversation& command) {
  const bool direct = command.kind == ConversationKind::kDirect;
  std::vector<NewMember> members{{caller.user, direct ? MemberRole::kMember : MemberRole::kOwner}};
  for (const UserId& user : command.members) members.push_back({user, MemberRole::kMember});
  return members;
}

}  // namespace

Result<Committed<Conversation>> create_conversation(WriteContext& write, const CreateConversation& command) {
  if (auto allowed = may_create_conversation(write.caller.roles, command.imported); !allowed) {
    return fail(allowed.error());
  }
  const Digest request = request_digest(command);
  std::optional<Digest> key;
  if (command.idempotency_key) {
    key = idempotency_scope(write.caller, "create_conversation", *command.idempotency_key);
    const auto earlier = find_request(write.db, *key, request);
    if (!earlier) return fail(earlier.error());
    if (*earlier) {
      auto view = view_of_key(write, **earlier);
      if (!view) return fail(view.error());
      return write.unchanged(std::move(*view));
    }
  }
  std::optional<std::string> pair;
  if (command.kind == ConversationKind::kDirect) {
    CHECK(command.members.size() == 1);
    pair = tenant_key(write.caller.tenant, pair_key(write.caller.user, command.members.front()));
    if (const auto existing = find_pair(write, *pair)) {
      auto view = view_of_key(write, *existing);
      if (!view) return fail(view.error());
      if (key) remember_request(write.db, *key, request, *existing);
      return write.unchanged(std::move(*view));
    }
  }
  auto held = find_held(write, command);
  if (!held) return fail(held.error());
  if (*held) {
    if (key) remember_request(write.db, *key, request, conversation_key(write.caller.tenant, *command.id));
    return write.unchanged(std::move(**held));
  }
  const auto members = first_members(write.caller, command);
  const bool limited = command.kind != ConversationKind::kDirect;
  if (auto fits = may_have_members(static_cast<std::int64_t>(members.size()), limited ? write.max_members : 0); !fits) {
    return fail(fits.error());
  }
  ConversationRow row = insert_conversation(write, command, pair);
  if (key) remember_request(write.db, *key, request, row.key);
  write.naming_event(row, kConversationCreated, conversation_data(row.view));
  insert_members(write, row, members);
  write.save(row);
  auto view = view_of_key(write, row.key);
  if (!view) return fail(view.error());
  return write.changed(std::move(*view));
}

Result<Committed<Conversation>> update_conversation(WriteContext& write, const UpdateConversation& command) {
  auto row = find_conversation(write.db, write.caller, command.conversation_id);
  if (!row) return not_found("conversation");
  if (auto allowed = may_update_conversation(row->standing(write.caller), touches_only_metadata(command)); !allowed) {
    return fail(allowed.error());
  }
  if (auto wanted = check_version(command.if_match, row->view.version); !wanted) return fail(wanted.error());
  if (changes_nothing(command, row->view)) {
    return write.unchanged(view_of(write.db, std::move(*row), write.caller));
  }
  apply(command, row->view, write.now);
  const Conversation& view = row->view;
  Document change = make_document(
      "$set", make_document("name", view.name, "topic", view.topic, "metadata", metadata_field(view.metadata),
                            "archived", view.archived, "updated_at", view.updated_at, "version", view.version));
  Document unset;
  if (!view.name) unset.add("name", "");
  if (!view.topic) unset.add("topic", "");
  if (!metadata_field(view.metadata)) unset.add("metadata", "");
  if (!unset.empty()) change.add("$unset", unset);
  write.db.update_one(collection::kConversations, by_key(row->key), change);
  Conversation shown = view_of(write.db, *row, write.caller);
  write.naming_event(*row, kConversationUpdated, conversation_data(shown));
  write.save(*row);
  return write.changed(std::move(shown));
}

Result<Committed<Nothing>> delete_conversation(WriteContext& write, const DeleteConversation& command) {
  auto row = find_conversation(write.db, write.caller, command.conversation_id);
  if (!row) return not_found("conversation");
  if (auto allowed = may_delete_conversation(row->standing(write.caller)); !allowed) return fail(allowed.error());
  if (auto wanted = check_version(command.if_match, row->view.version); !wanted) return fail(wanted.error());

  write.db.update_one(collection::kConversations, by_key(row->key),
                      make_document("$set", make_document("deleted_at", write.now, "erase_from", 1), "$unset",
                                    make_document("pair", "", "name", "", "topic", "", "metadata", "")));
  write.erase_naming_events(*row);
  write.db.delete_many(collection::kMembers, make_document("conversation", Uuid{row->key}));
  write.event(*row, kConversationDeleted, row->view.id.value,
              conversation_deleted_data(row->view.id, write.now, write.caller.user));
  row->view.member_count = 0;
  row->owner_count = 0;
  write.save(*row);
  return write.changed(Nothing{});
}

namespace {

std::int64_t erase_range(mongo::Database& db, const ConversationKey& key, WallTime deleted_at, Seq first, Seq last) {
  const Document range = make_document("conversation", Uuid{key}, "seq", make_document("$gte", first, "$lte", last));
  mongo::Array ids;
  std::int64_t live = 0;
  for (const Document& message :
       db.find(collection::kMessages, range, {.sort = {}, .fields = make_document("_id", 1, "deleted_at", 1)})) {
    ids.add(Uuid{message.view().bytes("_id")});
    if (!message.view().has("deleted_at")) ++live;
  }
  const Document said = make_document("content", "", "attachments", "", "files", "", "mentions", "", "metadata", "",
                                      "client_message_id", "", "reactions", "", "reply_count", "", "last_reply_at", "");
  Document alive = range;
  alive.add("deleted_at", absent());
  db.update_many(collection::kMessages, alive,
                 make_document("$unset", said, "$set", make_document("deleted_at", deleted_at)));
  db.delete_many(collection::kVersions, make_document("message", among(ids)));
  db.delete_many(collection::kReactions, make_document("message", among(ids)));
  return live;
}

}  // namespace

std::int64_t erase_deleted(mongo::Database& db, std::int64_t limit) {
  const auto found =
      db.find_one(collection::kConversations, make_document("erase_from", make_document("$exists", true)),
                  {.sort = make_document("erase_from", 1)});
  if (!found) return 0;
  const mongo::View row = found->view();
  const ConversationKey key = uuid_of(row.bytes("_id"));
  const Seq first = row.integer("erase_from");
  const Seq last = row.integer("last_seq");
  const Seq through = std::min(last, first + limit - 1);
  const std::int64_t looked_at = through - first + 1;
  const std::int64_t erased = looked_at > 0 ? erase_range(db, key, row.time("deleted_at"), first, through) : 0;
  Document change = make_document("$inc", make_document("live", -erased));
  if (through >= last) {
    db.delete_many(collection::kImportIds, make_document("conversation", Uuid{key}));
    change.add("$unset", make_document("erase_from", ""));
  } else {
    change.add("$set", make_document("erase_from", through + 1));
  }
  db.update_one(collection::kConversations, by_key(key), change);
  return std::max<std::int64_t>(looked_at, 1);
}

}  // namespace parley::messaging::mongodb
