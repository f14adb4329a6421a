// BlobStore: the port behind which the bytes of files lives: a folder of files, or S3. A blob is written under its id
// at any offsets, then sealed: from then on it is whole, durable and never changes. Knows nothing of tenants, names or
// rights. Made and owned by app/; called on any event loop, answers on the loop that asked.
//
// Failures, the same from every adapter: not_found (an id that is no UUID, too), no_room storage_full, unavailable with
// retry_after, deadline_exceeded.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "media/digests.h"
#include "media/types.h"

namespace parley::media {

// Writes one run of bytes, from the offset it was opened at on. Owned by one request, on its loop; destroying it waits
// for nothing and keeps what was written, durable or not. Its first failure, a deadline too, is its last: every call
// after it answers the same, and the digests are worth nothing.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  // Takes `bytes` (they may be reused at once) and goes on writing behind the caller's back; waits while more than its
  // buffers hold is unwritten. An earlier failure comes back here.
  virtual Task<Result<>> write(std::string_view bytes, SteadyTime deadline) = 0;
  // Everything taken so far is in the blob and in the digests, though not safe from a power cut: enough before seal(),
  // which makes it so. After a failure it still waits, until nothing is being written any more.
  virtual Task<Result<>> flush(SteadyTime deadline) = 0;
  // The same, and safe from a power cut.
  virtual Task<Result<>> sync(SteadyTime deadline) = 0;
  // The first byte not taken yet.
  virtual std::uint64_t offset() const = 0;
};

// Reads an object. Owned by one request, on its loop; the object may be removed meanwhile, what is open stays readable.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::uint64_t size() const = 0;
  // The bytes of that range, which lies within the object, as a body: sent from the file itself where the adapter and
  // the connection can. The reader must outlive the body.
  virtual std::unique_ptr<http::Body> read(ByteRange range) = 0;
};

// What the store itself says of the bytes where it sends them.
struct BlobLabel {
  std::string content_type;
  std::string disposition;  // the value of Content-Disposition
};

struct StoredBlob {
  FileId id;
  bool sealed = false;
  std::uint64_t size = 0;
  WallTime modified_at{};
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Begins an empty blob, which a power cut does not take away. `size`, where it is known, may be refused
  // (storage_full) when there is not that much room. Conflict blob_exists when there is one of that id.
  virtual Task<Result<>> create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) = 0;
  // A writer from `offset` on; several at once may write to ranges of their own. `digests`, which may be null, must
  // outlive the writer and the write under way when it goes; it is fed with what is written, in order, on a thread of
  // the adapter's.
  virtual Task<Result<std::unique_ptr<BlobWriter>>> write(FileId id, std::uint64_t offset,
                                                          std::shared_ptr<Digests> digests, SteadyTime deadline) = 0;
  // Copies a range of a blob into an unsealed one, to `offset`, without bringing it here; it is durable when it
  // answers. Invalid blob_incomplete when there is not all of it.
  virtual Task<Result<>> copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) = 0;
  // Exactly its first `size` bytes, durable and under their final name; what a request that failed left behind them is
  // cut off. The same again is fine. Invalid blob_incomplete when there are fewer, or a sealed one is of another size.
  // No writer may be at work on it any more.
  virtual Task<Result<>> seal(FileId id, std::uint64_t size, SteadyTime deadline) = 0;
  // Of a sealed blob, or of one still being written (to read it over).
  virtual Task<Result<std::unique_ptr<BlobReader>>> open(FileId id, SteadyTime deadline) = 0;
  // An address of the store's own where anybody may GET a sealed blob for a short while, whole or a range. None where
  // the adapter has none, or was told to give none.
  virtual Task<Result<std::optional<std::string>>> presigned_address(FileId id, BlobLabel label, SteadyTime deadline) {
    (void)id, (void)label, (void)deadline;
    co_return std::optional<std::string>();
  }
  // Sealed or not, its thumbnails too; one that is not there is fine.
  virtual Task<Result<>> remove(FileId id, SteadyTime deadline) = 0;
  // Every blob once, in an order of the adapter's, after the last one of the page before; at most `limit`. One that
  // is sealed, begun or removed meanwhile may be missing. An id of which only thumbnails are left counts as unsealed.
  virtual Task<Result<Page<StoredBlob>>> list(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) = 0;

  // Thumbnails of a sealed blob: small, written whole, replaced by the next.
  virtual Task<Result<>> put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) = 0;
  virtual Task<Result<std::unique_ptr<BlobReader>>> open_thumbnail(FileId id, ThumbnailSize size,
                                                                   SteadyTime deadline) = 0;

  // For /health: fails when objects cannot be written or read.
  virtual Task<Result<>> ping(SteadyTime deadline) = 0;
};

}  // namespace parley::media
