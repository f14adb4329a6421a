#include "messaging/stores/mongo_documents.h"

#include <algorithm>

#include "base/check.h"
#include "base/sha256.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;
using mongo::View;

namespace {

constexpr char kSeparator = '\x1f';

Document where_present(const char* field) {
  return make_document(field, make_document("$exists", true));
}

template <class IdType>
std::vector<IdType> ids_of(View document, const char* field) {
  std::vector<IdType> ids;
  for (const auto text : document.texts(field)) ids.emplace_back(text);
  return ids;
}

std::optional<UuidBytes> optional_uuid(View document, const char* field) {
  return document.has(field) ? std::optional(uuid_of(document.bytes(field))) : std::nullopt;
}

std::optional<MessageId> optional_message_id(View document, const char* field) {
  return document.has(field) ? std::optional(MessageId(format_uuid(document.bytes(field)))) : std::nullopt;
}

MetadataText metadata_of(View document) {
  return document.optional_text("metadata").value_or("{}");
}

MemberRole role_of(View document) {
  return parse_member_role(document.text("role")).value_or(MemberRole::kMember);
}

}  // namespace

void prepare_messaging(mongo::Database& database) {
  const mongo::Index conversations[] = {
      {.name = "by_id", .keys = make_document("tenant", 1, "id", 1), .unique = true},
      {.name = "by_pair", .keys = make_document("pair", 1), .unique = true, .only_where = where_present("pair")},
      {.name = "to_erase", .keys = make_document("erase_from", 1), .only_where = where_present("erase_from")}};
  mongo::prepare_collection(database, collection::kConversations, conversations);
  const mongo::Index members[] = {
      {.name = "by_user", .keys = make_document("tenant", 1, "user", 1)},
      {.name = "by_joining", .keys = make_document("conversation", 1, "joined_at", 1, "user", 1)}};
  mongo::prepare_collection(database, collection::kMembers, members);
  const mongo::Index messages[] = {
      {.name = "by_seq", .keys = make_document("conversation", 1, "seq", 1), .unique = true},
      {.name = "by_thread",
       .keys = make_document("thread_root", 1, "seq", 1),
       .only_where = where_present("thread_root")},
      {.name = "by_file",
       .keys = make_document("files.key", 1, "conversation", 1),
       .only_where = where_present("files.key")}};
  mongo::prepare_collection(database, collection::kMessages, messages);
  const mongo::Index versions[] = {{.name = "by_message", .keys = make_document("message", 1, "version", 1)}};
  mongo::prepare_collection(database, collection::kVersions, versions);
  const mongo::Index reactions[] = {
      {.name = "by_message", .keys = make_document("message", 1, "reaction", 1, "place", 1)}};
  mongo::prepare_collection(database, collection::kReactions, reactions);
  mongo::prepare_collection(database, collection::kIdempotency, {});
  const mongo::Index import_ids[] = {{.name = "by_conversation", .keys = make_document("conversation", 1)}};
  mongo::prepare_collection(database, collection::kImportIds, import_ids);
  mongo::prepare_collection(database, collection::kUsers, {});
  const mongo::Index deleted_files[] = {{.name = "by_time", .keys = make_document("told_at", 1)}};
  mongo::prepare_collection(database, collection::kDeletedFiles, deleted_files);
  mongo::prepare_collection(database, collection::kFileLocks, {});
}

std::string tenant_key(const TenantId& tenant, std::string_view id) {
  std::string key;
  key.reserve(tenant.value.size() + 1 + id.size());
  key += tenant.value;
  key += kSeparator;
  key += id;
  return key;
}

std::string_view id_of_tenant_key(std::string_view key) {
  const auto at = key.find(kSeparator);
  return at == std::string_view::npos ? std::string_view() : key.substr(at + 1);
}

