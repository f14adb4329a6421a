#include "media/stores/mongo_transfer.h"

#include <algorithm>

#include "base/check.h"
#include "events/mongo_move_mark.h"
#include "media/stores/mongo_account.h"
#include "media/stores/mongo_rows.h"

namespace parley::media {

using mongo::Array;
using mongo::Binary;
using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;
using mongo::View;
using namespace transfer;  // NOLINT(google-build-using-namespace): the port's records, all over this file

namespace {

const events::MongoEventCollections& log() {
  static const events::MongoEventCollections collections("media_");
  return collections;
}

Document among(const Array& values) {
  return make_document("_id", make_document("$in", values));
}

Document within(const KeyRange<FileId>& range) {
  Document bounds;
  if (range.after) bounds.add("$gt", Uuid(mongodb::RowId(*range.after)));
  if (range.through) bounds.add("$lte", Uuid(mongodb::RowId(*range.through)));
  return bounds.empty() ? Document() : make_document("_id", bounds);
}

mongo::FindOptions by_id(std::size_t limit) {
  return {.sort = make_document("_id", 1), .fields = {}, .limit = static_cast<std::int64_t>(limit)};
}

}  // namespace

Result<std::unique_ptr<MongoMediaTransfer>> MongoMediaTransfer::open_source(mongo::ConnectionOptions connection,
                                                                            const Clock& clock) {
  auto store = mongo::MovedDatabase::connect(std::move(connection), clock);
  if (!store) return fail(std::move(store.error()));
  auto made = std::unique_ptr<MongoMediaTransfer>(new MongoMediaTransfer(std::move(*store)));
  if (auto secret = made->position_secret(); !secret) return fail(std::move(secret.error()));
  return made;
}

Result<std::unique_ptr<MongoMediaTransfer>> MongoMediaTransfer::open_target(mongo::ConnectionOptions connection,
                                                                            const Clock& clock, Random& random) {
  auto store = mongo::MovedDatabase::connect(std::move(connection), clock);
  if (!store) return fail(std::move(store.error()));
  auto prepared = (*store)->act([&random](Database& db) {
    mongodb::prepare_media(db);
    events::prepare_events(db, log());
    events::load_position_secret(db, log(), random);
  });
  if (!prepared) return fail(std::move(prepared.error()));
  return std::unique_ptr<MongoMediaTransfer>(new MongoMediaTransfer(std::move(*store)));
}

Result<PositionSecret> MongoMediaTransfer::position_secret() {
  auto found =
      store_->read<std::optional<PositionSecret>>([](Database& db) { return events::find_position_secret(db, log()); });
  if (!found) return fail(std::move(found.error()));
  if (!*found) return unavailable("not_our_database", "The database of MONGODB_DATABASE holds no media store.");
  return **found;
}

Result<LogEnd> MongoMediaTransfer::log_end() {
  return store_->read<LogEnd>([](Database& db) {
    LogEnd end;
    const events::LogOffset last = events::last_event(db, log());
    if (const auto told = db.find_one(log().consumers.c_str(), make_document("_id", kTeller))) {
      end.told = events::LogOffset{told->view().integer("offset")};
    }
    const std::int64_t after = std::min(last.value - 1, end.told ? end.told->value : last.value);
    for (const Document& document : db.find(
             log().events.c_str(),
             make_document("_id", make_document("$gt", after), "void", make_document("$exists", false)), by_id(0))) {
      const View row = document.view();
      KeptEvent& kept = end.events.emplace_back();
      kept.event = events::read_event(row);
      kept.refers = row.has("ref");
    }
    return end;
  });
}

Result<std::vector<FileRecord>> MongoMediaTransfer::files(const KeyRange<FileId>& range) {
  return store_->read<std::vector<FileRecord>>([&range](Database& db) {
    std::vector<FileRecord> records;
    for (const Document& document : db.find(mongodb::kFiles, within(range), by_id(range.limit))) {
      const View row = document.view();
      FileRecord& record = records.emplace_back();
      record.file = mongodb::read_file(row);
      record.deleted_at = row.optional_time("deleted_at");
      if (row.has("deleted_by")) record.deleted_by = UserId(row.text("deleted_by"));
    }
    return records;
  });
}

Result<std::vector<UploadRecord>> MongoMediaTransfer::uploads(const KeyRange<FileId>& range) {
  return store_->read<std::vector<UploadRecord>>([&range](Database& db) {
    std::vector<UploadRecord> records;
    for (const Document& document : db.find(mongodb::kUploads, within(range), by_id(range.limit))) {
      records.push_back({mongodb::read_upload(document.view())});
    }
    return records;
  });
}

namespace {

// A user's _id is behind its tenant's in any order that matters here, so both collections have the same bounds.
std::string usage_key(const UsageName& name) {
  return name.user.empty() ? name.tenant.value : name.tenant.value + mongodb::kUsageKeySeparator + name.user.value;
}

void read_usage(Database& db, const char* collection, const KeyRange<UsageName>& range,
                std::vector<UsageRecord>& records) {
  Document bounds;
  if (range.after) bounds.add("$gt", usage_key(*range.after));
  if (range.through) bounds.add("$lte", usage_key(*range.through));
  const Document filter = bounds.empty() ? Document() : make_document("_id", bounds);
  for (const Document& document : db.find(collection, filter, by_id(range.limit))) {
    const View row = document.view();
    const std::string_view key = row.text("_id");
    const auto at = key.find(mongodb::kUsageKeySeparator);
    const bool whole = at == std::string_view::npos;
    records.push_back({{TenantId(key.substr(0, at)), UserId(whole ? std::string_view() : key.substr(at + 1))},
                       row.integer("stored"),
                       row.integer("reserved"),
                       row.integer("files"),
                       row.integer("uploads"),
                       row.integer("event_number")});
  }
}

}  // namespace

Result<std::vector<UsageRecord>> MongoMediaTransfer::usage(const KeyRange<UsageName>& range) {
  return store_->read<std::vector<UsageRecord>>([&range](Database& db) {
    std::vector<UsageRecord> records;
    read_usage(db, mongodb::kTenantUsage, range, records);
    read_usage(db, mongodb::kUserUsage, range, records);
    std::ranges::sort(records, {}, &UsageRecord::name);
    if (range.limit > 0 && records.size() > range.limit) records.resize(range.limit);
    return records;
  });
}

Result<std::optional<MoveMark>> MongoMediaTransfer::mark() {
  return store_->read<std::optional<MoveMark>>([](Database& db) { return events::read_move_mark(db, log()); });
}

Result<bool> MongoMediaTransfer::is_empty() {
  return store_->read<bool>([](Database& db) {
    return !db.find_one(mongodb::kFiles, {}) && !db.find_one(mongodb::kUploads, {}) &&
           !db.find_one(log().events.c_str(), {});
  });
}

Result<> MongoMediaTransfer::begin(const MoveMark& mark, const PositionSecret& secret) {
  return store_->act([&](Database& db) {
    events::take_position_secret(db, log(), secret);
    events::write_move_mark(db, log(), mark);
  });
}

namespace {

Document file_document(const FileRecord& record) {
  const File& file = record.file;
  Document row = mongodb::by_id(file.id);
  row.add("tenant", file.tenant.value).add("owner", file.owner.value).add("filename", file.filename);
  row.add("content_type", file.content_type).add("size", file.size).add("sha256", Binary{file.sha256});
  row.add("created_at", file.created_at).add("thumbnails", mongodb::thumbnail_bits(file.thumbnails));
  if (file.image) row.add("width", file.image->width).add("height", file.image->height);
  if (!record.deleted_at) return std::move(row.add("live", true));
  row.add("deleted_at", record.deleted_at);
  if (record.deleted_by) row.add("deleted_by", record.deleted_by->value);
  return row;
}

template <class Record>
Array ids_of(std::span<const Record> records) {
  Array ids;
  for (const Record& record : records) ids.add(Uuid(mongodb::RowId(key_of(record))));
  return ids;
}

}  // namespace

Result<> MongoMediaTransfer::put_files(std::span<const FileRecord> files) {
  if (files.empty()) return {};
  std::vector<Document> documents;
  for (const FileRecord& record : files) documents.push_back(file_document(record));
  return store_->act([&](Database& db) {
    db.delete_many(mongodb::kFiles, among(ids_of(files)));
    db.insert(mongodb::kFiles, documents);
  });
}

Result<> MongoMediaTransfer::remove_files(std::span<const FileRecord> files) {
  if (files.empty()) return {};
  return store_->act([&](Database& db) { db.delete_many(mongodb::kFiles, among(ids_of(files))); });
}

Result<> MongoMediaTransfer::put_uploads(std::span<const UploadRecord> uploads) {
  if (uploads.empty()) return {};
  return store_->act([&](Database& db) {
    db.delete_many(mongodb::kUploads, among(ids_of(uploads)));
    for (const UploadRecord& record : uploads) mongodb::insert_upload(db, record.upload);
  });
}

Result<> MongoMediaTransfer::remove_uploads(std::span<const UploadRecord> uploads) {
  if (uploads.empty()) return {};
  return store_->act([&](Database& db) { db.delete_many(mongodb::kUploads, among(ids_of(uploads))); });
}

Result<> MongoMediaTransfer::put_usage(std::span<const UsageRecord> usage) {
  if (usage.empty()) return {};
  return store_->act([&](Database& db) {
    for (const UsageRecord& record : usage) {
      Document set = make_document("stored", record.stored, "reserved", record.reserved, "files", record.files);
      const bool whole = record.name.user.empty();
      if (!whole) set.add("uploads", record.uploads).add("event_number", record.event_number);
      db.update_one(whole ? mongodb::kTenantUsage : mongodb::kUserUsage, make_document("_id", usage_key(record.name)),
                    make_document("$set", set), true);
    }
  });
}

namespace {

events::NumberedMongoEvent event_of(const KeptEvent& kept) {
  events::NewMongoEvent event = events::new_mongo_event_of(kept.event);
  if (kept.refers) {
    event.data.reset();
    event.reference = {mongodb::RowId(FileId(event.subject)).bytes, 0};
  }
  return {std::move(event), kept.event.offset};
}

}  // namespace

Result<> MongoMediaTransfer::finish(const LogEnd& end) {
  const auto present = mark();
  if (!present) return fail(present.error());
  CHECK(present->has_value());
  std::vector<events::NumberedMongoEvent> kept;
  for (const KeptEvent& one : end.events) kept.push_back(event_of(one));
  return store_->act([&](Database& db) {
    events::begin_behind(db, log(), kept);
    if (end.told) {
      db.update_one(log().consumers.c_str(), make_document("_id", kTeller),
                    make_document("$set", make_document("offset", end.told->value)), true);
    }
    events::write_move_mark(db, log(), {(*present)->source, MoveMark::State::kDone});
  });
}

}  // namespace parley::media
