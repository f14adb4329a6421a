// The hop from an event loop to threads that may block (SQLite reads, files, libmongoc) and back. The pool's queue is
// bounded: when it is full, work is refused with 503 at once instead of piling up.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/one_shot.h"

namespace parley {

class BlockingPool {
 public:
  // `name` (at most 15 bytes) shows in `top -H`. threads ≥ 1; queue_limit ≥ 1.
  BlockingPool(std::string name, std::size_t threads, std::size_t queue_limit);
  // Finishes what is queued, then joins.
  ~BlockingPool();

  // Any thread. False when the queue is full or the pool is closing: `work` was not taken.
  bool try_submit(std::move_only_function<void()> work);

  // Runs `fn` (→ Result<T>) on the pool and resumes the caller on its own loop. kUnavailable when the queue is full,
  // kTimeout when the deadline passes first: then `fn` may still run, and its answer is dropped. `fn` must own what it
  // uses or refer to what outlives the pool.
  template <class T>
  Task<Result<T>> run(SteadyTime deadline, std::move_only_function<Result<T>()> fn) {
    auto answer = make_one_shot<T>(EventLoop::current());
    const bool taken =
        try_submit([work = std::move(fn), promise = std::move(answer.first)]() mutable { promise.deliver(work()); });
    if (!taken) co_return unavailable("overloaded", "The server has more work than it can queue; try again shortly.");
    co_return co_await answer.second.wait(deadline);
  }

  std::size_t queued() const;

 private:
  void work_until_closed();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> queue_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parley
