#include "media/sweeper.h"

#include <algorithm>

#include "media/tus_concat.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr unsigned kMostDoublings = 5;
constexpr std::size_t kMostTold = 20;  // lines of one comparison

}  // namespace

Sweeper::Sweeper(EventLoop& loop, MediaStore& store, BlobStore& blobs, const Clock& clock, Random& random,
                 Metrics& metrics, Settings settings)
    : loop_(loop),
      store_(store),
      blobs_(blobs),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      settings_(settings),
      process_began_(settings.process_began.value_or(clock.wall_now())),
      audit_(store, blobs, clock, {.safe_age = settings.safe_age, .step_timeout = settings.step_timeout}),
      expired_(swept("expired_uploads")),
      interrupted_(swept("interrupted_uploads")),
      deleted_(swept("deleted_files")),
      orphans_(swept("orphans")),
      failures_(metrics.counter("parley_media_sweep_failures_total", "Steps of sweeping that failed and come again")),
      orphans_left_(metrics.gauge("parley_media_orphans", "Objects that belong to nobody and were not removed")),
      faults_(metrics.gauge("parley_media_object_faults",
                            "Files and uploads whose objects or thumbnails are not as they should be")),
      interrupted_done_(settings.shared),
      next_comparison_(clock.steady_now() + settings.safe_age),
      tasks_(loop) {}

Counter& Sweeper::swept(const char* what) {
  return metrics_.counter("parley_media_swept_total", "Uploads, files and objects that were swept away",
                          {{"what", what}});
}

void Sweeper::start() {
  next_.emplace(loop_, [this] {
    if (!closing_) tasks_.spawn(run_once());
  });
  next_->arm(loop_.coarse_now());
}

void Sweeper::close(std::move_only_function<void()> closed) {
  closing_ = true;
  next_.reset();
  audit_.stop();
  tasks_.drain(std::move(closed));
}

Task<> Sweeper::run_once() {
  co_await sweep();
  if (!closing_) next_->arm(loop_.coarse_now() + pause());
}

std::chrono::milliseconds Sweeper::pause() {
  const double factor = (0.9 + 0.2 * random_.unit()) * (1u << std::min(rounds_failed_, kMostDoublings));
  return std::chrono::milliseconds(static_cast<std::int64_t>(factor * settings_.interval.count()));
}

Task<bool> Sweeper::sweep() {
  bool done = true;
  if (!interrupted_done_) {
    interrupted_done_ = co_await forget_uploads(&Sweeper::forget_interrupted, interrupted_);
    done = interrupted_done_;
  }
  // Nothing expires that could be a file, so the one waits for the other.
  const bool passed_on = co_await pass_on_whole();
  done &= passed_on && co_await forget_uploads(&Sweeper::forget_expired, expired_);
  done &= co_await purge_deleted();
  if (clock_.steady_now() >= next_comparison_) done &= co_await compare();
  rounds_failed_ = done ? 0 : rounds_failed_ + 1;
  co_return done;
}

void Sweeper::failed(std::string_view step, const Error& error) {
  failures_.Increment();
  log_warn("sweeping media failed", {{"step", step}, {"code", error.code}});
}

Task<Result<std::vector<FileId>>> Sweeper::forget_interrupted() {
  return store_.forget_whole_uploads(process_began_, settings_.at_once, step_deadline());
}

Task<Result<std::vector<FileId>>> Sweeper::forget_expired() {
  return store_.forget_expired_uploads(clock_.wall_now(), settings_.at_once, step_deadline());
}

Task<bool> Sweeper::pass_on_whole() {
  while (!closing_) {
    auto whole = co_await store_.uploads_to_finish(settings_.at_once, step_deadline());
    if (!whole) {
      failed("whole uploads", whole.error());
      co_return false;
    }
    const std::size_t count = whole->size();
    bool more_may_expire = false;
    for (Upload& upload : *whole) {
      const WallTime now = clock_.wall_now();
      const WallTime tried_since = std::max(upload.created_at, process_began_);
      if (upload.expires_at < now + settings_.whole_uploads_kept / 2 &&
          now < tried_since + settings_.whole_uploads_tried) {
        if (auto done = co_await put_off(upload); !done) {
          failed("whole uploads", done.error());
          co_return false;
        }
        more_may_expire = count == settings_.at_once;
      }
      if (on_whole) on_whole(std::move(upload));
    }
    if (!more_may_expire) co_return true;
  }
  co_return false;
}

