// Timer: the wait between two attempts or two health checks, as a dependency, so that tests need no time to pass.
// LoopTimer waits on the loop that awaits it, to the millisecond (a Deadline is coarse, and meant never to run out).
#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/task.h"

namespace parley {

class Timer {
 public:
  virtual ~Timer() = default;
  // Ends when `at` (of the Clock in use) has come.
  virtual Task<> wait_until(SteadyTime at) = 0;
};

// Stateless: any loop, any number of waits at once.
class LoopTimer final : public Timer {
 public:
  Task<> wait_until(SteadyTime at) override {
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>
        timer(EventLoop::current().io(), at);
    co_await timer.async_wait(kAwait);
  }
};

}  // namespace parley
