#include "drivers/sqlite/group_writer.h"

#include <pthread.h>

#include <algorithm>

#include "telemetry/log.h"

namespace parley::sqlite {

namespace {

constexpr std::size_t kFewWriters = 4;  // a group of fewer is not worth a wait
constexpr int kCutWaitMs = 50;          // how long the writer stands still, at most, each time it tries to cut the log

// Failures after which the connection itself is not to be trusted.
bool breaks_connection(const Failure& failure) {
  switch (failure.primary_code()) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_MISUSE:
      return true;
    default:
      return false;
  }
}

}  // namespace

GroupWriter::GroupWriter(std::unique_ptr<Connection> connection, Options options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), checkpoint_at_(options_.checkpoint_wal_pages) {
  CHECK(options_.batch_limit > 0 && options_.queue_limit > 0 && options_.thread_name.size() <= 15);
  adopt(std::move(connection));
  page_size_ = static_cast<int>(connection_->query_int("PRAGMA page_size"));
  thread_ = std::thread([this] { write_until_closed(); });
  pthread_setname_np(thread_.native_handle(), options_.thread_name.c_str());
}

GroupWriter::~GroupWriter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::size_t GroupWriter::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

Result<> GroupWriter::submit(std::unique_ptr<Job> job) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return unavailable("unavailable", "The server is shutting down.");
    if (queue_.size() >= options_.queue_limit) {
      return unavailable("overloaded", "More is being written than the store can take; try again shortly.");
    }
    queue_.push_back(std::move(job));
    wake = std::exchange(idle_, false) || (gathering_ != 0 && queue_.size() >= gathering_);
  }
  if (wake) wake_.notify_one();
  return {};
}

void GroupWriter::write_until_closed() {
  Batch batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    while (queue_.empty() && !closing_) {
      idle_ = true;
      wake_.wait(lock);
    }
    idle_ = false;
    if (queue_.empty()) break;
    gather(lock);
    while (!queue_.empty() && batch.size() < options_.batch_limit) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    lock.unlock();
    const std::size_t taken = batch.size();
    write(batch);
    lock.lock();
    busy_writers_ = taken + queue_.size();
    lock.unlock();
    deliver_all(batch);
    batch.clear();
    checkpoint_if_due();
    lock.lock();
  }
  lock.unlock();
  if (connection_)
    sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  connection_.reset();
}

// Whoever was answered by the last commit is likely to write again. Half of them, not all: while one half commits, the
// loops make answers and requests of the other.
void GroupWriter::gather(std::unique_lock<std::mutex>& locked) {
  const std::size_t enough = std::min(busy_writers_ / 2, options_.batch_limit);
  if (enough < kFewWriters) return;
  gathering_ = enough;
  wake_.wait_for(locked, options_.gather_for, [&] { return queue_.size() >= enough || closing_; });
  gathering_ = 0;
}

