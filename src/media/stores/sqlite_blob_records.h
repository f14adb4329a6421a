// SqliteBlobRecords: what media's database knows of objects, read beside a server that has it open, for `parley check`.
// Made and owned by the command; called on any loop. open() fails (unavailable not_our_file) when the folder holds no
// media database of this version.
#pragma once
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "drivers/sqlite/reader_pool.h"
#include "media/media_store.h"

namespace parley::media {

class SqliteBlobRecords final : public BlobRecords {
 public:
  // `folder` is DIR/media; `clock` must outlive the records.
  static Result<std::unique_ptr<SqliteBlobRecords>> open(const std::filesystem::path& folder, const Clock& clock);

  Task<Result<Page<KnownBlob>>> scan_blobs(std::optional<FileId> after, std::size_t limit,
                                           SteadyTime deadline) override;
  Task<Result<std::vector<KnownBlob>>> find_blobs(std::vector<FileId> ids, SteadyTime deadline) override;

 private:
  SqliteBlobRecords(const std::filesystem::path& file, const Clock& clock);
  sqlite::ReaderPool readers_;
};

}  // namespace parley::media
