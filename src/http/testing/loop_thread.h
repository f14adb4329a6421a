// LoopThread: an event loop with its thread, for tests: run() gives it a Task and waits for the answer. For the test's
// thread alone. A Task that never ends hangs the test, and ctest's timeout names it.
#pragma once
#include <utility>

#include "base/event_loop.h"
#include "base/run_on_loop.h"

namespace parley::http::testing {

class LoopThread {
 public:
  LoopThread() { loops_.start(); }
  ~LoopThread() { loops_.stop(); }

  EventLoop& loop() { return loops_.at(0); }

  // Rethrows what the task throws.
  template <class T>
  T run(Task<T> task) {
    return run_on_loop(loop(), std::move(task));
  }

 private:
  EventLoops loops_{1};
};

}  // namespace parley::http::testing
