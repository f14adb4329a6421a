#include "media/stores/mongo_rows.h"

#include <algorithm>

#include "base/check.h"
#include "media/tus_concat.h"

namespace parley::media::mongodb {

namespace {

using mongo::Array;
using mongo::Binary;
using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::View;

FileId id_of(View row) {
  return FileId(format_uuid(row.bytes("_id")));
}

std::uint64_t number(View row, std::string_view field) {
  return static_cast<std::uint64_t>(row.integer(field));
}

std::optional<Sha256> digest_of(View row, std::string_view field) {
  const auto bytes = row.bytes(field);
  Sha256 digest{};
  if (bytes.size() != digest.size()) return std::nullopt;
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

std::optional<ImageSize> image_of(View row) {
  if (!row.has("width") || !row.has("height")) return std::nullopt;
  return ImageSize{static_cast<std::uint32_t>(row.integer("width")), static_cast<std::uint32_t>(row.integer("height"))};
}

std::vector<ThumbnailSize> thumbnails_of(View row) {
  std::vector<ThumbnailSize> thumbnails;
  for (const auto size : {ThumbnailSize::kSmall, ThumbnailSize::kMedium, ThumbnailSize::kLarge}) {
    if (row.integer("thumbnails") >> static_cast<int>(size) & 1) thumbnails.push_back(size);
  }
  return thumbnails;
}

std::vector<ByteRange> present_of(View row) {
  std::vector<ByteRange> present;
  for (const View range : row.documents("present")) present.push_back({number(range, "first"), number(range, "end")});
  return present;
}

bool is_to_finish(const Upload& upload) {
  if (upload.complete || upload.kind != UploadKind::kTus) return false;
  return (upload.size && bytes_present(upload) == *upload.size) || !partials_of(upload).empty();
}

// What changes of an upload once it has begun.
Document changing_part(const Upload& upload) {
  Array present;
  for (const ByteRange& range : upload.present) present.add(make_document("first", range.first, "end", range.end));
  Document document = make_document("reserved", upload.reserved, "expires_at", upload.expires_at, "complete",
                                    upload.complete, "present", present);
  document.add("size", upload.size);
  return document;
}

}  // namespace

void prepare_media(Database& db) {
  const Document live = make_document("live", true);
  const mongo::Index files[] = {{.name = "of_owner",
                                 .keys = make_document("tenant", 1, "owner", 1, "created_at", -1, "_id", -1),
                                 .only_where = live},
                                {.name = "to_purge",
                                 .keys = make_document("deleted_at", 1),
                                 .only_where = make_document("deleted_at", make_document("$exists", true))}};
  const mongo::Index uploads[] = {
      {.name = "expiring", .keys = make_document("complete", 1, "expires_at", 1), .only_where = {}},
      {.name = "to_finish", .keys = make_document("expires_at", 1), .only_where = make_document("to_finish", true)},
      {.name = "of_kind", .keys = make_document("kind", 1, "complete", 1, "created_at", 1), .only_where = {}}};
  mongo::prepare_collection(db, kFiles, files);
  mongo::prepare_collection(db, kUploads, uploads);
  mongo::prepare_collection(db, kUserUsage, {});
  mongo::prepare_collection(db, kTenantUsage, {});
}

RowId::RowId(const FileId& id) : bytes(parse_uuid(id.value).value_or(UuidBytes{})) {}

Document by_id(const FileId& id) {
  const RowId row(id);
  return make_document("_id", mongo::Uuid(row));
}

Document of_tenant(const TenantId& tenant, const FileId& id) {
  Document filter = by_id(id);
  filter.add("tenant", tenant.value);
  return filter;
}

File read_file(View row) {
  File file;
  file.id = id_of(row);
  file.tenant = TenantId(row.text("tenant"));
  file.owner = UserId(row.text("owner"));
  file.filename = row.text("filename");
  file.content_type = row.text("content_type");
  file.size = number(row, "size");
  file.sha256 = digest_of(row, "sha256").value_or(Sha256{});
  file.created_at = row.time("created_at");
  file.image = image_of(row);
  file.thumbnails = thumbnails_of(row);
  return file;
}

std::optional<File> find_file(Database& db, const TenantId& tenant, const FileId& id) {
  Document filter = of_tenant(tenant, id);
  filter.add("live", true);
  const auto row = db.find_one(kFiles, filter);
  return row ? std::optional(read_file(row->view())) : std::nullopt;
}

void insert_file(Database& db, const File& file) {
  Document row = by_id(file.id);
  row.add("tenant", file.tenant.value).add("owner", file.owner.value).add("filename", file.filename);
  row.add("content_type", file.content_type).add("size", file.size).add("sha256", Binary{file.sha256});
  row.add("created_at", file.created_at).add("thumbnails", 0).add("live", true);
  db.insert(kFiles, row);
}

Upload read_upload(View row) {
  Upload upload;
  upload.id = id_of(row);
  upload.tenant = TenantId(row.text("tenant"));
  upload.owner = UserId(row.text("owner"));
  upload.kind = static_cast<UploadKind>(row.integer("kind"));
  upload.filename = row.text("filename");
  upload.declared_type = row.text("declared_type");
  if (row.has("size")) upload.size = number(row, "size");
  upload.expected_sha256 = digest_of(row, "expected_sha256");
  upload.chunk_size = number(row, "chunk_size");
  upload.tus_metadata = row.text("tus_metadata");
  upload.reserved = number(row, "reserved");
  upload.created_at = row.time("created_at");
  upload.expires_at = row.time("expires_at");
  upload.complete = row.boolean("complete");
  upload.present = present_of(row);
  return upload;
}

std::optional<Upload> find_upload(Database& db, const TenantId& tenant, const FileId& id) {
  const auto row = db.find_one(kUploads, of_tenant(tenant, id));
  return row ? std::optional(read_upload(row->view())) : std::nullopt;
}

void insert_upload(Database& db, const Upload& upload) {
  Document row = by_id(upload.id);
  row.add("tenant", upload.tenant.value).add("owner", upload.owner.value).add("kind", static_cast<int>(upload.kind));
  row.add("filename", upload.filename).add("declared_type", upload.declared_type);
  if (upload.expected_sha256) row.add("expected_sha256", Binary{*upload.expected_sha256});
  row.add("chunk_size", upload.chunk_size).add("tus_metadata", upload.tus_metadata);
  row.add("created_at", upload.created_at);
  row.append_all(changing_part(upload).view());
  if (is_to_finish(upload)) row.add("to_finish", true);
  db.insert(kUploads, row);
}

void save_upload(Database& db, const Upload& upload) {
  Document set = changing_part(upload);
  Document change;
  if (is_to_finish(upload)) {
    set.add("to_finish", true);
  } else {
    change.add("$unset", make_document("to_finish", ""));
  }
  change.add("$set", set);
  db.update_one(kUploads, by_id(upload.id), change);
}

void erase_upload(Database& db, const FileId& id) {
  db.delete_one(kUploads, by_id(id));
}

KnownBlob blob_of_file(View row) {
  KnownBlob blob;
  blob.id = id_of(row);
  blob.tenant = TenantId(row.text("tenant"));
  blob.sealed = true;
  blob.size = number(row, "size");
  blob.sha256 = digest_of(row, "sha256").value_or(Sha256{});
  blob.deleted = row.has("deleted_at");
  blob.thumbnails = thumbnails_of(row);
  blob.content_type = row.text("content_type");
  blob.image = image_of(row);
  return blob;
}

KnownBlob blob_of_upload(View row) {
  KnownBlob blob;
  blob.id = id_of(row);
  blob.tenant = TenantId(row.text("tenant"));
  const std::vector<ByteRange> present = present_of(row);
  blob.size = present.empty() ? 0 : present.back().end;
  return blob;
}

void add_range(std::vector<ByteRange>& present, ByteRange range) {
  CHECK(range.first <= range.end);
  if (range.length() == 0) return;
  const auto first = std::ranges::find_if(present, [&range](const ByteRange& each) { return each.end >= range.first; });
  auto end = first;
  for (; end != present.end() && end->first <= range.end; ++end) {
    range.first = std::min(range.first, end->first);
    range.end = std::max(range.end, end->end);
  }
  present.insert(present.erase(first, end), range);
}

std::int64_t thumbnail_bits(const std::vector<ThumbnailSize>& thumbnails) {
  std::int64_t bits = 0;
  for (const ThumbnailSize size : thumbnails) bits |= 1 << static_cast<int>(size);
  return bits;
}

}  // namespace parley::media::mongodb
