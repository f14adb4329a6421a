// S3BlobStore: blobs as objects in a bucket of S3 (docs/adr/0027 says how; s3_blob_keys.h which). Made and owned by
// app/; called on any loop the client was made for. Several instances may share a bucket. close() before it goes.
#pragma once
#include <functional>
#include <memory>

#include "media/blob_store.h"
#include "media/stores/s3_blob_context.h"
#include "media/stores/s3_open_blobs.h"

namespace parley::media {

class S3BlobStore final : public BlobStore {
 public:
  // Both must outlive the store.
  S3BlobStore(s3::S3Client& client, const Clock& clock, S3BlobOptions options = {});
  ~S3BlobStore() override;
  // Any thread, once nobody calls any more: `closed` is called when what went on behind callers' backs has ended, and
  // the client's connections are closed.
  void close(std::function<void()> closed) {
    context_.background.close([this, closed = std::move(closed)] { context_.client.close(closed); });
  }

  Task<Result<>> create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobWriter>>> write(FileId id, std::uint64_t offset, std::shared_ptr<Digests> digests,
                                                  SteadyTime deadline) override;
  Task<Result<>> copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) override;
  Task<Result<>> seal(FileId id, std::uint64_t size, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobReader>>> open(FileId id, SteadyTime deadline) override;
  Task<Result<std::optional<std::string>>> presigned_address(FileId id, BlobLabel label, SteadyTime deadline) override;
  Task<Result<>> remove(FileId id, SteadyTime deadline) override;
  Task<Result<Page<StoredBlob>>> list(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) override;
  Task<Result<>> put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobReader>>> open_thumbnail(FileId id, ThumbnailSize size, SteadyTime deadline) override;
  Task<Result<>> ping(SteadyTime deadline) override;

  // What crashes left, if it is from before `before`: multipart uploads that nobody completed, and pieces of blobs that
  // are sealed. Answers how much it cleared away. Now and then, on any loop.
  Task<Result<std::size_t>> clear_leftovers(WallTime before, SteadyTime deadline);

  std::size_t buffered_bytes() const { return context_.buffered.load(); }

 private:
  Task<Result<>> join_and_clear(FileId id, std::vector<StoredPiece> pieces, std::vector<Run> runs, SteadyTime deadline);
  Task<Result<>> check_sealed(FileId id, std::uint64_t size, SteadyTime deadline);
  Task<Result<>> remove_objects(FileId id, SteadyTime deadline);
  Task<> remove_behind(std::vector<std::string> keys);
  Task<> remove_put_off(FileId id);
  Task<Result<std::size_t>> abort_multiparts(std::string prefix, WallTime before, SteadyTime deadline);

  S3BlobContext context_;
  S3OpenBlobs open_blobs_;
};

}  // namespace parley::media
