// GroupWriter: the one thread that writes a database. Jobs queue up while a commit waits for the disk, and the next
// transaction takes all of them (at most batch_limit): many requests, one fsync. While many write at once, a
// transaction that would begin with few of them waits a moment for more (gather_for); who writes alone never waits. It
// is also the only one that checkpoints, between its commits. Made and owned by a store; jobs come from any event loop
// and answer there.
//
// A job is a function of what it captured and of the database: it may be run again (after a neighbour failed), so it
// must not consume what it captured; times and ids are drawn before it is made. A job that fails should fail before its
// first write: then it costs its batch nothing. One that fails after writing has the batch rolled back and each job of
// it run in a transaction of its own.
//
// fail: overloaded (queue full), deadline_exceeded (not started in time), storage_full, unavailable. A value is
// answered only after its commit is on disk.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/grouped_job.h"
#include "base/one_shot.h"
#include "base/result.h"
#include "drivers/sqlite/connection.h"

namespace parley::sqlite {

// What a writer tells of itself; set by the wiring. Called on the writer's thread: quick, no throwing.
class WriterObserver {
 public:
  virtual ~WriterObserver() = default;
  virtual void on_commit(std::size_t jobs, std::chrono::nanoseconds took, std::size_t still_queued,
                         std::int64_t wal_bytes) = 0;
  virtual void on_failure(const Error& error) = 0;
};

class GroupWriter {
 public:
  struct Options {
    std::filesystem::path file;
    std::string thread_name = "sqlite-write";  // at most 15 bytes
    std::size_t batch_limit = 128;
    std::size_t queue_limit = 4096;
    // How long a group waits, at most, for half of those who wrote or waited at the last commit (measured with 64
    // clients: 4 % more messages/s and 6 % less CPU a message than without; longer is no better).
    std::chrono::microseconds gather_for{200};
    int cache_kib = 32 * 1024;
    int checkpoint_wal_pages = 2000;                     // a passive checkpoint from here on
    std::int64_t truncate_wal_bytes = 64 * 1024 * 1024;  // above this the file is cut, once readers let it
    WriterObserver* observer = nullptr;                  // may be null; outlives the writer
    std::function<void()> after_commit;                  // on the writer's thread, after a commit that wrote something
    std::function<void()> after_rollback;                // on the writer's thread: forget what jobs may have cached
  };
  // `connection` must be migrated already; a broken one is replaced by a new one to the same file. `clock` must outlive
  // the writer; so must every event loop that a job came from.
  GroupWriter(std::unique_ptr<Connection> connection, Options options, const Clock& clock);
  // Finishes what is queued, checkpoints, closes.
  ~GroupWriter();

  template <class T>
  Task<Result<T>> run(SteadyTime deadline, std::move_only_function<Result<T>(Connection&)> work) {
    auto answer = make_one_shot<T>(EventLoop::current());
    auto job = std::make_unique<TypedJob<T>>(std::move(work), std::move(answer.first));
    job->deadline = deadline;
    if (auto taken = submit(std::move(job)); !taken) co_return std::unexpected(taken.error());
    co_return co_await answer.second.wait(deadline);
  }
  std::size_t queued() const;

 private:
  using Job = GroupedJob<Connection>;
  template <class T>
  using TypedJob = TypedGroupedJob<Connection, T>;
  using Batch = std::vector<std::unique_ptr<Job>>;
  enum class Outcome { kCommitted, kMustRunAlone, kFailed };

  Result<> submit(std::unique_ptr<Job> job);
  void write_until_closed();
  void gather(std::unique_lock<std::mutex>& locked);
  void write(Batch& batch);
  void write_in_time(std::span<std::unique_ptr<Job>> jobs);
  Outcome try_together(std::span<std::unique_ptr<Job>> jobs);
  bool run_one(Job& job, bool& wrote);
  void fail_all(std::span<std::unique_ptr<Job>> jobs, const Failure& failure);
  void roll_back();
  void ensure_connection();
  void adopt(std::unique_ptr<Connection> connection);
  void checkpoint_if_due();

  const Options options_;
  const Clock& clock_;
  std::unique_ptr<Connection> connection_;  // null while it cannot be opened
  bool broken_ = false;
  int wal_pages_ = 0;  // as the last commit left it
  int checkpoint_at_;  // pages
  int page_size_ = 4096;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool idle_ = false;
  std::size_t busy_writers_ = 0;  // jobs in the last commit and waiting behind it
  std::size_t gathering_ = 0;     // how many jobs end the gathering under way; 0: none is
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace parley::sqlite
