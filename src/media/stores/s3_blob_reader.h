// S3BlobReader: a blob, read as bodies straight from S3: of a sealed one a run of its object, of one that is still
// being written its pieces one after the other. A body that is cut goes on where it was, and one whose pieces went
// meanwhile (joined, or grown) looks for them anew.
#pragma once
#include <memory>

#include "media/blob_store.h"
#include "media/stores/s3_blob_context.h"
#include "media/stores/s3_open_blobs.h"

namespace parley::media {

class S3BlobReader final : public BlobReader {
 public:
  S3BlobReader(S3BlobContext& context, FileId id, BlobLayout layout, S3OpenBlobs::Use use);
  ~S3BlobReader() override;

  std::uint64_t size() const override;
  std::unique_ptr<http::Body> read(ByteRange range) override;

 private:
  struct Open;
  class Reading;
  const std::shared_ptr<Open> open_;  // shared with its bodies
};

// A small object, in memory.
class S3SmallReader final : public BlobReader {
 public:
  explicit S3SmallReader(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::unique_ptr<http::Body> read(ByteRange range) override;

 private:
  const std::string bytes_;
};

}  // namespace parley::media
