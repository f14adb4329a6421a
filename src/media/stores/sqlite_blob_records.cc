#include "media/stores/sqlite_blob_records.h"

#include "drivers/sqlite/check.h"
#include "media/stores/sqlite_media_store.h"
#include "media/stores/sqlite_reads.h"
#include "media/stores/sqlite_schema.h"

namespace parley::media {

Result<std::unique_ptr<SqliteBlobRecords>> SqliteBlobRecords::open(const std::filesystem::path& folder,
                                                                   const Clock& clock) {
  const std::filesystem::path file = folder / kMediaDatabase;
  auto is_ours = sqlite::with_database(file, kMediaApplicationId, media_migrations().back().version, "media",
                                       [](sqlite::Connection&) -> Result<> { return {}; });
  if (!is_ours) return fail(std::move(is_ours.error()));
  return std::unique_ptr<SqliteBlobRecords>(new SqliteBlobRecords(file, clock));
}

SqliteBlobRecords::SqliteBlobRecords(const std::filesystem::path& file, const Clock& clock)
    : readers_({.file = file, .thread_name = "media-read", .threads = 1}, clock) {}

Task<Result<Page<KnownBlob>>> SqliteBlobRecords::scan_blobs(std::optional<FileId> after, std::size_t limit,
                                                            SteadyTime deadline) {
  return readers_.run<Page<KnownBlob>>(
      deadline, [after = std::move(after), limit](sqlite::Connection& db) -> Result<Page<KnownBlob>> {
        return media::scan_blobs(db, after, limit);
      });
}

Task<Result<std::vector<KnownBlob>>> SqliteBlobRecords::find_blobs(std::vector<FileId> ids, SteadyTime deadline) {
  return readers_.run<std::vector<KnownBlob>>(
      deadline, [ids = std::move(ids)](sqlite::Connection& db) -> Result<std::vector<KnownBlob>> {
        return media::find_blobs(db, ids);
      });
}

}  // namespace parley::media
