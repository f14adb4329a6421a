#include "media/stores/sqlite_reads.h"

#include "media/event_data.h"
#include "media/stores/sqlite_rows.h"

namespace parley::media {

namespace {

// Of files, then of uploads under way; both have the same columns.
#define PARLEY_FILE_BLOBS                                                                                            \
  "SELECT id, tenant, 1, size, sha256, deleted_at IS NOT NULL, thumbnails, content_type, image_width, image_height " \
  "FROM files WHERE id "
#define PARLEY_UPLOAD_BLOBS                                                                                   \
  "SELECT id, tenant, 0, coalesce((SELECT end_byte FROM upload_ranges WHERE upload = id ORDER BY first_byte " \
  "DESC LIMIT 1), 0), NULL, 0, 0, '', NULL, NULL FROM uploads WHERE complete = 0 AND id "

KnownBlob read_blob(const sqlite::Query& row) {
  KnownBlob blob;
  blob.id = FileId(format_uuid(row.blob(0)));
  blob.tenant = TenantId(row.text(1));
  blob.sealed = row.integer(2) != 0;
  blob.size = static_cast<std::uint64_t>(row.integer(3));
  if (blob.sealed) blob.sha256 = read_sha256(row, 4);
  blob.deleted = row.integer(5) != 0;
  blob.thumbnails = thumbnails_of(row.integer(6));
  blob.content_type = row.text(7);
  if (!row.is_null(8) && !row.is_null(9)) {
    blob.image = ImageSize{static_cast<std::uint32_t>(row.integer(8)), static_cast<std::uint32_t>(row.integer(9))};
  }
  return blob;
}

}  // namespace

Result<std::vector<File>> get_files(sqlite::Connection& db, const TenantId& tenant, const std::vector<FileId>& ids) {
  std::vector<File> files;
  for (const FileId& id : ids) {
    if (auto file = find_file(db, tenant, id)) files.push_back(std::move(*file));
  }
  return files;
}

Page<File> list_files(sqlite::Connection& db, const ListFiles& query) {
  const std::int64_t before_time = query.after ? to_ms(query.after->created_at) : INT64_MAX;
  const UuidBytes before_id = query.after ? row_id(query.after->id) : UuidBytes{};
  std::vector<File> files;
  sqlite::Query rows(db,
                     "SELECT " PARLEY_FILE_COLUMNS
                     " FROM files WHERE tenant = ?1 AND owner = ?2 AND deleted_at IS NULL "
                     "AND (created_at, id) < (?3, ?4) ORDER BY created_at DESC, id DESC LIMIT ?5",
                     query.tenant.value, query.owner.value, before_time, before_id, query.limit + 1);
  while (rows.step()) files.push_back(read_file(rows));
  return cut_page(std::move(files), query.limit);
}

// Looks at every upload of tus under way. What follows a line feed is Upload-Concat, see tus_concat.h.
std::vector<Upload> uploads_to_finish(sqlite::Connection& db, std::size_t limit) {
  std::vector<std::pair<FileId, TenantId>> found;
  {
    sqlite::Query rows(db,
                       "SELECT id, tenant FROM uploads WHERE complete = 0 AND kind = 2 AND (size = 0 "
                       "OR instr(tus_metadata, char(10) || 'final;') > 0 OR EXISTS(SELECT 1 FROM upload_ranges "
                       "WHERE upload = uploads.id AND first_byte = 0 AND end_byte = uploads.size)) "
                       "ORDER BY expires_at LIMIT ?1",
                       limit);
    while (rows.step()) found.emplace_back(format_uuid(rows.blob(0)), rows.text(1));
  }
  std::vector<Upload> uploads;
  for (const auto& [id, tenant] : found) {
    if (auto upload = find_upload(db, tenant, id)) uploads.push_back(std::move(*upload));
  }
  return uploads;
}

std::vector<FileId> files_to_purge(sqlite::Connection& db, WallTime deleted_before, std::size_t limit) {
  std::vector<FileId> ids;
  sqlite::Query rows(db,
                     "SELECT id FROM files WHERE deleted_at IS NOT NULL AND deleted_at < ?1 "
                     "ORDER BY deleted_at LIMIT ?2",
                     to_ms(deleted_before), limit);
  while (rows.step()) ids.emplace_back(format_uuid(rows.blob(0)));
  return ids;
}

Page<KnownBlob> scan_blobs(sqlite::Connection& db, const std::optional<FileId>& after, std::size_t limit) {
  // The smallest of all UUIDs is no file's, so that "after" it is everything.
  const UuidBytes from = after ? row_id(*after) : UuidBytes{};
  std::vector<KnownBlob> blobs;
  sqlite::Query rows(db, PARLEY_FILE_BLOBS "> ?1 UNION ALL " PARLEY_UPLOAD_BLOBS "> ?1 ORDER BY id LIMIT ?2", from,
                     limit + 1);
  while (rows.step()) blobs.push_back(read_blob(rows));
  return cut_page(std::move(blobs), limit);
}

std::vector<KnownBlob> find_blobs(sqlite::Connection& db, const std::vector<FileId>& ids) {
  std::vector<KnownBlob> blobs;
  for (const FileId& id : ids) {
    sqlite::Query row(db, PARLEY_FILE_BLOBS "= ?1 UNION ALL " PARLEY_UPLOAD_BLOBS "= ?1", row_id(id));
    if (row.step()) blobs.push_back(read_blob(row));
  }
  return blobs;
}

std::string resolve_file_event(sqlite::Connection& db, const events::Event& event, events::EventReference) {
  const FileId id(event.subject);
  if (const auto file = find_file(db, event.tenant, id)) return file_uploaded_data(*file);
  return forgotten_file_data(id, UserId(event.key), event.time);
}

}  // namespace parley::media
