// Reading and writing media's documents as domain values, for the reads and writes of the MongoDB store alike. Whatever
// is asked for by a client is found with its tenant only. Called inside a snapshot or a transaction; throws
// mongo::Failure.
//
//   media_files    {_id: the file's UUID, tenant, owner, filename, content_type, size, sha256, created_at, width,
//   height,
//                  thumbnails (bits), live: true until it is deleted, then deleted_at, deleted_by}
//   media_uploads  {_id, tenant, owner, kind, filename, declared_type, size, expected_sha256, chunk_size, tus_metadata,
//                  reserved, created_at, expires_at, complete, present: [{first, end}], to_finish: true where nothing
//                  more is to come from its client (MediaStore::uploads_to_finish)}
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "drivers/mongo/database.h"
#include "media/media_store.h"

namespace parley::media::mongodb {

inline constexpr const char* kFiles = "media_files";
inline constexpr const char* kUploads = "media_uploads";
inline constexpr const char* kUserUsage = "media_user_usage";
inline constexpr const char* kTenantUsage = "media_tenant_usage";

// At start: collections and indexes.
void prepare_media(mongo::Database& db);

// An id as the documents keep it. One that is no UUID becomes one that no document has. It owns the bytes.
struct RowId {
  explicit RowId(const FileId& id);
  operator mongo::Uuid() const { return {bytes}; }
  UuidBytes bytes;
};
mongo::Document by_id(const FileId& id);
mongo::Document of_tenant(const TenantId& tenant, const FileId& id);

File read_file(mongo::View row);
// Of files that are not deleted.
std::optional<File> find_file(mongo::Database& db, const TenantId& tenant, const FileId& id);
void insert_file(mongo::Database& db, const File& file);

Upload read_upload(mongo::View row);
std::optional<Upload> find_upload(mongo::Database& db, const TenantId& tenant, const FileId& id);
// With everything that may change of it.
void insert_upload(mongo::Database& db, const Upload& upload);
void save_upload(mongo::Database& db, const Upload& upload);
void erase_upload(mongo::Database& db, const FileId& id);

KnownBlob blob_of_file(mongo::View row);
KnownBlob blob_of_upload(mongo::View row);

// Adds a range to others, which are in order and apart, merged with those it overlaps or touches.
void add_range(std::vector<ByteRange>& present, ByteRange range);

std::int64_t thumbnail_bits(const std::vector<ThumbnailSize>& thumbnails);

}  // namespace parley::media::mongodb
