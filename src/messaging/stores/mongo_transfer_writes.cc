// What a move writes into a store in MongoDB. Nobody serves it meanwhile, so nothing here is a transaction: what is
// written by halves when the move is killed is written again by the next.
#include <algorithm>
#include <set>

#include "events/mongo_move_mark.h"
#include "messaging/event_data.h"
#include "messaging/stores/mongo_lookups.h"
#include "messaging/stores/mongo_transfer.h"
#include "messaging/stores/mongo_transfer_parts.h"

namespace parley::messaging {

using mongo::Binary;
using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;
using namespace transfer;  // NOLINT(google-build-using-namespace): the port's records, all over this file
namespace collection = mongodb::collection;

namespace {

UuidBytes bytes_of(const MessageId& id) {
  const auto bytes = parse_uuid(id.value);
  CHECK(bytes.has_value());
  return *bytes;
}

// Documents whose place is given by their _id. Mostly none of them is there: looking for what is costs more than a
// refusal.
void put(Database& db, const char* into, const mongo::Array& ids, const std::vector<Document>& documents) {
  if (documents.empty()) return;
  try {
    return db.insert(into, documents);
  } catch (const mongo::Failure& failure) {
    if (failure.kind() != mongo::FailureKind::kDuplicateKey) throw;
  }
  db.delete_many(into, make_document("_id", mongodb::among(ids)));
  db.insert(into, documents);
}

}  // namespace

Result<> MongoTransfer::begin(const MoveMark& mark, const PositionSecret& secret) {
  return store_->act([&](Database& db) {
    events::take_position_secret(db, mongodb::transfer_log(), secret);
    events::write_move_mark(db, mongodb::transfer_log(), mark);
  });
}

Result<> MongoTransfer::put_conversation(const ConversationRecord& record, bool whole) {
  const auto key = mongodb::conversation_key(record.name.tenant, record.name.id);
  std::optional<std::string> pair;
  if (record.pair) pair = mongodb::tenant_key(record.name.tenant, *record.pair);
  const Document document = make_document(
      "_id", Uuid{key}, "tenant", record.name.tenant.value, "id", record.name.id.value, "type", to_string(record.kind),
      "pair", pair, "name", record.title, "topic", record.topic, "metadata", mongodb::metadata_field(record.metadata),
      "archived", record.archived, "imported", record.imported, "created_by", record.created_by.value, "created_at",
      record.created_at, "updated_at", record.updated_at, "version", record.version, "deleted_at", record.deleted_at,
      "erase_from", record.erase_from, "last_seq", record.last_seq, "live", record.live, "event_number",
      whole ? record.event_number : 0, "member_count", record.member_count, "owner_count", record.owner_count,
      "last_activity_at", record.last_activity_at);
  return store_->act([&](Database& db) {
    if (pair) {
      // A pair that was deleted and began anew is another conversation: the target may have the former one as live.
      db.update_many(collection::kConversations, make_document("pair", *pair, "_id", make_document("$ne", Uuid{key})),
                     make_document("$unset", make_document("pair", "")));
    }
    db.update_one(collection::kConversations, make_document("_id", Uuid{key}), document, true);
    // External ids stay until a deleted conversation is erased, and go all at once.
    if (record.deleted_at && !record.erase_from) {
      db.delete_many(collection::kImportIds, make_document("conversation", Uuid{key}));
    }
  });
}

Result<> MongoTransfer::put_members(const ConversationName& conversation, std::span<const MemberRecord> members) {
  if (members.empty()) return {};
  const auto key = mongodb::conversation_key(conversation.tenant, conversation.id);
  mongo::Array ids;
  std::vector<Document> documents;
  for (const MemberRecord& member : members) {
    const Document id = mongodb::member_id(key, member.user);
    ids.add(id);
    documents.push_back(make_document("_id", id, "conversation", Uuid{key}, "user", member.user.value, "tenant",
                                      conversation.tenant.value, "role", to_string(member.role), "joined_at",
                                      member.joined_at, "read_seq", member.read_seq, "accounted", member.accounted));
  }
  return store_->act([&](Database& db) { put(db, collection::kMembers, ids, documents); });
}

Result<> MongoTransfer::remove_members(const ConversationName& conversation, std::span<const UserId> users) {
  if (users.empty()) return {};
  const auto key = mongodb::conversation_key(conversation.tenant, conversation.id);
  mongo::Array ids;
  for (const UserId& user : users) ids.add(mongodb::member_id(key, user));
  return store_->act(
      [&](Database& db) { db.delete_many(collection::kMembers, make_document("_id", mongodb::among(ids))); });
}

namespace {

// What the message shows of its reactions: how many, the first who gave it, since when.
std::optional<mongo::Array> shown_reactions(const std::vector<ReactionRecord>& reactions) {
  if (reactions.empty()) return std::nullopt;
  std::vector<ReactionSummary> shown;
  std::vector<std::int64_t> since;
  for (const ReactionRecord& one : reactions) {  // by place, so that each kind comes first where it began
    auto at = std::ranges::find(shown, one.reaction, &ReactionSummary::reaction);
    if (at == shown.end()) {
      shown.push_back({.reaction = one.reaction, .count = 0, .users = {}, .mine = false});
      since.push_back(one.place);
      at = std::prev(shown.end());
    }
    ++at->count;
    if (at->users.size() < kReactionUsersShown) at->users.push_back(one.user);
  }
  return mongodb::reactions_array(shown, since);
}

// All that a page of messages comes to, to be inserted.
struct Documents {
  Documents(const ConversationName& name, std::span<const MessageRecord> messages)
      : conversation(mongodb::conversation_key(name.tenant, name.id)) {
    for (const MessageRecord& record : messages) add(name.tenant, record);
  }
  void add(const TenantId& tenant, const MessageRecord& record);

