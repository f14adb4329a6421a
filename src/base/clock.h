// Time as a dependency. Code that waits, expires or stamps takes a Clock; tests pass a ManualClock and never sleep.
// All methods may be called from any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace parley {

// Milliseconds since the Unix epoch, UTC: how times are stored and sent.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
// Monotonic, for waits and deadlines.
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
  virtual SteadyTime steady_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall_now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
};

// Stands still until advanced. Both faces move together.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::milliseconds(1'700'000'000'000))) : start_(start) {}
  void advance(std::chrono::milliseconds by) { elapsed_ms_.fetch_add(by.count(), std::memory_order_relaxed); }
  WallTime wall_now() const override { return start_ + elapsed(); }
  SteadyTime steady_now() const override { return SteadyTime(std::chrono::hours(24)) + elapsed(); }

 private:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::milliseconds(elapsed_ms_.load(std::memory_order_relaxed));
  }
  const WallTime start_;
  std::atomic<std::int64_t> elapsed_ms_{0};
};

}  // namespace parley
