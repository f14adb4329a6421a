#include "media/upload_finisher.h"

#include "base/check.h"
#include "media/tus_concat.h"
#include "telemetry/log.h"

namespace parley::media {

struct UploadFinisher::Job {
  explicit Job(Upload u) : upload(std::move(u)) {}
  const Upload upload;
  bool reads = true;  // needs a turn, for it reads over, or copies
  std::vector<OneShotPromise<File>> waiting;
};

namespace {

std::unexpected<Error> stopping() {
  return unavailable("unavailable", "The server is going down; ask again.");
}

// The blob of an upload that the store knows: if it is not there, or not all of it, it was lost. The upload stays even
// so, for a mount may be missing.
Error lost(const Upload& upload, Error error) {
  if (error.kind != ErrorKind::kNotFound && error.code != "blob_incomplete") return error;
  log_error("the bytes of an upload are not there", {{"upload", upload.id.value}, {"code", error.code}});
  return {ErrorKind::kInternal, "internal_error", "Bytes are missing.", {}, {}};
}

// A concatenation that has no room though it was reserved: its parts are no longer what they were.
bool is_for_good(const Error& error) {
  return error.code == "checksum_mismatch" || error.code == "quota_exceeded" || error.kind == ErrorKind::kNotFound;
}

}  // namespace

UploadFinisher::UploadFinisher(UploadParts& parts, UploadsUnderWay& under_way)
    : parts_(parts),
      under_way_(under_way),
      hashers_("media-verify", parts.limits.read_over_at_once, parts.limits.read_over_at_once * 2) {}

UploadFinisher::~UploadFinisher() = default;

void UploadFinisher::start(EventLoop& loop) {
  loop_ = &loop;
  tasks_.emplace(loop);
}

void UploadFinisher::stop(std::move_only_function<void()> stopped) {
  stopping_ = true;
  for (const std::shared_ptr<Job>& job : queue_) {
    jobs_.erase(job->upload.id);
    for (OneShotPromise<File>& waiting : job->waiting) waiting.deliver(stopping());
  }
  queue_.clear();
  jobs_shown_ = jobs_.size();
  tasks_->drain(std::move(stopped));
}

Task<Result<UploadFinisher::Sealed>> UploadFinisher::seal(Bytes bytes) {
  const Upload& upload = bytes.upload;
  if (upload.expected_sha256 && *upload.expected_sha256 != bytes.sha256) {
    parts_.metrics.found_wrong_bytes();
    co_return fail(ErrorKind::kInvalid, "checksum_mismatch", "The bytes that came are not those of the checksum.");
  }
  auto reader = co_await parts_.blobs.open(upload.id, parts_.step_deadline());
  if (!reader) co_return fail(lost(upload, reader.error()));
  const std::size_t looked_at = std::min<std::uint64_t>(bytes.size, ContentTypeSniffer::kSniffedBytes);
  if ((*reader)->size() < looked_at) co_return fail(lost(upload, Error{.code = "blob_incomplete"}));
  const auto body = (*reader)->read({0, looked_at});
  auto first = co_await http::read_all(*body, looked_at);
  if (!first) co_return fail(first.error());
  const auto sniffed = co_await parts_.sniffer.sniff(std::move(*first), parts_.step_deadline());
  if (!sniffed) co_return fail(sniffed.error());
  if (auto sealed = co_await parts_.blobs.seal(upload.id, bytes.size, parts_.sync_deadline()); !sealed) {
    co_return fail(lost(upload, sealed.error()));
  }
  std::string type = content_type_of(*sniffed, upload.declared_type);
  co_return Sealed{std::move(bytes), std::move(type)};
}

Task<Result<File>> UploadFinisher::store(Sealed sealed) {
  const Upload& upload = sealed.bytes.upload;
  const std::vector<FileId> partials = partials_of(upload);
  FinishUpload command{upload.tenant, upload.id, std::move(sealed.content_type), sealed.bytes.size,
                       sealed.bytes.sha256};
  auto file = co_await parts_.store.finish_upload(std::move(command), partials, parts_.step_deadline());
  if (!file) co_return fail(file.error());
  under_way_.forget(upload.id);
  parts_.metrics.stored(upload.kind);
  if (on_stored) on_stored(*file);
  // What stays of them, a sweeper finds.
  for (const FileId& partial : partials) (void)co_await parts_.blobs.remove(partial, parts_.step_deadline());
  co_return std::move(*file);
}

Task<Result<std::optional<File>>> UploadFinisher::finish(Upload upload, SteadyTime deadline) {
  if (stopping_) co_return stopping();
  auto [promise, future] = make_one_shot<File>(EventLoop::current());
  CHECK(loop_ != nullptr);
  loop_->post([this, upload = std::move(upload), waiting = std::move(promise)]() mutable {
    join(std::move(upload), std::move(waiting));
  });
  auto file = co_await future.wait(deadline);
  if (file) co_return std::optional<File>(std::move(*file));
  if (file.error().kind == ErrorKind::kTimeout) co_return std::optional<File>();
  co_return fail(std::move(file.error()));
}

void UploadFinisher::take_up(Upload upload) {
  CHECK(loop_ != nullptr);
  loop_->post([this, upload = std::move(upload)]() mutable { join(std::move(upload), std::nullopt); });
}

void UploadFinisher::join(Upload upload, std::optional<OneShotPromise<File>> waiting) {
  const auto refuse = [&waiting](std::unexpected<Error> why) {
    if (waiting) waiting->deliver(std::move(why));
  };
  if (stopping_) return refuse(stopping());
  const FileId id = upload.id;
  if (const auto found = jobs_.find(id); found != jobs_.end()) {
    if (waiting) found->second->waiting.push_back(std::move(*waiting));
    return;
  }
  if (queue_.size() >= parts_.limits.read_over_queue) {
    return refuse(unavailable("overloaded", "Too many uploads wait to be verified; try again shortly."));
  }
  auto job = std::make_shared<Job>(std::move(upload));
  if (waiting) job->waiting.push_back(std::move(*waiting));
  // What needs no reading waits for nobody, and holds nobody up.
  const auto front = under_way_.front(id);
  job->reads = !front || front->length() != job->upload.size || jobs_.size() >= parts_.limits.read_over_queue;
  jobs_.emplace(id, job);
  if (!job->reads) {
    tasks_->spawn(run(std::move(job)));
  } else {
    queue_.push_back(std::move(job));
    run_next();
  }
  jobs_shown_ = jobs_.size();
}

void UploadFinisher::run_next() {
  while (!queue_.empty() && reading_ < parts_.limits.read_over_at_once && !stopping_) {
    ++reading_;
    tasks_->spawn(run(std::move(queue_.front())));
    queue_.pop_front();
  }
}

Task<> UploadFinisher::run(std::shared_ptr<Job> job) {
  Result<File> file = co_await work(*job);
  if (!file && is_for_good(file.error())) {
    co_await discard(job->upload, file.error());
  } else if (!file && !stopping_) {
    log_warn("an upload is no file yet", {{"upload", job->upload.id.value}, {"code", file.error().code}});
  }
  jobs_.erase(job->upload.id);
  for (OneShotPromise<File>& waiting : job->waiting) waiting.deliver(file);
  if (job->reads) --reading_;
  jobs_shown_ = jobs_.size();
  run_next();
}

Task<Result<File>> UploadFinisher::work(const Job& job) {
  // As it is now: it may have been finished or given up since it was asked for.
  auto upload = co_await parts_.store.get_upload(job.upload.tenant, job.upload.id, parts_.step_deadline());
  if (!upload) co_return fail(upload.error());
  if (upload->complete) {
    co_return co_await parts_.store.get_file(upload->tenant, upload->id, parts_.step_deadline());
  }
  if (bytes_present(*upload) != upload->size) {
    upload = co_await concatenate(std::move(*upload));
    if (!upload) co_return fail(upload.error());
  }
  const auto sum = co_await sum_of(*upload);
  if (!sum) co_return fail(sum.error());
  const std::uint64_t size = *upload->size;
  auto sealed = co_await seal({std::move(*upload), size, *sum});
  if (!sealed) co_return fail(sealed.error());
  co_return co_await store(std::move(*sealed));
}

// Copied from the start if a part of them had been before: to the same places.
Task<Result<Upload>> UploadFinisher::concatenate(Upload upload) {
  std::uint64_t at = 0;
  const std::vector<FileId> partials = partials_of(upload);
  if (partials.empty()) co_return fail(ErrorKind::kConflict, "upload_incomplete", "Bytes of the upload are missing.");
  for (const FileId& id : partials) {
    const auto partial = co_await parts_.store.get_upload(upload.tenant, id, parts_.step_deadline());
    if (!partial) co_return fail(partial.error());
    const bool whole = partial->size && bytes_present(*partial) == *partial->size;
    if (!whole || partial->kind != UploadKind::kTusPartial || partial->owner != upload.owner) {
      co_return not_found("upload");
    }
    if (auto copied = co_await copy(*partial, upload.id, at); !copied) co_return fail(copied.error());
    at += *partial->size;
  }
  if (at != upload.size) co_return not_found("upload");
  co_return co_await parts_.store.add_part({upload.tenant, upload.id, {0, at}, parts_.expiry_from_now()},
                                           parts_.step_deadline());
}

// In steps: a server that goes down waits for the one under way.
Task<Result<>> UploadFinisher::copy(const Upload& partial, FileId whole, std::uint64_t offset) {
  for (ByteRange step; step.first < *partial.size; step.first = step.end) {
    if (stopping_) co_return stopping();
    step.end = std::min(step.first + parts_.limits.checkpoint_bytes, *partial.size);
    const auto copied =
        co_await parts_.blobs.copy(partial.id, step, whole, offset + step.first, parts_.sync_deadline());
    if (!copied) co_return fail(lost(partial, copied.error()));
  }
  co_return Result<>{};
}

Task<Result<Sha256>> UploadFinisher::sum_of(const Upload& upload) {
  if (*upload.size == 0) co_return sha256("");
  if (const auto front = under_way_.front(upload.id); front && front->length() == upload.size) {
    co_return front->sha256();
  }
  auto reader = co_await parts_.blobs.open(upload.id, parts_.step_deadline());
  if (!reader) co_return fail(lost(upload, reader.error()));
  if ((*reader)->size() < *upload.size) co_return fail(lost(upload, Error{.code = "blob_incomplete"}));
  const auto body = (*reader)->read({0, *upload.size});
  const auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
  auto shown = under_way_.read_over(upload.id);
  if (auto done = co_await read_over(*body, digests, shown); !done) co_return fail(done.error());
  co_return digests->sha256();
}

Task<Result<>> UploadFinisher::read_over(http::Body& body, std::shared_ptr<Digests> digests,
                                         UploadsUnderWay::ReadingOver& shown) {
  for (;;) {
    if (stopping_) co_return stopping();
    if (shown.aborted()) co_return not_found("upload");
    const auto piece = co_await body.read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return Result<>{};
    const std::string_view bytes = *piece;
    auto summed = co_await hashers_.run<void>(SteadyTime::max(), [digests, bytes] {
      digests->update(bytes);
      return Result<>{};
    });
    if (!summed) co_return summed;
    shown.advance(bytes.size());
    parts_.metrics.read_over(bytes.size());
  }
}

Task<> UploadFinisher::discard(const Upload& upload, const Error& why) {
  if (why.kind != ErrorKind::kNotFound) under_way_.remember_failure(upload, why);
  const auto gone = co_await parts_.store.abort_upload(upload.tenant, upload.id, parts_.step_deadline());
  if (!gone || !*gone) co_return;
  (void)co_await parts_.blobs.remove(upload.id, parts_.step_deadline());
  under_way_.forget(upload.id);
}

}  // namespace parley::media