  const mongodb::ConversationKey conversation;
  mongo::Array ids;
  mongo::Array external_keys;
  std::vector<Document> messages;
  std::vector<Document> versions;
  std::vector<Document> reactions;
  std::vector<Document> external_ids;
};

void Documents::add(const TenantId& tenant, const MessageRecord& record) {
  mongodb::MessageRow row;
  row.id = bytes_of(record.message.id);
  row.conversation = conversation;
  row.message = record.message;
  if (record.message.thread_root) row.thread_root = bytes_of(*record.message.thread_root);
  ids.add(Uuid{row.id});
  Document document = mongodb::message_document(row, tenant);
  document.add("edited_at", record.message.edited_at)
      .add("deleted_at", record.message.deleted_at)
      .add("reactions", shown_reactions(record.reactions));
  if (record.deleted_by) document.add("deleted_by", record.deleted_by->value);
  messages.push_back(std::move(document));
  for (const MessageVersion& version : record.versions) {
    versions.push_back(make_document("_id", mongodb::version_id(row.id, version.version), "message", Uuid{row.id},
                                     "version", version.version, "content", version.content, "mentions",
                                     mongodb::texts_field(version.mentions), "metadata",
                                     mongodb::metadata_field(version.metadata), "created_at", version.created_at));
  }
  for (const ReactionRecord& reaction : record.reactions) {
    reactions.push_back(make_document("_id", mongodb::reaction_id(row.id, reaction.reaction, reaction.user), "message",
                                      Uuid{row.id}, "reaction", reaction.reaction, "user", reaction.user.value, "place",
                                      reaction.place));
  }
  for (const std::string& external_id : record.external_ids) {
    const Document id = mongodb::import_id(conversation, external_id);
    external_keys.add(id);
    external_ids.push_back(make_document("_id", id, "conversation", Uuid{conversation}, "message", Uuid{row.id}));
  }
}

void remove_present(Database& db, const Documents& documents) {
  const Document parts = make_document("message", mongodb::among(documents.ids));
  db.delete_many(collection::kMessages, make_document("_id", mongodb::among(documents.ids)));
  db.delete_many(collection::kVersions, parts);
  db.delete_many(collection::kReactions, parts);
}

}  // namespace

Result<> MongoTransfer::put_messages(const ConversationName& conversation, std::span<const MessageRecord> messages,
                                     bool replace) {
  if (messages.empty()) return {};
  external_ids_of_.reset();
  const Documents documents(conversation, messages);
  bool again = replace;
  return store_->act([&](Database& db) {
    if (again) remove_present(db, documents);
    again = true;  // whatever of this is there when it is tried once more
    db.insert(collection::kMessages, documents.messages);
    db.insert(collection::kVersions, documents.versions);
    db.insert(collection::kReactions, documents.reactions);
    put(db, collection::kImportIds, documents.external_keys, documents.external_ids);
  });
}

Result<> MongoTransfer::put_users(std::span<const UserRecord> users) {
  if (users.empty()) return {};
  mongo::Array ids;
  std::vector<Document> documents;
  for (const auto& [tenant, user] : users) {
    const std::string key = mongodb::tenant_key(tenant, user.id.value);
    ids.add(key);
    documents.push_back(make_document("_id", key, "name", user.name, "avatar_url", user.avatar_url, "metadata",
                                      mongodb::metadata_field(user.metadata), "created_at", user.created_at,
                                      "updated_at", user.updated_at, "version", user.version));
  }
  return store_->act([&](Database& db) { put(db, collection::kUsers, ids, documents); });
}

Result<> MongoTransfer::put_deleted_files(std::span<const DeletedFileRecord> files) {
  if (files.empty()) return {};
  mongo::Array ids;
  std::vector<Document> documents;
  for (const DeletedFileRecord& file : files) {
    const std::string key = mongodb::tenant_key(file.tenant, file.file.value);
    ids.add(key);
    documents.push_back(make_document("_id", key, "told_at", file.told_at));
  }
  return store_->act([&](Database& db) { put(db, collection::kDeletedFiles, ids, documents); });
}

Result<> MongoTransfer::remove_deleted_files(std::span<const DeletedFileRecord> files) {
  if (files.empty()) return {};
  mongo::Array ids;
  for (const DeletedFileRecord& file : files) ids.add(mongodb::tenant_key(file.tenant, file.file.value));
  return store_->act(
      [&](Database& db) { db.delete_many(collection::kDeletedFiles, make_document("_id", mongodb::among(ids))); });
}

namespace {

UuidBytes resource_of(const RequestRecord& record) {
  if (record.message) return bytes_of(*record.message);
  return mongodb::conversation_key(record.conversation->tenant, record.conversation->id);
}

std::set<UuidBytes> find_present(Database& db, const char* in, const mongo::Array& ids) {
  std::set<UuidBytes> present;
  if (ids.size() == 0) return present;
  for (const Document& row :
       db.find(in, make_document("_id", mongodb::among(ids)), {.sort = {}, .fields = make_document("_id", 1)})) {
    present.insert(mongodb::uuid_of(row.view().bytes("_id")));
  }
  return present;
}

}  // namespace

Result<> MongoTransfer::put_requests(std::span<const RequestRecord> requests) {
  if (requests.empty()) return {};
  return store_->act([&](Database& db) {
    mongo::Array messages;
    mongo::Array conversations;
    for (const RequestRecord& record : requests) {
      if (!record.message && !record.conversation) continue;
      (record.message ? messages : conversations).add(Uuid{resource_of(record)});
    }
    const auto present_messages = find_present(db, collection::kMessages, messages);
    const auto present_conversations = find_present(db, collection::kConversations, conversations);
    mongo::Array ids;
    std::vector<Document> documents;
    for (const RequestRecord& record : requests) {
      if (!record.message && !record.conversation) continue;
      const UuidBytes resource = resource_of(record);
      // What came after the rest was copied is left to the next time.
      if (!(record.message ? present_messages : present_conversations).contains(resource)) continue;
      ids.add(Binary{record.key});
      documents.push_back(
          make_document("_id", Binary{record.key}, "request", Binary{record.request}, "resource", Uuid{resource}));
    }
    put(db, collection::kIdempotency, ids, documents);
  });
}

namespace {

events::NewMongoEvent event_of(const LastEvent& last) {
  const events::Event& event = last.event;
  events::NewMongoEvent out = events::new_mongo_event_of(event);
  if (last.refers) {
    out.data.reset();
    out.reference = {bytes_of(MessageId(event.subject)), last.version};
  }
  if (event.type == kConversationCreated || event.type == kConversationUpdated) {
    out.erasable = format_uuid(mongodb::conversation_key(event.tenant, ConversationId(event.key)));
  }
  return out;
}

}  // namespace

Result<> MongoTransfer::finish(const std::optional<LastEvent>& last) {
  const auto present = mark();
  if (!present) return fail(present.error());
  CHECK(present->has_value());
  return store_->act([&](Database& db) {
    if (last) events::begin_behind(db, mongodb::transfer_log(), {{event_of(*last), last->event.offset}});
    events::write_move_mark(db, mongodb::transfer_log(), {(*present)->source, MoveMark::State::kDone});
  });
}

}  // namespace parley::messaging
