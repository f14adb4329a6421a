#include "media/upload_engine.h"

#include "base/text.h"
#include "media/file_name.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr ByteRange kEverything{0, UINT64_MAX};
// So long before its deadline a request answers that it is not ready, so that the answer still arrives.
constexpr std::chrono::milliseconds kTimeToAnswer{500};
// And so long it waits at least: its deadline may have passed while the disk took the bytes.
constexpr std::chrono::milliseconds kLeastPatience{3'000};

}  // namespace

UploadEngine::UploadEngine(UploadParts parts) : parts_(parts), finisher_(parts_, under_way_) {}

Task<Result<Upload>> UploadEngine::begin(NewUpload what) {
  if (what.size && *what.size > parts_.limits.max_file_bytes) {
    co_return fail(ErrorKind::kTooLarge, "payload_too_large",
                   "A file may have at most " + std::to_string(parts_.limits.max_file_bytes) + " bytes.");
  }
  Upload upload;
  upload.created_at = parts_.clock.wall_now();
  upload.expires_at = parts_.expiry_from_now();
  upload.id = FileId(make_uuid_v7(upload.created_at, parts_.random));
  upload.tenant = std::move(what.tenant);
  upload.owner = std::move(what.owner);
  upload.kind = what.kind;
  upload.filename = safe_file_name(what.filename);
  upload.declared_type = to_valid_utf8(what.declared_type);  // it is any bytes; MongoDB keeps text alone
  upload.size = what.size;
  upload.expected_sha256 = what.expected_sha256;
  if (what.kind == UploadKind::kChunked) upload.chunk_size = parts_.limits.chunk_bytes;
  upload.tus_metadata = std::move(what.tus_metadata);
  upload.reserved = what.reserved.value_or(what.size.value_or(0));

  auto begun = co_await parts_.store.begin_upload(std::move(upload), parts_.step_deadline());
  if (!begun) co_return fail(begun.error());
  auto created = co_await parts_.blobs.create(begun->id, begun->size, parts_.step_deadline());
  if (created) co_return std::move(*begun);
  co_await discard(std::move(*begun));
  co_return fail(created.error());
}

Task<Result<Upload>> UploadEngine::find(std::shared_ptr<const Caller> caller, FileId id, SteadyTime deadline) {
  auto upload = co_await parts_.store.get_upload(caller->tenant, id, deadline);
  if (!upload && upload.error().kind == ErrorKind::kNotFound) {
    if (auto failure = under_way_.failure_of(caller->tenant, caller->user, id)) co_return fail(std::move(*failure));
  }
  if (!upload) co_return fail(upload.error());
  if (upload->owner != caller->user) co_return not_found("upload");
  if (upload->complete) co_return std::move(*upload);
  if (upload->kind == UploadKind::kWhole) co_return not_found("upload");
  if (upload->expires_at <= parts_.clock.wall_now()) {
    co_return fail(ErrorKind::kGone, "upload_expired", "The upload has expired; begin it again.");
  }
  co_return std::move(*upload);
}

Task<Result<UploadsUnderWay::Turn>> UploadEngine::take_turn(FileId id, ByteRange range, http::Body& body) {
  return under_way_.take_turn(std::move(id), {.range = range, .body = &body},
                              parts_.clock.steady_now() + parts_.limits.takeover_timeout);
}

Task<Result<UploadsUnderWay::Turn>> UploadEngine::interrupt(FileId id) {
  return under_way_.take_turn(std::move(id), {.range = kEverything, .gives_way = false},
                              parts_.clock.steady_now() + parts_.limits.takeover_timeout);
}

Task<Result<BroughtBytes>> UploadEngine::bring(UploadsUnderWay::Turn& turn, BodyOfUpload bytes) {
  const auto active = parts_.metrics.receiving();
  UploadRun run(parts_, turn, std::move(bytes));
  auto brought = co_await run.bring();
  if (!brought && brought.error().code == "upload_taken_over") parts_.metrics.was_taken_over();
  co_return brought;
}

Task<Result<std::optional<File>>> UploadEngine::finish(Upload upload, SteadyTime deadline) {
  const SteadyTime now = parts_.clock.steady_now();
  const SteadyTime answer_by = deadline == SteadyTime::max() ? deadline : deadline - kTimeToAnswer;
  return finisher_.finish(std::move(upload),
                          std::min(now + parts_.limits.patience, std::max(answer_by, now + kLeastPatience)));
}

Task<Result<bool>> UploadEngine::abort(Upload upload) {
  const auto turn = co_await under_way_.take_turn(
      upload.id, {.range = kEverything, .of_others = Interruption::kAborted, .gives_way = false},
      parts_.clock.steady_now() + parts_.limits.takeover_timeout);
  if (!turn) co_return fail(turn.error());
  auto gone = co_await parts_.store.abort_upload(upload.tenant, upload.id, parts_.step_deadline());
  if (!gone || !*gone) co_return gone;
  under_way_.forget(upload.id);
  parts_.metrics.was_aborted();
  // It is given up whatever becomes of the bytes: what stays of them, the sweeper finds.
  (void)co_await parts_.blobs.remove(upload.id, parts_.step_deadline());
  co_return true;
}

Task<> UploadEngine::discard(Upload upload) {
  under_way_.forget(upload.id);
  const auto gone = co_await parts_.store.abort_upload(upload.tenant, upload.id, parts_.step_deadline());
  Result<> cleared;
  if (gone) {
    cleared = co_await parts_.blobs.remove(upload.id, parts_.step_deadline());
  } else if (gone.error().code == "upload_complete") {
    // It became a file, though nobody heard of it: its bytes go as those of any file.
    const auto deleted =
        co_await parts_.store.delete_file(upload.tenant, upload.id, upload.owner, parts_.step_deadline());
    if (!deleted && deleted.error().kind != ErrorKind::kNotFound) cleared = fail(deleted.error());
  } else {
    cleared = fail(gone.error());
  }
  if (cleared) co_return;
  log_warn("an upload could not be cleared away yet", {{"upload", upload.id.value}, {"code", cleared.error().code}});
}

bool UploadEngine::begin_watching(const TenantId& tenant, const UserId& user) {
  const std::lock_guard lock(watchers_mutex_);
  if (watchers_ >= kMostWatchers) return false;
  std::size_t& of_user = watchers_of_[{tenant, user}];
  if (of_user >= kMostWatchersOfUser) return false;
  ++of_user;
  ++watchers_;
  return true;
}

void UploadEngine::stop_watching(const TenantId& tenant, const UserId& user) {
  const std::lock_guard lock(watchers_mutex_);
  --watchers_;
  const auto of_user = watchers_of_.find({tenant, user});
  if (--of_user->second == 0) watchers_of_.erase(of_user);
}

}  // namespace parley::media