// Leaves a result in every job.
void GroupWriter::write(Batch& batch) {
  const SteadyTime now = clock_.steady_now();
  Batch in_time;
  Batch late;
  for (auto& job : batch) {
    if (now < job->deadline) {
      in_time.push_back(std::move(job));
      continue;
    }
    job->refuse({ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the work began.", {}, {}});
    late.push_back(std::move(job));
  }
  write_in_time(in_time);
  batch = std::move(in_time);
  std::ranges::move(late, std::back_inserter(batch));
}

void GroupWriter::write_in_time(std::span<std::unique_ptr<Job>> jobs) {
  if (jobs.empty()) return;
  if (try_together(jobs) != Outcome::kMustRunAlone) return;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    // A job that must run alone when it is alone has failed for good, rolled back.
    try_together(jobs.subspan(i, 1));
  }
}

GroupWriter::Outcome GroupWriter::try_together(std::span<std::unique_ptr<Job>> jobs) {
  const auto began = std::chrono::steady_clock::now();
  try {
    ensure_connection();
    connection_->exec("BEGIN IMMEDIATE");
    const std::int64_t before = connection_->total_changes();
    for (auto& job : jobs) {
      bool wrote = false;
      if (run_one(*job, wrote) || !wrote) continue;
      roll_back();
      return Outcome::kMustRunAlone;
    }
    const bool changed = connection_->total_changes() != before;
    connection_->exec("COMMIT");
    if (options_.observer) {
      options_.observer->on_commit(jobs.size(), std::chrono::steady_clock::now() - began, queued(),
                                   std::int64_t{wal_pages_} * page_size_);
    }
    if (changed && options_.after_commit) options_.after_commit();
    return Outcome::kCommitted;
  } catch (const Failure& failure) {
    fail_all(jobs, failure);
    return Outcome::kFailed;
  }
}

// Whether the job succeeded; wrote: whether it changed rows. Failures of one statement are the job's own; those of the
// database (it ended the transaction, or cannot be trusted) are thrown on.
bool GroupWriter::run_one(Job& job, bool& wrote) {
  const std::int64_t before = connection_->total_changes();
  try {
    const bool ok = job.run(*connection_);
    wrote = connection_->total_changes() != before;
    return ok;
  } catch (const Failure& failure) {
    if (!connection_->in_transaction() || breaks_connection(failure)) throw;
    log_error("a write failed",
              {{"database", options_.file.filename().string()}, {"error", failure.what()}, {"code", failure.code()}});
    job.refuse(to_error(failure));
    wrote = true;  // it may have
    return false;
  } catch (const std::exception& error) {
    log_error("a write threw", {{"database", options_.file.filename().string()}, {"error", error.what()}});
    job.refuse({ErrorKind::kInternal, "internal_error", "The write failed.", {}, {}});
    wrote = true;
    return false;
  }
}

void GroupWriter::fail_all(std::span<std::unique_ptr<Job>> jobs, const Failure& failure) {
  log_error("writes failed together", {{"database", options_.file.filename().string()},
                                       {"writes", jobs.size()},
                                       {"error", failure.what()},
                                       {"code", failure.code()}});
  const Error error = to_error(failure);
  for (auto& job : jobs) job->refuse(error);
  if (breaks_connection(failure)) broken_ = true;
  roll_back();
  if (options_.observer) options_.observer->on_failure(error);
}

void GroupWriter::roll_back() {
  if (connection_ && connection_->in_transaction()) {
    try {
      connection_->exec("ROLLBACK");
    } catch (const Failure& failure) {
      log_error("a rollback failed", {{"database", options_.file.filename().string()}, {"error", failure.what()}});
      broken_ = true;
    }
  }
  if (options_.after_rollback) options_.after_rollback();
}

void GroupWriter::ensure_connection() {
  if (connection_ && !broken_) return;
  connection_.reset();
  adopt(std::make_unique<Connection>(ConnectionOptions{.file = options_.file, .cache_kib = options_.cache_kib}));
}

void GroupWriter::checkpoint_if_due() {
  if (!connection_ || broken_) return;
  if (wal_pages_ < checkpoint_at_ - options_.checkpoint_wal_pages) checkpoint_at_ = options_.checkpoint_wal_pages;
  if (wal_pages_ < checkpoint_at_) return;
  const bool cut = std::int64_t{wal_pages_} * page_size_ > options_.truncate_wal_bytes;
  const int mode = cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  // Where reads overlap without end, a moment without any would never come: wait for those of before the checkpoint.
  // Later ones read the database itself and hold nothing up.
  if (cut) sqlite3_busy_timeout(connection_->handle(), kCutWaitMs);
  const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, mode, nullptr, nullptr);
  if (cut) sqlite3_busy_timeout(connection_->handle(), 0);
  if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED) {
    log_error("a checkpoint failed",
              {{"database", options_.file.filename().string()}, {"error", sqlite3_errstr(code)}});
  }
  // A reader may hold pages back: then the log goes on growing, and each try waits for as much again.
  checkpoint_at_ =
      code == SQLITE_OK && cut ? options_.checkpoint_wal_pages : wal_pages_ + options_.checkpoint_wal_pages;
}

void GroupWriter::adopt(std::unique_ptr<Connection> connection) {
  connection_ = std::move(connection);
  broken_ = false;
  sqlite3_wal_hook(
      connection_->handle(),
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &wal_pages_);
}

}  // namespace parley::sqlite
