// LoopThread: an event loop with its thread, for tests: run() gives it a Task and waits for the answer. For the test's
// thread alone. A Task that never ends hangs the test, and ctest's timeout names it.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <future>
#include <utility>

#include "base/event_loop.h"
#include "base/task.h"

namespace parley::http::testing {

class LoopThread {
 public:
  LoopThread() { loops_.start(); }
  ~LoopThread() { loops_.stop(); }

  EventLoop& loop() { return loops_.at(0); }

  // Rethrows what the task throws.
  template <class T>
  T run(Task<T> task) {
    std::promise<T> promise;
    auto future = promise.get_future();
    asio::co_spawn(loop().io(), std::move(task), [&promise](std::exception_ptr error, T value) {
      if (error) {
        promise.set_exception(error);
      } else {
        promise.set_value(std::move(value));
      }
    });
    return future.get();
  }

 private:
  EventLoops loops_{1};
};

}  // namespace parley::http::testing
