#include "media/stores/sqlite_rows.h"

#include <algorithm>

namespace parley::media {

namespace {

std::optional<std::int64_t> optional_bytes(const std::optional<std::uint64_t>& size) {
  return size ? std::optional(static_cast<std::int64_t>(*size)) : std::nullopt;
}

}  // namespace

UuidBytes row_id(const FileId& id) {
  return parse_uuid(id.value).value_or(UuidBytes{});
}

std::int64_t thumbnail_bits(const std::vector<ThumbnailSize>& thumbnails) {
  std::int64_t bits = 0;
  for (const ThumbnailSize size : thumbnails) bits |= 1 << static_cast<int>(size);
  return bits;
}

std::vector<ThumbnailSize> thumbnails_of(std::int64_t bits) {
  std::vector<ThumbnailSize> thumbnails;
  for (const auto size : {ThumbnailSize::kSmall, ThumbnailSize::kMedium, ThumbnailSize::kLarge}) {
    if (bits >> static_cast<int>(size) & 1) thumbnails.push_back(size);
  }
  return thumbnails;
}

Sha256 read_sha256(const sqlite::Query& row, int column) {
  Sha256 digest{};
  const sqlite::Blob bytes = row.blob(column);
  CHECK(bytes.size() == digest.size());
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

File read_file(const sqlite::Query& row) {
  File file;
  file.id = FileId(format_uuid(row.blob(0)));
  file.tenant = TenantId(row.text(1));
  file.owner = UserId(row.text(2));
  file.filename = row.text(3);
  file.content_type = row.text(4);
  file.size = static_cast<std::uint64_t>(row.integer(5));
  file.sha256 = read_sha256(row, 6);
  file.created_at = wall_time(row.integer(7));
  if (!row.is_null(8)) {
    file.image = ImageSize{static_cast<std::uint32_t>(row.integer(8)), static_cast<std::uint32_t>(row.integer(9))};
  }
  file.thumbnails = thumbnails_of(row.integer(10));
  return file;
}

std::optional<File> find_file(sqlite::Connection& db, const TenantId& tenant, const FileId& id) {
  sqlite::Query row(db,
                    "SELECT " PARLEY_FILE_COLUMNS " FROM files WHERE id = ?1 AND tenant = ?2 AND deleted_at IS NULL",
                    row_id(id), tenant.value);
  return row.step() ? std::optional(read_file(row)) : std::nullopt;
}

void insert_file(sqlite::Connection& db, const File& file) {
  sqlite::Query(db,
                "INSERT INTO files(id, tenant, owner, filename, content_type, size, sha256, created_at) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                row_id(file.id), file.tenant.value, file.owner.value, file.filename, file.content_type, file.size,
                file.sha256, to_ms(file.created_at))
      .run();
}

std::optional<Upload> find_upload(sqlite::Connection& db, const TenantId& tenant, const FileId& id) {
  sqlite::Query row(db,
                    "SELECT owner, kind, filename, declared_type, size, expected_sha256, chunk_size, tus_metadata, "
                    "reserved, created_at, expires_at, complete FROM uploads WHERE id = ?1 AND tenant = ?2",
                    row_id(id), tenant.value);
  if (!row.step()) return std::nullopt;
  Upload upload;
  upload.id = id;
  upload.tenant = tenant;
  upload.owner = UserId(row.text(0));
  upload.kind = static_cast<UploadKind>(row.integer(1));
  upload.filename = row.text(2);
  upload.declared_type = row.text(3);
  if (!row.is_null(4)) upload.size = static_cast<std::uint64_t>(row.integer(4));
  if (!row.is_null(5)) upload.expected_sha256 = read_sha256(row, 5);
  upload.chunk_size = static_cast<std::uint64_t>(row.integer(6));
  upload.tus_metadata = row.text(7);
  upload.reserved = static_cast<std::uint64_t>(row.integer(8));
  upload.created_at = wall_time(row.integer(9));
  upload.expires_at = wall_time(row.integer(10));
  upload.complete = row.integer(11) != 0;
  upload.present = load_ranges(db, id);
  return upload;
}

void insert_upload(sqlite::Connection& db, const Upload& upload) {
  sqlite::Query(db,
                "INSERT INTO uploads(id, tenant, owner, kind, filename, declared_type, size, expected_sha256, "
                "chunk_size, tus_metadata, reserved, created_at, expires_at) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                row_id(upload.id), upload.tenant.value, upload.owner.value, static_cast<int>(upload.kind),
                upload.filename, upload.declared_type, optional_bytes(upload.size), upload.expected_sha256,
                upload.chunk_size, upload.tus_metadata, upload.reserved, to_ms(upload.created_at),
                to_ms(upload.expires_at))
      .run();
  for (const ByteRange& range : upload.present) add_range(db, upload.id, range);
}

void erase_upload(sqlite::Connection& db, const FileId& id) {
  sqlite::Query(db, "DELETE FROM upload_ranges WHERE upload = ?1", row_id(id)).run();
  sqlite::Query(db, "DELETE FROM uploads WHERE id = ?1", row_id(id)).run();
}

std::vector<ByteRange> load_ranges(sqlite::Connection& db, const FileId& upload) {
  std::vector<ByteRange> ranges;
  sqlite::Query rows(db, "SELECT first_byte, end_byte FROM upload_ranges WHERE upload = ?1 ORDER BY first_byte",
                     row_id(upload));
  while (rows.step()) {
    ranges.push_back({static_cast<std::uint64_t>(rows.integer(0)), static_cast<std::uint64_t>(rows.integer(1))});
  }
  return ranges;
}

void add_range(sqlite::Connection& db, const FileId& upload, ByteRange range) {
  CHECK(range.first <= range.end);
  if (range.length() == 0) return;
  const UuidBytes id = row_id(upload);
  auto first = static_cast<std::int64_t>(range.first);
  auto end = static_cast<std::int64_t>(range.end);
  {
    // From the last that may touch it downwards: they lie side by side, for the ranges are in order and apart.
    sqlite::Query touching(db,
                           "SELECT first_byte, end_byte FROM upload_ranges WHERE upload = ?1 AND first_byte <= ?2 "
                           "ORDER BY first_byte DESC",
                           id, end);
    while (touching.step() && touching.integer(1) >= static_cast<std::int64_t>(range.first)) {
      first = std::min(first, touching.integer(0));
      end = std::max(end, touching.integer(1));
    }
  }
  sqlite::Query(db, "DELETE FROM upload_ranges WHERE upload = ?1 AND first_byte BETWEEN ?2 AND ?3", id, first, end)
      .run();
  sqlite::Query(db, "INSERT INTO upload_ranges(upload, first_byte, end_byte) VALUES(?1, ?2, ?3)", id, first, end).run();
}

}  // namespace parley::media
