// TaskGroup: the owner of spawned Tasks. It counts them, and drain() tells when the last has ended, so that no Task
// outlives what it refers to. Lives on one loop.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <cstddef>
#include <exception>
#include <functional>

#include "base/check.h"
#include "base/event_loop.h"

namespace parley {

class TaskGroup {
 public:
  explicit TaskGroup(EventLoop& loop) : loop_(loop) {}
  ~TaskGroup() { CHECK(running_ == 0); }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // An exception that leaves the task is a bug of ours: the process ends there, loudly.
  void spawn(Task<> task) {
    ++running_;
    asio::co_spawn(loop_.io(), std::move(task), [this](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
      if (--running_ == 0 && on_idle_) std::exchange(on_idle_, nullptr)();
    });
  }
  std::size_t running() const { return running_; }
  // Calls `on_idle` once nothing runs, at once if nothing does. The caller asks the tasks to end by its own means.
  void drain(std::move_only_function<void()> on_idle) {
    if (running_ == 0) return on_idle();
    on_idle_ = std::move(on_idle);
  }

 private:
  EventLoop& loop_;
  std::size_t running_ = 0;
  std::move_only_function<void()> on_idle_;
};

}  // namespace parley
