// FileBlobReader: an open file, read as bodies. What the page cache holds is read on the loop, the rest on a thread of
// the pool, so that a cold disk stops nobody else. A body holds 128 KiB at most. It offers itself as a run of the file,
// too; then it holds nothing, and its fetch() does the waiting.
#pragma once
#include <memory>

#include "base/blocking.h"
#include "media/blob_store.h"
#include "media/stores/file_blob_store_folder.h"

namespace parley::media {

class FileBlobReader final : public BlobReader {
 public:
  // The pool must outlive the reader and its bodies.
  FileBlobReader(BlockingPool& pool, OpenFile file);
  ~FileBlobReader() override;

  std::uint64_t size() const override { return file_->size; }
  std::unique_ptr<http::Body> read(ByteRange range) override;

 private:
  BlockingPool& pool_;
  std::shared_ptr<const OpenFile> file_;  // shared with its bodies and the work that they have under way
};

}  // namespace parley::media
