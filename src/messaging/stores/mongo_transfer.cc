// Opening, marks and reading; what is written stands in mongo_transfer_writes.cc.
#include "messaging/stores/mongo_transfer.h"

#include <algorithm>
#include <set>

#include "events/mongo_events.h"
#include "events/mongo_move_mark.h"
#include "messaging/stores/mongo_lookups.h"
#include "messaging/stores/mongo_transfer_parts.h"

namespace parley::messaging {

using mongo::Binary;
using mongo::Database;
using mongo::Document;
using mongo::make_array;
using mongo::make_document;
using mongo::Uuid;
using mongo::View;
using namespace transfer;  // NOLINT(google-build-using-namespace): the port's records, all over this file
namespace collection = mongodb::collection;

namespace {

Document either_side(const char* tenant_field, const char* id_field, const char* comparison, const std::string& tenant,
                     const std::string& id) {
  const char* const strictly = comparison[1] == 'g' ? "$gt" : "$lt";
  return make_document("$or", make_array(make_document(tenant_field, make_document(strictly, tenant)),
                                         make_document(tenant_field, tenant, id_field, make_document(comparison, id))));
}

// (tenant, id) behind `after` up to `through`, over two fields.
Document within(const Range<ConversationName>& range) {
  mongo::Array parts;
  if (range.after) parts.add(either_side("tenant", "id", "$gt", range.after->tenant.value, range.after->id.value));
  if (range.through) {
    parts.add(either_side("tenant", "id", "$lte", range.through->tenant.value, range.through->id.value));
  }
  return parts.size() == 0 ? Document() : make_document("$and", parts);
}

// The same over an _id that is a tenant_key().
template <class Key>
Document within_tenant_keys(const Range<Key>& range) {
  Document bounds;
  if (range.after) bounds.add("$gt", mongodb::tenant_key(range.after->tenant, range.after->id.value));
  if (range.through) bounds.add("$lte", mongodb::tenant_key(range.through->tenant, range.through->id.value));
  return bounds.empty() ? Document() : make_document("_id", bounds);
}

template <class Key>
mongo::FindOptions by_id(const Range<Key>& range) {
  return {.sort = make_document("_id", 1), .fields = {}, .limit = static_cast<std::int64_t>(range.limit)};
}

TenantId tenant_of_key(std::string_view key) {
  return TenantId(key.substr(0, key.size() - mongodb::id_of_tenant_key(key).size() - 1));
}

}  // namespace

Result<std::unique_ptr<MongoTransfer>> MongoTransfer::open_source(mongo::ConnectionOptions connection,
                                                                  const Clock& clock) {
  auto store = mongo::MovedDatabase::connect(std::move(connection), clock);
  if (!store) return fail(std::move(store.error()));
  auto made = std::unique_ptr<MongoTransfer>(new MongoTransfer(std::move(*store)));
  if (auto secret = made->position_secret(); !secret) return fail(std::move(secret.error()));
  return made;
}

Result<std::unique_ptr<MongoTransfer>> MongoTransfer::open_target(mongo::ConnectionOptions connection,
                                                                  const Clock& clock, Random& random) {
  auto store = mongo::MovedDatabase::connect(std::move(connection), clock);
  if (!store) return fail(std::move(store.error()));
  auto prepared = (*store)->act([&random](Database& db) {
    mongodb::prepare_messaging(db);
    events::prepare_events(db, mongodb::transfer_log());
    events::load_position_secret(db, mongodb::transfer_log(), random);
  });
  if (!prepared) return fail(std::move(prepared.error()));
  return std::unique_ptr<MongoTransfer>(new MongoTransfer(std::move(*store)));
}

Result<PositionSecret> MongoTransfer::position_secret() {
  auto found = store_->read<std::optional<PositionSecret>>(
      [](Database& db) { return events::find_position_secret(db, mongodb::transfer_log()); });
  if (!found) return fail(std::move(found.error()));
  if (!*found) return unavailable("not_our_database", "The database of MONGODB_DATABASE holds no messaging store.");
  return **found;
}

Result<std::optional<LastEvent>> MongoTransfer::last_event() {
  return store_->read<std::optional<LastEvent>>([](Database& db) -> std::optional<LastEvent> {
    const auto found =
        db.find_one(mongodb::transfer_log().events.c_str(), make_document("void", make_document("$exists", false)),
                    {.sort = make_document("_id", -1), .fields = {}, .limit = 1});
    if (!found) return std::nullopt;
    const View row = found->view();
    LastEvent last;
    last.event = events::read_event(row);
    last.refers = row.has("ref");
    if (last.refers) last.version = row.integer("version");
    return last;
  });
}

namespace {

ConversationRecord conversation_record(View row) {
  mongodb::ConversationRow read = mongodb::read_conversation(row);
  Conversation& view = read.view;
  ConversationRecord record;
  record.name = {TenantId(row.text("tenant")), view.id};
  record.kind = view.kind;
  if (row.has("pair")) record.pair = mongodb::id_of_tenant_key(row.text("pair"));
  record.title = std::move(view.name);
  record.topic = std::move(view.topic);
  record.metadata = std::move(view.metadata);
  record.archived = view.archived;
  record.imported = view.imported;
  record.created_by = std::move(view.created_by);
  record.created_at = view.created_at;
  record.updated_at = view.updated_at;
  record.version = view.version;
  record.deleted_at = row.optional_time("deleted_at");
  record.erase_from = row.optional_integer("erase_from");
  record.last_seq = view.last_seq;
  record.live = read.live;
  record.event_number = read.event_number;
  record.member_count = view.member_count;
  record.owner_count = read.owner_count;
  record.last_activity_at = view.last_activity_at;
  return record;
}

}  // namespace

Result<std::vector<ConversationRecord>> MongoTransfer::conversations(const Range<ConversationName>& range) {
  return store_->read<std::vector<ConversationRecord>>([&range](Database& db) {
    std::vector<ConversationRecord> records;
    const auto rows = db.find(
        collection::kConversations, within(range),
        {.sort = make_document("tenant", 1, "id", 1), .fields = {}, .limit = static_cast<std::int64_t>(range.limit)});
    for (const Document& row : rows) records.push_back(conversation_record(row.view()));
    return records;
  });
}

Result<std::vector<MemberRecord>> MongoTransfer::members(const ConversationName& conversation) {
  return store_->read<std::vector<MemberRecord>>([&conversation](Database& db) {
    std::vector<MemberRecord> records;
    const auto key = mongodb::conversation_key(conversation.tenant, conversation.id);
    for (const Document& document : db.find(collection::kMembers, make_document("conversation", Uuid{key}))) {
      const View row = document.view();
      const mongodb::MemberRow member = mongodb::read_member(row);
      records.push_back(
          {UserId(row.text("user")), member.role, member.joined_at, member.read_seq, row.integer("accounted")});
    }
    std::ranges::sort(records, {}, &MemberRecord::user);
    return records;
  });
}

void MongoTransfer::load_external_ids(Database& db, const mongodb::ConversationKey& conversation) {
  if (external_ids_of_ == conversation) return;
  external_ids_.clear();
  external_ids_of_.reset();
  for (const Document& row : db.find(collection::kImportIds, make_document("conversation", Uuid{conversation}))) {
    external_ids_.emplace(mongodb::uuid_of(row.view().bytes("message")),
                          row.view().document("_id").text("external_id"));
  }
  external_ids_of_ = conversation;
}

namespace {

// Which message of a page holds the part.
class Page {
 public:
  explicit Page(const std::vector<Document>& rows) {
    for (const Document& row : rows) {
      mongodb::MessageRow read = mongodb::read_message(row.view());
      ids.add(Uuid{read.id});
      places_.emplace(read.id, records.size());
      MessageRecord& record = records.emplace_back();
      record.message = std::move(read.message);
      record.message.reactions.clear();
      if (row.view().has("deleted_by")) record.deleted_by = UserId(row.view().text("deleted_by"));
    }
  }
  MessageRecord* find(View part) {
    const auto at = places_.find(mongodb::uuid_of(part.bytes("message")));
    return at == places_.end() ? nullptr : &records[at->second];
  }
  Document of_these() const { return make_document("message", mongodb::among(ids)); }

