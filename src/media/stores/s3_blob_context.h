// What the parts of S3BlobStore share, and what they ask of S3 in terms of blobs. Owned by the store.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/blocking.h"
#include "base/clock.h"
#include "drivers/s3/s3_client.h"
#include "media/blob_store.h"
#include "media/stores/s3_background.h"
#include "media/stores/s3_blob_keys.h"
#include "media/stores/s3_layout.h"

namespace parley::media {

struct S3BlobOptions {
  std::string prefix;  // of every key
  // A writer sends a piece when it has so much; it holds two of them at most, one being filled and one being sent.
  std::size_t piece_bytes = 5 << 20;
  // And pieces of so much when all writers together hold more than the budget: smaller ones cost more requests when
  // the blob is sealed, but memory stays bounded.
  std::size_t crowded_piece_bytes = 256 << 10;
  std::size_t buffer_budget = 512 << 20;
  PartLimits parts{};
  std::chrono::milliseconds background_timeout{60'000};  // of what no caller waits for
  std::chrono::milliseconds ping_timeout{5'000};
  std::chrono::seconds presigned_life{0};  // of addresses where S3 itself sends a blob; 0: none are given
};

struct S3BlobContext {
  S3BlobContext(s3::S3Client& s3_client, const Clock& the_clock, S3BlobOptions the_options)
      : client(s3_client), clock(the_clock), options(std::move(the_options)), keys(options.prefix) {}

  s3::S3Client& client;
  const Clock& clock;
  const S3BlobOptions options;
  const S3BlobKeys keys;
  std::atomic<std::size_t> buffered{0};  // bytes that writers hold
  S3Background background;
  BlockingPool hashing{"media-s3-hash", 2, 4096};  // goes before what it may answer to

  SteadyTime background_deadline() const { return clock.steady_now() + options.background_timeout; }
};

bool is_file_id(const FileId& id);
std::unexpected<Error> blob_incomplete();
// An error of the driver as one that the port may give.
Error port_error(Error error);
Result<> port_result(Result<> result);

// What there is of a blob that is not sealed: the pieces from `first` on, and whether it was begun.
struct BegunBlob {
  bool is_open = false;  // its marker is there; else the pieces are leftovers
  std::vector<StoredPiece> pieces;
};
Task<Result<BegunBlob>> find_pieces(S3BlobContext& context, FileId id, std::uint64_t first, SteadyTime deadline);

// Where the bytes of a blob are. not_found when there is none.
struct BlobLayout {
  bool sealed = false;
  std::uint64_t size = 0;
  std::vector<Run> runs;
};
Task<Result<BlobLayout>> find_layout(S3BlobContext& context, FileId id, SteadyTime deadline);

// Hashes it, elsewhere than on the loop.
Task<Result<s3::Payload>> hashed(S3BlobContext& context, std::shared_ptr<const std::string> bytes);

// Writes a piece into a blob that was begun. Afterwards it looks whether the blob is still open, and takes the piece
// back if not: whoever removes a blob removes its marker first and lists its pieces then, so no piece stays.
Task<Result<>> put_piece(S3BlobContext& context, FileId id, PieceName name, s3::Payload payload, SteadyTime deadline);
// The end of that, for a piece that is there already.
Task<Result<>> confirm_piece(S3BlobContext& context, FileId id, std::string key, SteadyTime deadline);

// Above every order in use here and among `pieces`, so that whoever begins to write later writes over.
std::uint64_t next_order(const Clock& clock, const std::vector<StoredPiece>& pieces);

}  // namespace parley::media
