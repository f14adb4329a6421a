// ReaderPool: threads that read, each run in one snapshot of what a majority holds, or, for a single look, without one.
// Called on event loops; answers on the loop that asked. A run may happen again when the connection broke, so it must
// not consume what it captured. fail: overloaded when the queue is full, deadline_exceeded (the server stops a query
// that runs on past it), unavailable when MongoDB cannot be reached.
#pragma once
#include <functional>
#include <string>

#include "base/blocking.h"
#include "drivers/mongo/transaction.h"

namespace parley::mongo {

class ReaderPool {
 public:
  struct Options {
    std::string thread_name = "mongo-read";  // at most 15 bytes
    std::size_t threads = 8;                 // and connections at most
    std::size_t queue_limit = 1024;
  };
  // `pool` must outlive this.
  ReaderPool(ClientPool& pool, Options options)
      : pool_(pool), threads_(options.thread_name, options.threads, options.queue_limit) {}

  template <class T>
  Task<Result<T>> run(SteadyTime deadline, std::move_only_function<Result<T>(Database&)> read) {
    return threads_.run<T>(deadline, [this, deadline, fn = std::move(read)]() mutable {
      return again_if_cut<T>([&] { return in_snapshot<T>(deadline, fn); });
    });
  }
  // Each command sees its own moment.
  template <class T>
  Task<Result<T>> look(SteadyTime deadline, std::move_only_function<Result<T>(Database&)> read) {
    return threads_.run<T>(deadline, [this, deadline, fn = std::move(read)]() mutable {
      return again_if_cut<T>([&]() -> Result<T> {
        auto lease = pool_.borrow(deadline);
        auto database = lease.database(deadline);
        return fn(database);
      });
    });
  }
  std::size_t queued() const { return threads_.queued(); }

 private:
  template <class T>
  Result<T> in_snapshot(SteadyTime deadline, std::move_only_function<Result<T>(Database&)>& read) {
    auto lease = pool_.borrow(deadline);
    Transaction snapshot(pool_, lease, deadline);
    Result<T> answer = read(snapshot);
    // What was read is known to be held by a majority only once this is through.
    if (snapshot.commands() > 0) snapshot.commit();
    return answer;
  }
  template <class T, class Read>
  Result<T> again_if_cut(Read read) {
    for (int tries_left = 2;; --tries_left) {
      try {
        return read();
      } catch (const Failure& failure) {
        if (tries_left == 0 || !failure.is_transient()) return std::unexpected(report(failure));
      }
    }
  }
  static Error report(const Failure& failure);

  ClientPool& pool_;
  BlockingPool threads_;  // last: its threads end first
};

}  // namespace parley::mongo
