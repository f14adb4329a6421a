// ConsumerRunner: feeds one consumer from an event log, in order, at least once. The offset is saved after the consumer
// has taken a batch, so a crash repeats the last batch and skips nothing; a consumer that keeps its own offset (with
// its own rows, in one transaction) overrides load_offset and save_offset. A consumer that fails gets the same batch
// again after retry_after. Owned by app/; lives on one event loop, starts and stops there.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "base/task_group.h"
#include "events/event_log.h"
#include "events/loop_wake.h"

namespace parley::events {

class EventConsumer {
 public:
  virtual ~EventConsumer() = default;
  // Stable; the key of its offset.
  virtual std::string name() const = 0;
  // Events may come again: by id, or by number within their key, a consumer knows an old one.
  virtual Task<Result<>> deliver(std::vector<Event> events, SteadyTime deadline) = 0;

  virtual Task<Result<LogOffset>> load_offset(EventLog& log, SteadyTime deadline);
  virtual Task<Result<>> save_offset(EventLog& log, LogOffset offset, SteadyTime deadline);
};

class ConsumerRunner {
 public:
  struct Options {
    std::size_t batch_limit = 256;
    // How long fewer events than that wait for others to be delivered with; 0: not at all.
    std::chrono::milliseconds linger{0};
    std::chrono::milliseconds step_timeout{10'000};  // for each read, delivery and save
    std::chrono::milliseconds retry_after{500};
  };
  // All must outlive the runner, and the runner its run: call stop() and wait for it.
  ConsumerRunner(EventLoop& loop, EventLog& log, EventConsumer& consumer, const Clock& clock, Options options);
  ~ConsumerRunner();

  // On the loop.
  void start();
  // On the loop. Calls `stopped` once the step under way has ended.
  void stop(std::move_only_function<void()> stopped);

  // Any thread: everything up to here was delivered and saved. With the log's head this gives the lag.
  LogOffset delivered() const { return {delivered_.load(std::memory_order_relaxed)}; }

 private:
  Task<> run();
  Task<bool> step();
  Task<Result<EventBatch>> read_batch();
  SteadyTime step_deadline() const;

  EventLog& log_;
  EventConsumer& consumer_;
  const Clock& clock_;
  const Options options_;
  TaskGroup tasks_;
  std::shared_ptr<LoopWake> wake_;
  std::optional<CommitSignal::Subscription> subscription_;
  LogOffset offset_;
  std::atomic<std::int64_t> delivered_{0};
};

}  // namespace parley::events
