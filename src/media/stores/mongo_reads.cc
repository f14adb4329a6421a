#include "media/stores/mongo_reads.h"

#include <algorithm>
#include <map>

#include "media/event_data.h"
#include "media/stores/mongo_rows.h"

namespace parley::media::mongodb {

namespace {

using mongo::Array;
using mongo::Database;
using mongo::Document;
using mongo::make_array;
using mongo::make_document;

Document among(const std::vector<FileId>& ids) {
  Array rows;
  for (const FileId& id : ids) rows.add(mongo::Uuid(RowId(id)));
  return make_document("_id", make_document("$in", rows));
}

Document sorted_by_id() {
  return make_document("_id", 1);
}

// Of both collections, those that the filter takes; by id.
std::vector<KnownBlob> blobs_of(Database& db, const Document& filter, std::int64_t limit) {
  std::vector<KnownBlob> blobs;
  for (const Document& row : db.find(kFiles, filter, {.sort = sorted_by_id(), .fields = {}, .limit = limit})) {
    blobs.push_back(blob_of_file(row.view()));
  }
  Document under_way = filter;
  under_way.add("complete", false);
  for (const Document& row : db.find(kUploads, under_way, {.sort = sorted_by_id(), .fields = {}, .limit = limit})) {
    blobs.push_back(blob_of_upload(row.view()));
  }
  std::ranges::sort(blobs, {}, &KnownBlob::id);
  return blobs;
}

}  // namespace

std::vector<File> get_files(Database& db, const TenantId& tenant, const std::vector<FileId>& ids) {
  Document filter = among(ids);
  filter.add("tenant", tenant.value).add("live", true);
  std::map<FileId, File> found;
  for (const Document& row : db.find(kFiles, filter)) {
    File file = read_file(row.view());
    found.emplace(file.id, std::move(file));
  }
  std::vector<File> files;
  for (const FileId& id : ids) {
    if (const auto file = found.find(id); file != found.end()) files.push_back(file->second);
  }
  return files;
}

Page<File> list_files(Database& db, const ListFiles& query) {
  Document filter = make_document("tenant", query.tenant.value, "owner", query.owner.value, "live", true);
  if (query.after) {
    const RowId last(query.after->id);
    const WallTime time = query.after->created_at;
    filter.add("$or", make_array(make_document("created_at", make_document("$lt", time)),
                                 make_document("created_at", time, "_id", make_document("$lt", mongo::Uuid(last)))));
  }
  std::vector<File> files;
  for (const Document& row : db.find(kFiles, filter,
                                     {.sort = make_document("created_at", -1, "_id", -1),
                                      .fields = {},
                                      .limit = static_cast<std::int64_t>(query.limit) + 1})) {
    files.push_back(read_file(row.view()));
  }
  return cut_page(std::move(files), query.limit);
}

std::vector<Upload> uploads_to_finish(Database& db, std::size_t limit) {
  std::vector<Upload> uploads;
  for (const Document& row :
       db.find(kUploads, make_document("to_finish", true),
               {.sort = make_document("expires_at", 1), .fields = {}, .limit = static_cast<std::int64_t>(limit)})) {
    uploads.push_back(read_upload(row.view()));
  }
  return uploads;
}

std::vector<FileId> files_to_purge(Database& db, WallTime deleted_before, std::size_t limit) {
  std::vector<FileId> ids;
  for (const Document& row : db.find(kFiles, make_document("deleted_at", make_document("$lt", deleted_before)),
                                     {.sort = make_document("deleted_at", 1),
                                      .fields = make_document("_id", 1),
                                      .limit = static_cast<std::int64_t>(limit)})) {
    ids.emplace_back(format_uuid(row.view().bytes("_id")));
  }
  return ids;
}

Page<KnownBlob> scan_blobs(Database& db, const std::optional<FileId>& after, std::size_t limit) {
  // The smallest of all UUIDs is no file's, so that "after" it is everything.
  const RowId from(after.value_or(FileId()));
  return cut_page(
      blobs_of(db, make_document("_id", make_document("$gt", mongo::Uuid(from))), static_cast<std::int64_t>(limit) + 1),
      limit);
}

std::vector<KnownBlob> find_blobs(Database& db, const std::vector<FileId>& ids) {
  std::map<FileId, KnownBlob> found;
  for (KnownBlob& blob : blobs_of(db, among(ids), 0)) found.emplace(blob.id, std::move(blob));
  std::vector<KnownBlob> blobs;
  for (const FileId& id : ids) {
    if (const auto blob = found.find(id); blob != found.end()) blobs.push_back(blob->second);
  }
  return blobs;
}

void resolve_file_events(Database& db, std::vector<events::MongoEventLog::Referring>& events) {
  std::vector<FileId> ids;
  for (const auto& referring : events) ids.emplace_back(referring.event->subject);
  Document filter = among(ids);
  filter.add("live", true);
  std::map<FileId, File> files;
  for (const Document& row : db.find(kFiles, filter)) {
    File file = read_file(row.view());
    files.emplace(file.id, std::move(file));
  }
  for (auto& [event, reference] : events) {
    const FileId id(event->subject);
    const auto file = files.find(id);
    event->data = file != files.end() && file->second.tenant == event->tenant
                      ? file_uploaded_data(file->second)
                      : forgotten_file_data(id, UserId(event->key), event->time);
  }
}

namespace {

struct Recount {
  std::int64_t stored = 0, reserved = 0, files = 0, uploads = 0;
  bool operator==(const Recount&) const = default;
};
using Recounts = std::map<std::string, Recount>;

Recounts kept_counts(Database& db, const char* collection) {
  Recounts counts;
  for (const Document& row : db.find(collection, Document())) {
    const mongo::View view = row.view();
    counts[std::string(view.text("_id"))] = {view.integer("stored"), view.integer("reserved"), view.integer("files"),
                                             view.integer("uploads")};
  }
  return counts;
}

// Of the key of a counter, which is that of media_user_usage or of media_tenant_usage.
std::string named(const std::string& key) {
  const auto cut = key.find('\x1f');
  return "tenant " + key.substr(0, cut) + (cut == std::string::npos ? "" : ", user " + key.substr(cut + 1));
}

void compare(const char* whose, const Recounts& kept, const Recounts& found, std::vector<std::string>& problems) {
  for (const auto& [name, counts] : found) {
    const auto known = kept.find(name);
    if (known == kept.end() || known->second != counts) {
      problems.push_back(named(name) + ": a " + whose + "'s quota is miscounted");
    }
  }
  for (const auto& [name, counts] : kept) {
    if (counts != Recount{} && !found.contains(name)) {
      problems.push_back(named(name) + ": a " + whose + "'s quota counts what is not there");
    }
  }
}

}  // namespace

std::vector<std::string> find_problems(Database& db) {
  Recounts users, tenants;
  std::vector<std::string> problems;
  const mongo::FindOptions counted{.sort = {}, .fields = make_document("tenant", 1, "owner", 1, "size", 1), .limit = 0};
  for (const Document& row : db.find(kFiles, make_document("live", true), counted)) {
    const std::string tenant(row.view().text("tenant"));
    for (Recount* count : {&users[tenant + "\x1f" + std::string(row.view().text("owner"))], &tenants[tenant]}) {
      count->stored += row.view().integer("size");
      count->files += 1;
    }
  }
  for (const Document& row : db.find(kUploads, make_document("complete", false))) {
    const Upload upload = read_upload(row.view());
    Recount& user = users[upload.tenant.value + "\x1f" + upload.owner.value];
    user.reserved += static_cast<std::int64_t>(upload.reserved);
    user.uploads += 1;
    tenants[upload.tenant.value].reserved += static_cast<std::int64_t>(upload.reserved);
    std::uint64_t end = 0;
    for (const ByteRange& range : upload.present) {
      if (range.first >= range.end || (end != 0 && range.first <= end))
        problems.push_back("upload " + upload.id.value + ": its ranges are not in order, or meet");
      end = range.end;
    }
  }
  compare("user", kept_counts(db, kUserUsage), users, problems);
  compare("tenant", kept_counts(db, kTenantUsage), tenants, problems);
  return problems;
}

}  // namespace parley::media::mongodb
