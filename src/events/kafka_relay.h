// KafkaRelay: publishes a log to a topic, each event once it is committed, in order, at least once (docs/adr/0025). It
// is the log's consumer "kafka-relay": its offset is saved after Kafka has acknowledged, so a crash repeats some
// events, in order, and skips none. After them it writes watermarks to every partition. While Kafka or the log is away
// it tries again, for good; whoever writes to the log notices nothing. Where several processes run one, the lease says
// which works.
//
// Made and owned by the wiring; lives on one event loop, starts and stops there.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/task_group.h"
#include "drivers/kafka/record_publisher.h"
#include "events/event_log.h"
#include "events/kafka_records.h"
#include "events/loop_wake.h"
#include "events/relay_lease.h"
#include "telemetry/metrics.h"

namespace parley::events {

class KafkaRelay {
 public:
  static constexpr const char* kConsumer = "kafka-relay";

  struct Options {
    std::string topic;        // all of the log
    std::string users_topic;  // events of users once more; empty: nowhere
    std::string source;       // "/parley/messaging"
    std::size_t batch_limit = 500;
    std::chrono::milliseconds idle_poll{200};  // commits wake it; other processes' commits are found so
    std::chrono::milliseconds watermark_every{50};
    std::chrono::milliseconds save_every{100};
    std::chrono::milliseconds count_partitions_every{30'000};
    std::chrono::milliseconds step_timeout{5'000};
    std::chrono::milliseconds first_retry{200};
    std::chrono::milliseconds last_retry{2'000};
  };
  // All must outlive the relay, and the relay its run: call stop() and wait for it.
  struct Dependencies {
    EventLoop& loop;
    EventLog& log;
    kafka::RecordPublisher& publisher;
    RelayLease& lease;
    const Clock& clock;
    Metrics& metrics;
  };
  KafkaRelay(Dependencies with, Options options);
  ~KafkaRelay();

  // On the loop.
  void start();
  // On the loop. Calls `stopped` once the step under way has ended and the lease is given back.
  void stop(std::move_only_function<void()> stopped);

  // Any thread: what every event up to here was published and acknowledged.
  LogOffset published() const { return {published_.load(std::memory_order_relaxed)}; }

 private:
  Task<> run();
  Task<Result<>> step();
  // False: another process has it.
  Task<Result<bool>> hold_lease();
  Task<Result<>> take_over();
  Task<Result<>> publish(EventBatch batch);
  Task<Result<>> rest();
  Task<Result<>> save();
  Task<> show_lag();
  Task<> back_off(const Error& error);
  void add_events(std::vector<kafka::OutRecord>& records, const std::vector<Event>& events);
  void add_watermarks(std::vector<kafka::OutRecord>& records, Watermark::Gap gap = Watermark::Gap::kNone) const;
  SteadyTime now() const { return with_.clock.steady_now(); }
  SteadyTime step_deadline() const { return now() + options_.step_timeout; }

  const Dependencies with_;
  const Options options_;
  Counter& events_;
  Counter& failures_;
  Counter& oversized_;
  Gauge& lag_;
  Gauge& works_;
  TaskGroup tasks_;
  std::shared_ptr<LoopWake> wake_;
  std::optional<CommitSignal::Subscription> subscription_;

  std::optional<FencingToken> token_;  // none: not ours to publish
  SteadyTime renew_at_{};
  bool ready_ = false;  // the publisher has taken over under token_
  LogOffset offset_;    // acknowledged
  LogOffset marked_;    // watermarks say so
  LogOffset saved_;
  SteadyTime mark_at_{};
  SteadyTime save_at_{};
  SteadyTime count_at_{};
  SteadyTime lag_at_{};
  std::int32_t partitions_ = 0;
  std::chrono::milliseconds retry_;
  bool failing_ = false;
  std::atomic<std::int64_t> published_{0};
};

}  // namespace parley::events
