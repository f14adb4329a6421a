// GroupWriter: the threads of a process that write one database. Jobs queue up while a commit is under way, and the
// next transaction takes all of them (at most batch_limit): many requests, one commit. Jobs of one lane key run on one
// thread, one after another, so that what would collide in the database does not; jobs of other keys run beside them.
// Made and owned by a store; jobs come from any event loop and answer there.
//
// A job is a function of what it captured and of the transaction. It is run again, in a new transaction, when another
// process was first (write conflict, duplicate key) or a neighbour failed, so it must not consume what it captured. It
// should find its faults before its first write: then it costs its group nothing. One that fails later has the group
// aborted and each job run alone.
//
// fail: overloaded (queue full, or others keep being first), deadline_exceeded (not started in time, or nobody knows
// whether it was committed), storage_full, unavailable. A value is answered only after a majority has it.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/grouped_job.h"
#include "base/random.h"
#include "drivers/mongo/session_register.h"
#include "drivers/mongo/transaction.h"

namespace parley::mongo {

// What goes along with the jobs of one transaction: made anew for each try, on the writer's thread. A store's event
// log, say: it gathers what the jobs append and writes it as the last thing before the commit.
class GroupCompanion {
 public:
  virtual ~GroupCompanion() = default;
  // After all jobs. What it throws fails the try as a job's Failure would.
  virtual void before_commit(Transaction& transaction) = 0;
  virtual void after_commit() = 0;
  // The transaction did not happen, or nobody knows whether it did. `database` is outside of it.
  virtual void after_abort(Database& database) = 0;
};

// The transaction of a group, with what goes along.
class GroupTransaction : public Transaction {
 public:
  GroupTransaction(ClientPool& pool, ClientPool::Lease& lease, SteadyTime deadline,
                   std::unique_ptr<GroupCompanion> companion)
      : Transaction(pool, lease, deadline), companion_(std::move(companion)) {}
  // CHECK-fails when the writer was not told to make one of this type.
  template <class Companion>
  Companion& companion() {
    auto* const mine = dynamic_cast<Companion*>(companion_.get());
    CHECK(mine);
    return *mine;
  }
  GroupCompanion* any_companion() { return companion_.get(); }

 private:
  std::unique_ptr<GroupCompanion> companion_;
};

// What a writer tells of itself; set by the wiring. Called on the writer's threads: quick, no throwing.
class WriterObserver {
 public:
  virtual ~WriterObserver() = default;
  virtual void on_commit(std::size_t jobs, std::chrono::nanoseconds took, std::size_t still_queued) = 0;
  virtual void on_retry() = 0;
  virtual void on_failure(const Error& error) = 0;
};

class GroupWriter {
 public:
  struct Options {
    std::string thread_name = "mongo-write";  // at most 15 bytes
    std::size_t lanes = 4;                    // threads, and connections at most, with one for the register
    std::size_t batch_limit = 64;
    std::size_t queue_limit = 4096;                                   // over all lanes
    WriterObserver* observer = nullptr;                               // may be null; outlives the writer
    std::function<std::unique_ptr<GroupCompanion>()> make_companion;  // may be empty
    SessionRegister::Options sessions{};
  };
  // All must outlive the writer; so must every event loop that a job came from.
  GroupWriter(ClientPool& pool, Options options);
  // Finishes what is queued.
  ~GroupWriter();

  template <class T>
  Task<Result<T>> run(std::string_view lane_key, SteadyTime deadline,
                      std::move_only_function<Result<T>(GroupTransaction&)> work) {
    return run_in<T>(lane_of(lane_key), deadline, std::move(work));  // the key need not live on
  }
  std::size_t queued() const { return queued_.load(std::memory_order_relaxed); }

 private:
  using Job = GroupedJob<GroupTransaction>;
  using Batch = std::vector<std::unique_ptr<Job>>;
  using Jobs = std::span<std::unique_ptr<Job>>;
  enum class Outcome { kDone, kMustRunAlone, kFailed };
  struct Tried {
    Outcome outcome;
    std::optional<Failure> failure;  // why it failed
  };
  struct Lane {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::unique_ptr<Job>> queue;
    bool closing = false;
    std::thread thread;
  };

  template <class T>
  Task<Result<T>> run_in(Lane& lane, SteadyTime deadline, std::move_only_function<Result<T>(GroupTransaction&)> work) {
    auto answer = make_one_shot<T>(EventLoop::current());
    auto job = std::make_unique<TypedGroupedJob<GroupTransaction, T>>(std::move(work), std::move(answer.first));
    job->deadline = deadline;
    if (auto taken = submit(lane, std::move(job)); !taken) co_return std::unexpected(taken.error());
    co_return co_await answer.second.wait(deadline);
  }
  Lane& lane_of(std::string_view key);
  Result<> submit(Lane& lane, std::unique_ptr<Job> job);
  void write_until_closed(Lane& lane);
  void write(Batch& batch);
  void write_in_time(Jobs jobs);
  bool write_together(Jobs jobs, int tries);
  Tried try_group(Jobs jobs);
  Tried try_in(GroupTransaction& transaction, Jobs jobs);
  bool run_jobs(Jobs jobs, GroupTransaction& transaction);
  void refuse_all(Jobs jobs, const Failure& failure);

  ClientPool& pool_;
  const Options options_;
  SessionRegister sessions_;
  std::atomic<std::size_t> queued_{0};
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace parley::mongo