ConversationKey conversation_key(const TenantId& tenant, const ConversationId& id) {
  const Sha256 digest = sha256(tenant_key(tenant, id.value));
  ConversationKey key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

std::string_view lane_of(const ConversationKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

Document member_id(const ConversationKey& conversation, const UserId& user) {
  return make_document("conversation", Uuid{conversation}, "user", user.value);
}
Document version_id(const UuidBytes& message, Version version) {
  return make_document("message", Uuid{message}, "version", version);
}
Document reaction_id(const UuidBytes& message, std::string_view reaction, const UserId& user) {
  return make_document("message", Uuid{message}, "reaction", reaction, "user", user.value);
}
Document import_id(const ConversationKey& conversation, std::string_view external_id) {
  return make_document("conversation", Uuid{conversation}, "external_id", external_id);
}

UuidBytes uuid_of(std::span<const std::uint8_t> bytes) {
  UuidBytes id;
  CHECK(bytes.size() == id.size());
  std::ranges::copy(bytes, id.begin());
  return id;
}

std::optional<std::string_view> metadata_field(const MetadataText& metadata) {
  return metadata == "{}" ? std::nullopt : std::optional<std::string_view>(metadata);
}

ConversationRow read_conversation(View document) {
  ConversationRow row;
  row.key = uuid_of(document.bytes("_id"));
  Conversation& view = row.view;
  view.id = ConversationId(document.text("id"));
  view.kind = parse_conversation_kind(document.text("type")).value_or(ConversationKind::kGroup);
  view.name = document.optional_text("name");
  view.topic = document.optional_text("topic");
  view.metadata = metadata_of(document);
  view.archived = document.boolean("archived");
  view.imported = document.boolean("imported");
  view.created_by = UserId(document.text("created_by"));
  view.created_at = document.time("created_at");
  view.updated_at = document.time("updated_at");
  view.version = document.integer("version");
  view.member_count = document.integer("member_count");
  view.last_seq = document.integer("last_seq");
  view.last_activity_at = document.time("last_activity_at");
  row.live = document.integer("live");
  row.event_number = document.integer("event_number");
  row.owner_count = document.integer("owner_count");
  return row;
}

void ConversationRow::take_membership(View member) {
  role = role_of(member);
  read_seq = member.integer("read_seq");
  accounted = member.integer("accounted");
}

MemberRow read_member(View document) {
  return {role_of(document), document.time("joined_at"), document.integer("read_seq")};
}

MessageRow read_message(View document) {
  MessageRow row;
  row.id = uuid_of(document.bytes("_id"));
  row.conversation = uuid_of(document.bytes("conversation"));
  row.thread_root = optional_uuid(document, "thread_root");
  Message& message = row.message;
  message.id = MessageId(format_uuid(row.id));
  message.seq = document.integer("seq");
  message.sender_id = UserId(document.text("sender_id"));
  message.content = document.optional_text("content");
  if (document.has("type")) message.type = document.text("type");
  message.attachments = ids_of<FileId>(document, "attachments");
  for (const View file : document.documents("files")) {
    if (!file.has("filename")) continue;
    message.files.push_back({FileId(id_of_tenant_key(file.text("key"))), std::string(file.text("filename")),
                             file.integer("size"), std::string(file.text("content_type"))});
  }
  message.reply_to = optional_message_id(document, "reply_to");
  message.thread_root = optional_message_id(document, "thread_root");
  message.reply_count = document.integer("reply_count");
  message.last_reply_at = document.optional_time("last_reply_at");
  message.mentions = ids_of<UserId>(document, "mentions");
  message.metadata = metadata_of(document);
  message.client_message_id = document.optional_text("client_message_id");
  for (const View reaction : document.documents("reactions")) {
    message.reactions.push_back({.reaction = std::string(reaction.text("reaction")),
                                 .count = reaction.integer("count"),
                                 .users = ids_of<UserId>(reaction, "users"),
                                 .mine = false});
    row.reaction_total += message.reactions.back().count;
  }
  message.created_at = document.time("created_at");
  message.edited_at = document.optional_time("edited_at");
  message.deleted_at = document.optional_time("deleted_at");
  message.version = document.integer("version");
  message.imported = document.boolean("imported");
  return row;
}

namespace {

std::optional<mongo::Array> files_field(const Message& message, const TenantId& tenant) {
  if (message.attachments.empty()) return std::nullopt;
  mongo::Array files;
  for (const FileId& id : message.attachments) {
    Document file = make_document("key", tenant_key(tenant, id.value));
    const auto known = std::ranges::find(message.files, id, &AttachedFile::id);
    if (known != message.files.end()) {
      file.add("filename", known->filename).add("size", known->size).add("content_type", known->content_type);
    }
    files.add(file);
  }
  return files;
}

template <class T>
void add_uuid(Document& document, const char* field, const std::optional<T>& id) {
  if (!id) return;
  if constexpr (std::is_same_v<T, UuidBytes>) {
    document.add(field, Uuid{*id});
  } else {
    const auto bytes = parse_uuid(id->value);
    CHECK(bytes.has_value());
    document.add(field, Uuid{*bytes});
  }
}

}  // namespace

Document message_document(const MessageRow& row, const TenantId& tenant) {
  const Message& message = row.message;
  Document document = make_document("_id", Uuid{row.id}, "conversation", Uuid{row.conversation}, "seq", message.seq,
                                    "sender_id", message.sender_id.value, "content", message.content, "attachments",
                                    texts_field(message.attachments), "files", files_field(message, tenant));
  if (message.type != "text") document.add("type", message.type);
  add_uuid(document, "reply_to", message.reply_to);
  add_uuid(document, "thread_root", row.thread_root);
  if (message.reply_count > 0) document.add("reply_count", message.reply_count);
  document.add("last_reply_at", message.last_reply_at)
      .add("mentions", texts_field(message.mentions))
      .add("metadata", metadata_field(message.metadata))
      .add("client_message_id", message.client_message_id)
      .add("created_at", message.created_at)
      .add("version", message.version);
  if (message.imported) document.add("imported", true);
  return document;
}

mongo::Array reactions_array(const std::vector<ReactionSummary>& reactions, const std::vector<std::int64_t>& since) {
  mongo::Array array;
  for (std::size_t i = 0; i < reactions.size(); ++i) {
    array.add(make_document("reaction", reactions[i].reaction, "count", reactions[i].count, "users",
                            texts_array(reactions[i].users), "since", since[i]));
  }
  return array;
}

std::vector<std::int64_t> reactions_since(View message) {
  std::vector<std::int64_t> since;
  for (const View reaction : message.documents("reactions")) since.push_back(reaction.integer("since"));
  return since;
}

MessageVersion read_version(View document) {
  return {document.integer("version"), std::string(document.text("content")), ids_of<UserId>(document, "mentions"),
          metadata_of(document), document.time("created_at")};
}

User read_user(View document) {
  return {UserId(id_of_tenant_key(document.text("_id"))),
          document.optional_text("name"),
          document.optional_text("avatar_url"),
          metadata_of(document),
          document.time("created_at"),
          document.time("updated_at"),
          document.integer("version")};
}

}  // namespace parley::messaging::mongodb
