#include "drivers/mongo/group_writer.h"

#include <pthread.h>

#include <algorithm>

#include "telemetry/log.h"

namespace parley::mongo {

namespace {

constexpr int kGroupTries = 3;    // together
constexpr int kAloneTries = 500;  // then each by itself, while others keep being first and there is time
constexpr int kDuplicatesBelieved = 10;
constexpr std::chrono::milliseconds kFirstPause{2};
constexpr std::chrono::milliseconds kLongestPause{60};

// Grows with each try, and is another one in each process, so that two of them do not keep meeting.
void pause_before(int tries_made) {
  thread_local SecureRandom random;
  const auto bound = std::min(kLongestPause, kFirstPause * (1 << std::min(tries_made, 10)));
  const auto length = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound.count()) + 1));
  std::this_thread::sleep_for(std::chrono::milliseconds(length));
}

Error late() {
  return {ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the work began.", {}, {}};
}

Error unknown_outcome() {
  return {ErrorKind::kTimeout, "deadline_exceeded", "Whether this was done is not known; ask again.", {}, {}};
}

// Whether the same work, begun anew, may well succeed. A duplicate key is what a transaction sees of another that was
// first: the next snapshot shows what that one wrote.
bool is_worth_another_try(const Failure& failure) {
  return failure.is_transient() || failure.kind() == FailureKind::kDuplicateKey ||
         failure.kind() == FailureKind::kUnreachable;
}

// The server may not have heard of the abort either.
bool is_cut_off(const Failure& failure) {
  return failure.kind() == FailureKind::kUnreachable || failure.kind() == FailureKind::kCommitUnknown;
}

}  // namespace

GroupWriter::GroupWriter(ClientPool& pool, Options options)
    : pool_(pool), options_(std::move(options)), sessions_(pool, options_.sessions) {
  CHECK(options_.lanes > 0 && options_.batch_limit > 0 && options_.queue_limit > 0);
  CHECK(options_.thread_name.size() <= 15);
  for (std::size_t i = 0; i < options_.lanes; ++i) {
    auto& lane = *lanes_.emplace_back(std::make_unique<Lane>());
    lane.thread = std::thread([this, &lane] { write_until_closed(lane); });
    pthread_setname_np(lane.thread.native_handle(), options_.thread_name.c_str());
  }
}

GroupWriter::~GroupWriter() {
  for (auto& lane : lanes_) {
    {
      const std::lock_guard lock(lane->mutex);
      lane->closing = true;
    }
    lane->wake.notify_one();
  }
  for (auto& lane : lanes_) lane->thread.join();
}

GroupWriter::Lane& GroupWriter::lane_of(std::string_view key) {
  return *lanes_[std::hash<std::string_view>()(key) % lanes_.size()];
}

Result<> GroupWriter::submit(Lane& lane, std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(lane.mutex);
    if (lane.closing) return unavailable("unavailable", "The server is shutting down.");
    if (queued_.fetch_add(1, std::memory_order_relaxed) >= options_.queue_limit) {
      queued_.fetch_sub(1, std::memory_order_relaxed);
      return unavailable("overloaded", "More is being written than the store can take; try again shortly.");
    }
    lane.queue.push_back(std::move(job));
  }
  lane.wake.notify_one();
  return {};
}

void GroupWriter::write_until_closed(Lane& lane) {
  Batch batch;
  std::unique_lock lock(lane.mutex);
  for (;;) {
    lane.wake.wait(lock, [&lane] { return lane.closing || !lane.queue.empty(); });
    if (lane.queue.empty()) return;
    while (!lane.queue.empty() && batch.size() < options_.batch_limit) {
      batch.push_back(std::move(lane.queue.front()));
      lane.queue.pop_front();
    }
    queued_.fetch_sub(batch.size(), std::memory_order_relaxed);
    lock.unlock();
    write(batch);
    deliver_all(batch);
    batch.clear();
    lock.lock();
  }
}

// Leaves a result in every job.
void GroupWriter::write(Batch& batch) {
  const SteadyTime now = pool_.clock().steady_now();
  const auto in_time = std::ranges::partition(batch, [now](const auto& job) { return now < job->deadline; });
  for (auto& job : in_time) job->refuse(late());
  write_in_time(Jobs(batch).first(batch.size() - in_time.size()));
}

void GroupWriter::write_in_time(Jobs jobs) {
  if (jobs.empty() || write_together(jobs, jobs.size() > 1 ? kGroupTries : kAloneTries)) return;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (pool_.clock().steady_now() >= jobs[i]->deadline) {
      jobs[i]->refuse(late());
    } else {
      write_together(jobs.subspan(i, 1), kAloneTries);
    }
  }
}

