// Reading and writing media's rows as domain values, for the reads and writes of the SQLite store alike. Whatever is
// asked for by a client is found with its tenant only. Called inside a snapshot or a transaction; throws
// sqlite::Failure.
#pragma once
#include <optional>
#include <vector>

#include "drivers/sqlite/connection.h"
#include "media/types.h"

namespace parley::media {

inline WallTime wall_time(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}
inline std::int64_t to_ms(WallTime time) {
  return time.time_since_epoch().count();
}

// An id as the tables keep it. One that is no UUID becomes one that no row has.
UuidBytes row_id(const FileId& id);

// The columns that read_file takes, from `files`.
#define PARLEY_FILE_COLUMNS \
  "id, tenant, owner, filename, content_type, size, sha256, created_at, image_width, image_height, thumbnails"
File read_file(const sqlite::Query& row);

// Of files that are not deleted.
std::optional<File> find_file(sqlite::Connection& db, const TenantId& tenant, const FileId& id);
void insert_file(sqlite::Connection& db, const File& file);

// With what is present of it.
std::optional<Upload> find_upload(sqlite::Connection& db, const TenantId& tenant, const FileId& id);
void insert_upload(sqlite::Connection& db, const Upload& upload);
// The row and its ranges; the reservation is the caller's to give back.
void erase_upload(sqlite::Connection& db, const FileId& id);

std::vector<ByteRange> load_ranges(sqlite::Connection& db, const FileId& upload);
// Adds a range to those of an upload, merged with those it overlaps or touches.
void add_range(sqlite::Connection& db, const FileId& upload, ByteRange range);

// A set of thumbnails as one number.
std::int64_t thumbnail_bits(const std::vector<ThumbnailSize>& thumbnails);
std::vector<ThumbnailSize> thumbnails_of(std::int64_t bits);

Sha256 read_sha256(const sqlite::Query& row, int column);

}  // namespace parley::media
