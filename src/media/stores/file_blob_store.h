// FileBlobStore: blobs as files in a folder of its own (file_blob_store_folder.h says which); nothing to install. Made
// and owned by app/; called on any loop. What blocks runs on its own threads: writing and syncing on some, reading on
// others, so that downloads do not wait for syncs. A blob into which a write may still fall that nobody waits for any
// more is neither written nor sealed meanwhile: who wants to waits until the deadline, then it is unavailable. Only one
// process at a time may have the folder: whoever owns the metadata locks both.
#pragma once
#include <filesystem>
#include <memory>

#include "base/blocking.h"
#include "media/blob_store.h"
#include "media/stores/file_blob_store_writer.h"

namespace parley::media {

class BlobFolder;

struct FileBlobStoreOptions {
  std::filesystem::path folder;
  std::size_t writer_threads = 8;
  std::size_t reader_threads = 4;
  std::size_t queue_limit = 1024;  // of each kind
};

class FileBlobStore final : public BlobStore {
 public:
  // Makes the folder when it is missing. fail: unavailable folder_unusable.
  static Result<std::unique_ptr<FileBlobStore>> open(const FileBlobStoreOptions& options);
  // Finishes what is queued.
  ~FileBlobStore() override;

  Task<Result<>> create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobWriter>>> write(FileId id, std::uint64_t offset, std::shared_ptr<Digests> digests,
                                                  SteadyTime deadline) override;
  Task<Result<>> copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) override;
  Task<Result<>> seal(FileId id, std::uint64_t size, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobReader>>> open(FileId id, SteadyTime deadline) override;
  Task<Result<>> remove(FileId id, SteadyTime deadline) override;
  Task<Result<Page<StoredBlob>>> list(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) override;
  Task<Result<>> put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobReader>>> open_thumbnail(FileId id, ThumbnailSize size, SteadyTime deadline) override;
  Task<Result<>> ping(SteadyTime deadline) override;

  // Work that waits for a thread.
  std::size_t writes_queued() const { return writers_.queued(); }
  std::size_t reads_queued() const { return readers_.queued(); }

 private:
  FileBlobStore(const FileBlobStoreOptions& options, std::unique_ptr<BlobFolder> folder);

  const std::unique_ptr<BlobFolder> folder_;
  LargeWriters large_writers_;
  WritesLeftBehind left_behind_;
  BlockingPool writers_;
  BlockingPool readers_;
};

}  // namespace parley::media
