// UploadRun: one request's bytes on their way from its body into a blob, while it has its turn. Bytes that are there
// already are compared instead of written again, so that what was recorded never changes. Lives in the frame of the
// request, on its loop.
//
// Failures: the body's own; payload_too_large as soon as more has come than may; chunk_differs; checksum_mismatch;
// upload_taken_over; quota_exceeded, storage_full, unavailable. What came is kept when the body was cut, unless a
// checksum was to hold for all of it; after any other failure only what was recorded on the way is.
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/expected_digest.h"
#include "http/message.h"
#include "media/upload_parts.h"
#include "media/uploads_under_way.h"

namespace parley::media {

struct BodyOfUpload {
  Upload upload;       // as the store has it since the turn was taken
  ByteRange range;     // where the bytes go; none may come beyond its end
  bool exact = false;  // they must come up to its end
  http::Body& body;
  std::string_view first = {};                // has been read of the body already
  std::vector<ExpectedDigest> expected = {};  // of the bytes of this request
  std::vector<FileId> beside = {};            // uploads of the same request, which are not to expire meanwhile
};

struct BroughtBytes {
  Upload upload;                 // as it is now
  std::uint64_t end = 0;         // up to there
  std::optional<Sha256> sha256;  // of everything from the first byte to there, when it came in order
};

class UploadRun {
 public:
  UploadRun(UploadParts& parts, UploadsUnderWay::Turn& turn, BodyOfUpload bytes);
  // Once.
  Task<Result<BroughtBytes>> bring();

 private:
  static constexpr std::uint64_t kFirstReserve = 8 << 20;
  static constexpr std::uint64_t kMostReserve = 64 << 20;

  bool is_resumable() const { return bytes_.upload.kind != UploadKind::kWhole; }
  Result<> check_length() const;
  Task<Result<>> pass_body();
  Task<Result<>> take(std::string_view piece);
  // Opens what the next bytes go through: a writer, or a reader to compare them with.
  Task<Result<>> begin_segment();
  // What was written is in the blob, and on disk where somebody may resume it.
  Task<Result<>> end_segment();
  std::shared_ptr<Digests> digests_for_writer();
  Task<Result<>> compare(std::string_view piece);
  Task<Result<>> reserve(std::uint64_t upto);
  bool is_time_to_record() const;
  Task<Result<>> checkpoint();
  Task<Result<>> check_digests();
  Task<Result<>> record();
  std::optional<Sha256> remember_front();

  UploadParts& parts_;
  UploadsUnderWay::Turn& turn_;
  BodyOfUpload bytes_;
  bool cut_ = false;  // the body's end did not come
  std::uint64_t position_;

  // The segment under way: bytes up to its end are all missing, or all there.
  std::uint64_t segment_first_ = 0;
  std::uint64_t segment_end_;
  std::uint64_t synced_ = 0;  // of what is written, up to there at least
  std::unique_ptr<BlobWriter> writer_;
  std::unique_ptr<BlobReader> reader_;
  std::unique_ptr<http::Body> stored_;
  std::string_view stored_rest_;

  std::vector<ByteRange> unrecorded_;  // on disk
  SteadyTime recorded_at_;
  std::shared_ptr<Digests> checked_;  // of this request's bytes, where checksums are expected
  std::shared_ptr<Digests> front_;    // of all bytes up to here, where they came in order
};

}  // namespace parley::media