// With the partial uploads that it is to be made of.
Task<Result<>> Sweeper::put_off(const Upload& upload) {
  std::vector<FileId> ids = partials_of(upload);
  ids.push_back(upload.id);
  for (const FileId& id : ids) {
    const WallTime until = clock_.wall_now() + settings_.whole_uploads_kept;
    const auto done = co_await store_.add_part({upload.tenant, id, {}, until}, step_deadline());
    // It may be a file, or given up, by now.
    if (!done && done.error().kind != ErrorKind::kNotFound) co_return fail(done.error());
  }
  co_return Result<>{};
}

Task<bool> Sweeper::forget_uploads(Forget forget, Counter& counter) {
  while (!closing_) {
    auto forgotten = co_await (this->*forget)();
    if (!forgotten) {
      failed("uploads", forgotten.error());
      co_return false;
    }
    counter.Increment(static_cast<double>(forgotten->size()));
    const auto removed = co_await remove(*forgotten);
    if (removed.size() < forgotten->size()) co_return false;
    if (forgotten->size() < settings_.at_once) co_return true;
  }
  co_return false;
}

Task<bool> Sweeper::purge_deleted() {
  bool all = true;
  while (!closing_) {
    const WallTime before = clock_.wall_now() - settings_.deleted_files_kept;
    auto files = co_await store_.files_to_purge(before, settings_.at_once, step_deadline());
    if (!files) {
      failed("deleted files", files.error());
      co_return false;
    }
    auto removed = co_await remove(*files);
    const std::size_t count = removed.size();
    all &= count == files->size();
    if (count == 0) co_return all;
    if (auto done = co_await store_.forget_purged(std::move(removed), step_deadline()); !done) {
      failed("deleted files", done.error());
      co_return false;
    }
    deleted_.Increment(static_cast<double>(count));
    if (files->size() < settings_.at_once) co_return all;
  }
  co_return false;
}

Task<std::vector<FileId>> Sweeper::remove(const std::vector<FileId>& ids) {
  std::vector<FileId> removed;
  std::size_t in_a_row = 0;
  for (const FileId& id : ids) {
    if (closing_ || in_a_row == settings_.failures_in_a_row) break;
    if (auto done = co_await blobs_.remove(id, step_deadline()); !done) {
      failed("objects", done.error());
      ++in_a_row;
      continue;
    }
    in_a_row = 0;
    removed.push_back(id);
  }
  co_return removed;
}

Task<bool> Sweeper::compare() {
  auto report = co_await audit_.run();
  if (closing_) co_return false;
  if (!report) {
    failed("comparison", report.error());
    co_return false;
  }
  tell_of(*report);
  const bool removed = co_await remove_orphans(*report);
  // Where there were more than could be listed, the next round looks for the rest.
  const bool more = removed && report->orphans > report->listed_orphans.size();
  if (!more) next_comparison_ = clock_.steady_now() + settings_.compare_every;
  co_return true;
}

Task<bool> Sweeper::remove_orphans(const ObjectReport& report) {
  if (!report.are_orphans_credible()) {
    orphans_left_.Set(static_cast<double>(report.orphans));
    log_error("most objects belong to no file: none is removed",
              {{"orphans", report.orphans}, {"objects", report.objects}});
    co_return false;
  }
  std::vector<FileId> ids;
  for (const StoredBlob& orphan : report.listed_orphans) ids.push_back(orphan.id);
  const auto removed = co_await remove(ids);
  orphans_.Increment(static_cast<double>(removed.size()));
  orphans_left_.Set(static_cast<double>(report.orphans - removed.size()));
  if (!removed.empty()) log_info("objects that belonged to no file were removed", {{"objects", removed.size()}});
  co_return removed.size() == ids.size();
}

void Sweeper::tell_of(const ObjectReport& report) {
  faults_.Set(static_cast<double>(report.findings));
  for (std::size_t i = 0; i < std::min(report.listed.size(), kMostTold); ++i) {
    const ObjectFinding& finding = report.listed[i];
    log_error(
        "the object of a file is not as it should be",
        {{"fault", to_string(finding.fault)}, {"tenant", finding.blob.tenant.value}, {"file", finding.blob.id.value}});
  }
  if (report.findings > kMostTold) log_error("and more objects are not as they should be", {{"all", report.findings}});
}

}  // namespace parley::media
