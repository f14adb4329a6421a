// One EventLoop per core: an io_context with one thread, its own connections, pools and deadlines, so that nothing on
// the request path takes a lock. Everything here is called on the loop's own thread unless it says otherwise.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/task.h"

namespace parley {

class EventLoop;

// One wait that may run out. Owned by whoever waits; calls `on_expiry` on the loop, at most once per arm(), at most
// kSweepInterval late. Deadlines are swept coarsely because a kernel timer per connection costs a third of a request.
class Deadline {
 public:
  Deadline(EventLoop& loop, std::move_only_function<void()> on_expiry);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(SteadyTime at) { at_ = at; }
  void disarm() { at_ = SteadyTime::max(); }

 private:
  friend class EventLoop;
  EventLoop& loop_;
  std::move_only_function<void()> on_expiry_;
  SteadyTime at_ = SteadyTime::max();
  std::size_t slot_ = 0;
};

class EventLoop {
 public:
  static constexpr std::chrono::milliseconds kSweepInterval{50};

  explicit EventLoop(std::size_t index);
  ~EventLoop();

  // The loop whose thread this is; CHECK-fails elsewhere.
  static EventLoop& current();
  // Nullptr on a thread that is no loop's.
  static EventLoop* current_or_null();

  std::size_t index() const { return index_; }
  asio::io_context& io() { return io_; }
  LoopExecutor executor() { return io_.get_executor(); }
  // Steady time as of the last sweep: at most kSweepInterval behind, and free.
  SteadyTime coarse_now() const { return coarse_now_; }

  // Any thread. Runs `fn` on the loop. After stop() it is dropped.
  void post(std::move_only_function<void()> fn);

  // Runs until stop(); called once, by the thread that is to be the loop.
  void run();
  // Any thread.
  void stop();
  // Expires what is due at `now`; run() calls it by itself, tests call it with a time of their own.
  void sweep(SteadyTime now);

 private:
  friend class Deadline;
  Task<> sweep_forever();

  const std::size_t index_;
  SteadyTime coarse_now_ = std::chrono::steady_clock::now();
  std::vector<Deadline*> deadlines_;
  asio::io_context io_{1};  // goes first: suspended tasks go with it, and their deadlines leave the list
};

// The process's loops and their threads.
class EventLoops {
 public:
  // count ≥ 1.
  explicit EventLoops(std::size_t count);
  ~EventLoops();

  std::size_t size() const { return loops_.size(); }
  EventLoop& at(std::size_t index) { return *loops_[index]; }

  void start();
  // Stops every loop and joins its thread. Idempotent. Tasks still suspended are destroyed with the loops.
  void stop();

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace parley
