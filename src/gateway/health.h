// Whether an upstream answers: asked at an interval over the wrapped upstream itself, past breaker and retries. And the
// gateway's own /health, made of that and of the breakers.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/one_shot.h"
#include "base/task_group.h"
#include "http/upstream.h"

namespace parley::gateway {

class ResilientUpstream;

struct UpstreamHealth {
  bool up = false;
  std::chrono::microseconds latency{};
};

struct HealthCheckSettings {
  std::chrono::milliseconds interval{5'000};
  std::chrono::milliseconds timeout{2'000};
};

// Lives on one loop: start() and stop() are called there, last() from any thread, wait_for_first() on any loop. Must be
// stopped before it is destroyed.
class HealthCheck {
 public:
  HealthCheck(http::Upstream& upstream, HealthCheckSettings settings, const Clock& clock)
      : upstream_(upstream), settings_(settings), clock_(clock) {}

  // Asks at once, then at each interval after an answer.
  void start(EventLoop& loop);
  // No question is asked any more; calls `on_stopped` once the one under way has ended, which takes at most the
  // timeout.
  void stop(std::move_only_function<void()> on_stopped);

  // As of the last answer; nullopt before the first.
  std::optional<UpstreamHealth> last() const;
  // Until there is a first answer, but not beyond `until`: nothing is known of an upstream that nobody has asked yet,
  // and that is no reason to call it ill.
  Task<> wait_for_first(SteadyTime until);

 private:
  using Told = std::monostate;
  // Nullopt: the first answer is there, or too many wait for it.
  std::optional<OneShotFuture<Told>> join_waiting();
  void tell_waiting();
  void check();
  Task<> ask();

  http::Upstream& upstream_;
  const HealthCheckSettings settings_;
  const Clock& clock_;
  std::unique_ptr<TaskGroup> tasks_;
  std::unique_ptr<Deadline> next_;
  std::atomic<std::uint64_t> last_{0};  // 0: none yet; else up in bit 0, 1 in bit 1, microseconds above
  std::mutex mutex_;
  std::vector<OneShotPromise<Told>> waiting_;  // for the first answer
};

// One upstream's part of /health.
struct DependencyHealth {
  std::string name;
  std::string status;  // "ok" | "degraded" | "down"
  std::optional<std::chrono::microseconds> latency;
  std::string breaker;  // "closed" | "open" | "half_open"; empty: it has none
};
DependencyHealth dependency_health(const ResilientUpstream& upstream, const HealthCheck& check);

}  // namespace parley::gateway
