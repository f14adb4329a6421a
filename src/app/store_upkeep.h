// StoreUpkeep: what a role's store wants done now and then, beside its requests: what deleted conversations said is
// erased, events that nobody needs any more leave the log, and the log's length and lag are shown in metrics. In small
// steps, so that writers do not wait. Lives on one loop; start() and close() are called there.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/task_group.h"
#include "events/event_log.h"
#include "telemetry/metrics.h"

namespace parley::app {

class StoreUpkeep {
 public:
  struct Settings {
    std::chrono::milliseconds interval{10'000};
    std::chrono::milliseconds step_timeout{10'000};
    std::chrono::hours events_kept{7 * 24};  // at least, and until every known consumer has passed them
    bool consumers_expected = true;          // else, while none is known, events go by age alone
    std::int64_t erased_at_once = 200;       // messages
    std::size_t pruned_at_once = 1'000;      // events
  };
  struct Store {
    std::string role;
    events::EventLog& log;
    // Erases at most so many messages that are to be erased, and tells how many; null where nothing is.
    std::function<Task<Result<std::int64_t>>(std::int64_t limit, SteadyTime deadline)> erase;
  };
  // All must outlive the upkeep.
  StoreUpkeep(EventLoop& loop, Store store, const Clock& clock, Metrics& metrics, Settings settings);

  void start();
  // Nothing is begun any more; calls `closed` once the step under way has ended.
  void close(std::move_only_function<void()> closed);

 private:
  Task<> run_once();
  Task<> erase();
  Task<> prune();
  Task<> show_log();
  SteadyTime step_deadline() const { return clock_.steady_now() + settings_.step_timeout; }

  EventLoop& loop_;
  const Store store_;
  const Clock& clock_;
  const Settings settings_;
  Gauge& log_end_;
  Gauge& events_;
  Metrics& metrics_;
  Counter* erased_ = nullptr;  // where something is erased
  Counter& pruned_;
  Counter& failures_;
  bool closing_ = false;
  std::optional<Deadline> next_;
  TaskGroup tasks_;
};

}  // namespace parley::app