// Whether all have a result; else each is to be run by itself.
bool GroupWriter::write_together(Jobs jobs, int tries) {
  int cut_off = 0;
  int duplicates = 0;
  const SteadyTime began = std::chrono::steady_clock::now();
  for (int made = 1;; ++made) {
    const Tried tried = try_group(jobs);
    if (tried.outcome == Outcome::kDone) return true;
    if (tried.outcome == Outcome::kMustRunAlone) return jobs.size() == 1;  // alone, it has failed for good
    const Failure& failure = *tried.failure;
    // While the server is away, one more try is all there is time for.
    if (failure.kind() == FailureKind::kUnreachable) ++cut_off;
    const bool in_time = std::chrono::steady_clock::now() - began < pool_.timeout();
    // Nobody is first so often: this one is refused for ever.
    if (failure.kind() == FailureKind::kDuplicateKey) ++duplicates;
    const bool worth_more =
        is_worth_another_try(failure) && cut_off <= 1 && duplicates <= kDuplicatesBelieved && in_time;
    if (worth_more && made < tries) {
      if (options_.observer) options_.observer->on_retry();
      pause_before(made);
      continue;
    }
    if (jobs.size() > 1 && (worth_more || failure.kind() == FailureKind::kOther)) return false;
    refuse_all(jobs, failure);
    return true;
  }
}

GroupWriter::Tried GroupWriter::try_group(Jobs jobs) {
  const auto began = std::chrono::steady_clock::now();
  const SteadyTime deadline = pool_.clock().steady_now() + pool_.timeout();
  try {
    auto lease = pool_.borrow(deadline);
    auto before = lease.database(deadline);
    pool_.end_lost_sessions(before);
    GroupTransaction transaction(pool_, lease, deadline, options_.make_companion ? options_.make_companion() : nullptr);
    auto beside = transaction.outside();
    sessions_.remember(beside, transaction.session());
    if (auto tried = try_in(transaction, jobs); tried.outcome != Outcome::kDone) {
      transaction.abort();
      if (tried.failure && is_cut_off(*tried.failure)) pool_.end_later(transaction.session());
      auto outside = transaction.outside();
      if (auto* companion = transaction.any_companion()) companion->after_abort(outside);
      return tried;
    }
  } catch (const Failure& failure) {
    return {Outcome::kFailed, failure};
  }
  if (options_.observer) options_.observer->on_commit(jobs.size(), std::chrono::steady_clock::now() - began, queued());
  return {Outcome::kDone, {}};
}

GroupWriter::Tried GroupWriter::try_in(GroupTransaction& transaction, Jobs jobs) {
  try {
    if (!run_jobs(jobs, transaction)) return {Outcome::kMustRunAlone, {}};
    auto* const companion = transaction.any_companion();
    const bool wrote = transaction.writes() > 0;
    if (companion && wrote) companion->before_commit(transaction);
    // Also where nothing was written: what was read and answered must be what a majority holds.
    if (transaction.commands() > 0) transaction.commit();
    if (companion && wrote) companion->after_commit();
    return {Outcome::kDone, {}};
  } catch (const Failure& failure) {
    return {Outcome::kFailed, failure};
  }
}

// Whether all have a result, and those that failed wrote nothing.
bool GroupWriter::run_jobs(Jobs jobs, GroupTransaction& transaction) {
  for (auto& job : jobs) {
    const std::int64_t before = transaction.writes();
    try {
      if (!job->run(transaction) && transaction.writes() != before) return false;
    } catch (const Failure&) {
      throw;
    } catch (const std::exception& error) {
      log_error("a write threw", {{"error", error.what()}});
      job->refuse({ErrorKind::kInternal, "internal_error", "The write failed.", {}, {}});
      return false;
    }
  }
  return true;
}

void GroupWriter::refuse_all(Jobs jobs, const Failure& failure) {
  log_error("writes failed together", {{"writes", jobs.size()}, {"error", failure.what()}, {"code", failure.code()}});
  Error error = failure.kind() == FailureKind::kCommitUnknown ? unknown_outcome() : to_error(failure);
  // Tried again and again, so nobody else was first: the same would be refused for ever, and that is a fault of ours.
  if (failure.kind() == FailureKind::kDuplicateKey) {
    error = {ErrorKind::kInternal, "internal_error", "The write failed.", {}, {}};
  }
  for (auto& job : jobs) job->refuse(error);
  if (options_.observer) options_.observer->on_failure(error);
}

}  // namespace parley::mongo