  std::vector<MessageRecord> records;
  mongo::Array ids;

 private:
  std::map<UuidBytes, std::size_t> places_;
};

}  // namespace

Result<std::vector<MessageRecord>> MongoTransfer::messages(const ConversationName& conversation,
                                                           const Range<Seq>& range) {
  return store_->read<std::vector<MessageRecord>>([&](Database& db) {
    const auto key = mongodb::conversation_key(conversation.tenant, conversation.id);
    Document seqs = make_document("$gt", range.after.value_or(0), "$lte", range.through);
    Page page(db.find(collection::kMessages, make_document("conversation", Uuid{key}, "seq", seqs),
                      {.sort = make_document("conversation", 1, "seq", 1),
                       .fields = {},
                       .limit = static_cast<std::int64_t>(range.limit)}));
    if (page.records.empty()) return std::move(page.records);
    for (const Document& row : db.find(collection::kVersions, page.of_these(),
                                       {.sort = make_document("message", 1, "version", 1), .fields = {}})) {
      if (auto* record = page.find(row.view())) record->versions.push_back(mongodb::read_version(row.view()));
    }
    for (const Document& row : db.find(collection::kReactions, page.of_these())) {
      const View view = row.view();
      auto* record = page.find(view);
      if (!record) continue;
      record->reactions.push_back(
          {std::string(view.text("reaction")), UserId(view.text("user")), view.integer("place")});
    }
    const bool imported = std::ranges::any_of(page.records, [](const auto& one) { return one.message.imported; });
    if (imported) load_external_ids(db, key);
    for (MessageRecord& record : page.records) {
      std::ranges::sort(record.reactions, [](const auto& a, const auto& b) {
        return std::tie(a.place, a.reaction, a.user) < std::tie(b.place, b.reaction, b.user);
      });
      if (!imported) continue;
      const auto [first, last] = external_ids_.equal_range(*parse_uuid(record.message.id.value));
      for (auto at = first; at != last; ++at) record.external_ids.push_back(at->second);
      std::ranges::sort(record.external_ids);
    }
    return std::move(page.records);
  });
}

Result<std::vector<UserRecord>> MongoTransfer::users(const Range<UserName>& range) {
  return store_->read<std::vector<UserRecord>>([&range](Database& db) {
    std::vector<UserRecord> records;
    for (const Document& row : db.find(collection::kUsers, within_tenant_keys(range), by_id(range))) {
      records.push_back({tenant_of_key(row.view().text("_id")), mongodb::read_user(row.view())});
    }
    return records;
  });
}

Result<std::vector<DeletedFileRecord>> MongoTransfer::deleted_files(const Range<FileName>& range) {
  return store_->read<std::vector<DeletedFileRecord>>([&range](Database& db) {
    std::vector<DeletedFileRecord> records;
    for (const Document& row : db.find(collection::kDeletedFiles, within_tenant_keys(range), by_id(range))) {
      const std::string_view key = row.view().text("_id");
      records.push_back({tenant_of_key(key), FileId(mongodb::id_of_tenant_key(key)), row.view().time("told_at")});
    }
    return records;
  });
}

namespace {

struct Resources {
  std::set<UuidBytes> messages;
  std::map<UuidBytes, ConversationName> conversations;
};

Resources find_resources(Database& db, const std::vector<Document>& requests) {
  mongo::Array ids;
  for (const Document& request : requests) ids.add(Uuid{request.view().bytes("resource")});
  Resources found;
  if (ids.size() == 0) return found;
  for (const Document& row : db.find(collection::kMessages, make_document("_id", mongodb::among(ids)),
                                     {.sort = {}, .fields = make_document("_id", 1)})) {
    found.messages.insert(mongodb::uuid_of(row.view().bytes("_id")));
  }
  if (found.messages.size() == ids.size()) return found;
  for (const Document& row : db.find(collection::kConversations, make_document("_id", mongodb::among(ids)),
                                     {.sort = {}, .fields = make_document("tenant", 1, "id", 1)})) {
    found.conversations.emplace(
        mongodb::uuid_of(row.view().bytes("_id")),
        ConversationName{TenantId(row.view().text("tenant")), ConversationId(row.view().text("id"))});
  }
  return found;
}

}  // namespace

Result<std::vector<RequestRecord>> MongoTransfer::requests(const Range<Digest>& range) {
  return store_->read<std::vector<RequestRecord>>([&range](Database& db) {
    Document bounds;
    if (range.after) bounds.add("$gt", Binary{*range.after});
    if (range.through) bounds.add("$lte", Binary{*range.through});
    const auto rows =
        db.find(collection::kIdempotency, bounds.empty() ? Document() : make_document("_id", bounds), by_id(range));
    const Resources resources = find_resources(db, rows);
    std::vector<RequestRecord> records;
    for (const Document& row : rows) {
      RequestRecord& record = records.emplace_back();
      std::ranges::copy(row.view().bytes("_id"), record.key.begin());
      std::ranges::copy(row.view().bytes("request"), record.request.begin());
      const UuidBytes resource = mongodb::uuid_of(row.view().bytes("resource"));
      if (resources.messages.contains(resource)) record.message = MessageId(format_uuid(resource));
      const auto at = resources.conversations.find(resource);
      if (at != resources.conversations.end()) record.conversation = at->second;
    }
    return records;
  });
}

Result<std::optional<MoveMark>> MongoTransfer::mark() {
  return store_->read<std::optional<MoveMark>>(
      [](Database& db) { return events::read_move_mark(db, mongodb::transfer_log()); });
}

Result<bool> MongoTransfer::is_empty() {
  return store_->read<bool>([](Database& db) {
    return !db.find_one(collection::kConversations, {}) && !db.find_one(collection::kUsers, {}) &&
           !db.find_one(mongodb::transfer_log().events.c_str(), {});
  });
}

namespace mongodb {

const events::MongoEventCollections& transfer_log() {
  static const events::MongoEventCollections collections("");
  return collections;
}

}  // namespace mongodb

}  // namespace parley::messaging
