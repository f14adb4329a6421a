// ReaderPool: threads that read, each run on a read-only connection of its own and inside one snapshot. Called on event
// loops; answers on the loop that asked. fail: overloaded when the queue is full, deadline_exceeded (a query that runs
// on past its deadline is stopped), unavailable when SQLite fails.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/blocking.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "drivers/sqlite/connection.h"

namespace parley::sqlite {

class ReaderPool {
 public:
  struct Options {
    std::filesystem::path file;
    std::string thread_name = "sqlite-read";
    std::size_t threads = 4;
    std::size_t queue_limit = 1024;
    int cache_kib = 4096;  // a thread
  };
  // Opens its connections as they are needed. `clock` must outlive the pool.
  ReaderPool(Options options, const Clock& clock);

  template <class T>
  Task<Result<T>> run(SteadyTime deadline, std::move_only_function<Result<T>(Connection&)> read) {
    return pool_.run<T>(deadline,
                        [this, deadline, fn = std::move(read)]() mutable { return in_snapshot<T>(deadline, fn); });
  }
  // The same on the calling thread, for commands that have no event loop.
  template <class T>
  Result<T> run_here(SteadyTime deadline, std::move_only_function<Result<T>(Connection&)> read) {
    return in_snapshot<T>(deadline, read);
  }
  std::size_t queued() const { return pool_.queued(); }

 private:
  // A connection out of the free ones, given back healthy or dropped.
  class Lease {
   public:
    Lease(ReaderPool& pool, SteadyTime deadline);
    ~Lease();
    Connection& connection() { return *connection_; }
    void finish();

   private:
    ReaderPool& pool_;
    std::unique_ptr<Connection> connection_;
    bool healthy_ = false;
  };

  template <class T>
  Result<T> in_snapshot(SteadyTime deadline, std::move_only_function<Result<T>(Connection&)>& read) {
    if (clock_.steady_now() >= deadline) return late();
    try {
      Lease lease(*this, deadline);
      Result<T> answer = read(lease.connection());
      lease.finish();
      return answer;
    } catch (const Failure& failure) {
      return std::unexpected(report(failure));
    }
  }
  static std::unexpected<Error> late();
  Error report(const Failure& failure);

  const Options options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> free_;
  BlockingPool pool_;  // last: its threads end first
};

}  // namespace parley::sqlite
