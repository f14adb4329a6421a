// LoopWake: what a background run on an event loop sleeps on, until something happens or a time passes. Shared by the
// run and by whoever rings it: commits on other threads may still be posting when the run is gone. Lives on one loop;
// ring_from_anywhere() from any thread.
#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "base/event_loop.h"

namespace parley::events {

class LoopWake {
 public:
  explicit LoopWake(EventLoop& loop) : loop_(loop), timer_(loop.io()) {}

  static void ring_from_anywhere(const std::shared_ptr<LoopWake>& wake) {
    if (wake->posted_.exchange(true)) return;  // one post at a time, however many rings
    wake->loop_.post([wake] {
      wake->posted_.store(false);
      wake->ring();
    });
  }
  void ring() {
    rung = true;
    timer_.cancel();
  }
  // Every wait ends, now and later.
  void stop() {
    stopping = true;
    ring();
  }
  // Until ring() or `longest`; a ring since the last wait counts.
  Task<> wait(std::chrono::milliseconds longest) {
    if (!rung && !stopping) {
      timer_.expires_after(longest);
      co_await timer_.async_wait(kAwait);
    }
    rung = false;
  }
  // The whole of `length`, however often it rings; a stop ends it.
  Task<> pause(std::chrono::milliseconds length) {
    const SteadyTime end = std::chrono::steady_clock::now() + length;
    while (!stopping && std::chrono::steady_clock::now() < end) {
      timer_.expires_at(end);
      co_await timer_.async_wait(kAwait);
    }
  }

  bool rung = false;
  bool stopping = false;

 private:
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;
  EventLoop& loop_;
  Timer timer_;
  std::atomic<bool> posted_{false};
};

}  // namespace parley::events
