#include "media/upload_run.h"

#include <algorithm>

#include "base/check.h"

namespace parley::media {

namespace {

std::unexpected<Error> too_long(const BodyOfUpload& bytes) {
  const std::string most = std::to_string(bytes.range.length());
  return fail(ErrorKind::kTooLarge, "payload_too_large",
              bytes.upload.size ? "There are only " + most + " bytes to come."
                                : "A file may have at most " + std::to_string(bytes.range.end) + " bytes.");
}

std::unexpected<Error> too_short(const BodyOfUpload& bytes) {
  return fail(ErrorKind::kInvalid, "bad_request",
              "The body must have " + std::to_string(bytes.range.length()) + " bytes.");
}

// What of `upload` is at `position`: bytes that are there, or that are missing, up to where that changes.
struct Stretch {
  bool present;
  std::uint64_t end;
};
Stretch stretch_at(const Upload& upload, std::uint64_t position) {
  for (const ByteRange& range : upload.present) {
    if (position < range.first) return {false, range.first};
    if (position < range.end) return {true, range.end};
  }
  return {false, UINT64_MAX};
}

}  // namespace

UploadRun::UploadRun(UploadParts& parts, UploadsUnderWay::Turn& turn, BodyOfUpload bytes)
    : parts_(parts),
      turn_(turn),
      bytes_(std::move(bytes)),
      position_(bytes_.range.first),
      segment_end_(bytes_.range.first),
      recorded_at_(parts.clock.steady_now()) {
  if (!bytes_.expected.empty()) {
    const auto front = turn_.front();
    const bool all_missing =
        stretch_at(bytes_.upload, position_).end >= bytes_.range.end && !stretch_at(bytes_.upload, position_).present;
    if (all_missing && front && front->length() == position_) {
      checked_ = std::make_shared<Digests>(front->continued(bytes_.expected));
    } else {
      checked_ = std::make_shared<Digests>(bytes_.expected);
    }
    if (all_missing && (position_ == 0 || checked_->length() == position_)) front_ = checked_;
  }
}

Task<Result<BroughtBytes>> UploadRun::bring() {
  if (auto fits = check_length(); !fits) co_return fail(fits.error());
  Result<> passed = co_await pass_body();
  const bool kept = passed || (cut_ && is_resumable() && !checked_);
  Result<> done = passed;
  if (kept) {
    done = co_await end_segment();
    if (done && checked_) done = co_await check_digests();
    if (done) done = co_await record();
  }
  // What is still being written must not come after what the next request writes there.
  if (writer_) (void)co_await writer_->flush(parts_.sync_deadline());
  turn_.recorded();
  if (!passed) co_return fail(std::move(passed.error()));
  if (!done) co_return fail(std::move(done.error()));
  const auto sha256 = remember_front();
  co_return BroughtBytes{std::move(bytes_.upload), position_, sha256};
}

Result<> UploadRun::check_length() const {
  const auto length = bytes_.body.size();
  if (!length) return {};
  if (*length > bytes_.range.length()) return too_long(bytes_);
  if (bytes_.exact && *length < bytes_.range.length()) return too_short(bytes_);
  return {};
}

Task<Result<>> UploadRun::pass_body() {
  for (std::string_view piece = bytes_.first;;) {
    if (const Interruption why = turn_.interruption(); why != Interruption::kNone) {
      cut_ = why == Interruption::kTakenOver;
      co_return interrupted(why);
    }
    if (auto taken = co_await take(piece); !taken) co_return taken;
    const Result<std::string_view> read = co_await bytes_.body.read();
    if (!read) {
      const Interruption why = turn_.interruption();
      cut_ = why != Interruption::kAborted;
      if (why != Interruption::kNone) co_return interrupted(why);
      co_return fail(read.error());
    }
    if (read->empty()) break;
    piece = *read;
  }
  if (bytes_.exact && position_ != bytes_.range.end) co_return too_short(bytes_);
  co_return Result<>{};
}

Task<Result<>> UploadRun::take(std::string_view piece) {
  if (piece.size() > bytes_.range.end - position_) co_return too_long(bytes_);
  parts_.metrics.received(piece.size());
  while (!piece.empty()) {
    if (position_ == segment_end_) {
      if (auto ended = co_await end_segment(); !ended) co_return ended;
      if (auto begun = co_await begin_segment(); !begun) co_return begun;
    }
    const std::string_view now =
        piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), segment_end_ - position_)));
    if (writer_) {
      if (auto room = co_await reserve(position_ + now.size()); !room) co_return room;
      turn_.arrived(now.size());
      if (auto written = co_await writer_->write(now, parts_.step_deadline()); !written) co_return written;
    } else {
      if (auto same = co_await compare(now); !same) co_return same;
    }
    position_ += now.size();
    piece.remove_prefix(now.size());
  }
  if (is_time_to_record()) co_return co_await checkpoint();
  co_return Result<>{};
}

Task<Result<>> UploadRun::begin_segment() {
  const Stretch here = stretch_at(bytes_.upload, position_);
  segment_first_ = synced_ = position_;
  segment_end_ = std::min(here.end, bytes_.range.end);
  const SteadyTime deadline = parts_.step_deadline();
  if (!here.present) {
    auto writer = co_await parts_.blobs.write(bytes_.upload.id, position_, digests_for_writer(), deadline);
    if (!writer) co_return fail(std::move(writer.error()));
    writer_ = std::move(*writer);
    co_return Result<>{};
  }
  auto reader = co_await parts_.blobs.open(bytes_.upload.id, deadline);
  if (!reader) co_return fail(std::move(reader.error()));
  reader_ = std::move(*reader);
  // Recorded, so it must be there.
  if (reader_->size() < segment_end_) co_return fail(ErrorKind::kInternal, "internal_error", "Bytes are missing.");
  stored_ = reader_->read({position_, segment_end_});
  stored_rest_ = {};
  co_return Result<>{};
}

// One sum serves both ends where it can.
std::shared_ptr<Digests> UploadRun::digests_for_writer() {
  if (checked_) return checked_;
  if (const auto front = turn_.front(); front && front->length() == position_) {
    front_ = std::make_shared<Digests>(front->continued({}));
  } else if (position_ == 0) {
    front_ = std::make_shared<Digests>(std::vector<ExpectedDigest>());
  } else {
    front_ = nullptr;
  }
  return front_;
}

Task<Result<>> UploadRun::end_segment() {
  stored_.reset();
  reader_.reset();
  if (!writer_) co_return Result<>{};
  const SteadyTime deadline = parts_.sync_deadline();
  const auto written = is_resumable() ? co_await writer_->sync(deadline) : co_await writer_->flush(deadline);
  if (!written) co_return fail(written.error());
  writer_.reset();
  unrecorded_.push_back({segment_first_, position_});
  co_return Result<>{};
}

Task<Result<>> UploadRun::compare(std::string_view piece) {
  if (checked_) checked_->update(piece);
  while (!piece.empty()) {
    if (stored_rest_.empty()) {
      const auto read = co_await stored_->read();
      if (!read) co_return fail(read.error());
      if (read->empty()) co_return fail(ErrorKind::kInternal, "internal_error", "Bytes are missing.");
      stored_rest_ = *read;
    }
    const std::size_t n = std::min(piece.size(), stored_rest_.size());
    if (piece.substr(0, n) != stored_rest_.substr(0, n)) {
      co_return fail(ErrorKind::kConflict, "chunk_differs", "Other bytes than these are stored here already.");
    }
    piece.remove_prefix(n);
    stored_rest_.remove_prefix(n);
  }
  co_return Result<>{};
}

// Twice as much each time, so that neither a small file takes room from others nor a large one asks often.
Task<Result<>> UploadRun::reserve(std::uint64_t upto) {
  Upload& upload = bytes_.upload;
  if (upload.size || upto <= upload.reserved) co_return Result<>{};
  const std::uint64_t needed = upto - upload.reserved;
  const std::uint64_t wanted = std::clamp(upload.reserved, kFirstReserve, kMostReserve);
  const std::uint64_t most = std::max(needed, std::min(wanted, bytes_.range.end - upload.reserved));
  const auto reserved =
      co_await parts_.store.reserve_more({upload.tenant, upload.id, needed, most}, parts_.step_deadline());
  if (!reserved) co_return fail(reserved.error());
  upload.reserved = *reserved;
  co_return Result<>{};
}

bool UploadRun::is_time_to_record() const {
  const auto since = parts_.clock.steady_now() - recorded_at_;
  if (since >= parts_.limits.checkpoint_every) return true;
  return writer_ && since >= parts_.limits.checkpoint_pause && position_ - synced_ >= parts_.limits.checkpoint_bytes;
}

Task<Result<>> UploadRun::checkpoint() {
  if (writer_) {
    if (auto synced = co_await writer_->sync(parts_.sync_deadline()); !synced) co_return synced;
    synced_ = position_;
  }
  if (writer_ && is_resumable() && !checked_) {
    unrecorded_.push_back({segment_first_, position_});
    segment_first_ = position_;
    auto recorded = co_await record();
    turn_.recorded();
    co_return recorded;
  }
  // Nothing that could be resumed; but it must not expire while it comes.
  recorded_at_ = parts_.clock.steady_now();
  if (bytes_.upload.complete) co_return Result<>{};
  std::vector<FileId> kept = bytes_.beside;
  kept.push_back(bytes_.upload.id);
  for (const FileId& id : kept) {
    const auto put_off = co_await parts_.store.add_part({bytes_.upload.tenant, id, {}, parts_.expiry_from_now()},
                                                        parts_.step_deadline());
    if (!put_off) co_return fail(put_off.error());
  }
  co_return Result<>{};
}

Task<Result<>> UploadRun::check_digests() {
  if (checked_->as_expected()) co_return Result<>{};
  parts_.metrics.found_wrong_bytes();
  co_return fail(ErrorKind::kInvalid, "checksum_mismatch", "The bytes that came are not those of the checksum.");
}

Task<Result<>> UploadRun::record() {
  recorded_at_ = parts_.clock.steady_now();
  Upload& upload = bytes_.upload;
  if (upload.complete || !is_resumable()) co_return Result<>{};
  if (unrecorded_.empty()) unrecorded_.push_back({position_, position_});
  for (const ByteRange& range : unrecorded_) {
    auto added = co_await parts_.store.add_part({upload.tenant, upload.id, range, parts_.expiry_from_now()},
                                                parts_.step_deadline());
    if (!added) co_return fail(added.error());
    upload = std::move(*added);
  }
  unrecorded_.clear();
  co_return Result<>{};
}

std::optional<Sha256> UploadRun::remember_front() {
  if (position_ == 0) return sha256("");
  if (!front_ || front_->length() != position_) return std::nullopt;
  turn_.set_front(front_);
  return front_->sha256();
}

}  // namespace parley::media
