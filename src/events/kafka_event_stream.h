// KafkaEventStream: feeds a LaneConsumer from a topic that a KafkaRelay writes, as one member of a consumer group; a
// lane is a partition. It reads from where the consumer says, delivers what came of all its lanes together, and commits
// to Kafka after the consumer has confirmed. A delivery that fails comes again until it is taken. When partitions are
// taken away, what was read and not delivered of them is dropped, and what is under way is waited for within a bound;
// it is committed only if it ends while they are still ours. Records that are no events, and events that the consumer
// refuses, go to the topic's dead letters first.
//
// Made and owned by the wiring; the consumer is called on `loop`, and start() and stop() there too. Reading is done by
// a thread of its own, which makes its RecordSource, and holds at most two batches.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/event_loop.h"
#include "base/task_group.h"
#include "drivers/kafka/record_publisher.h"
#include "drivers/kafka/record_source.h"
#include "events/event_stream.h"
#include "events/loop_wake.h"
#include "telemetry/metrics.h"

namespace parley::events {

class KafkaEventStream {
 public:
  struct Options {
    std::string topic;
    std::size_t batch_limit = 500;        // records
    std::chrono::milliseconds linger{0};  // how long fewer than that wait for others
    std::chrono::milliseconds step_timeout{10'000};
    std::chrono::milliseconds first_retry{200};
    std::chrono::milliseconds last_retry{2'000};
    std::chrono::milliseconds ask_again{1'000};         // for lanes that are not to be read yet
    std::chrono::milliseconds patience_on_loss{5'000};  // for what is under way of lanes that are taken away
    std::chrono::milliseconds note_end_every{5'000};
  };
  using MakeSource = std::function<Result<std::unique_ptr<kafka::RecordSource>>()>;
  // All must outlive the stream, and the stream its run: call stop() and wait for it.
  struct Dependencies {
    EventLoop& loop;
    LaneConsumer& consumer;
    kafka::RecordPublisher& dead_letters;
    MakeSource make_source;
    const Clock& clock;
    Metrics& metrics;
  };
  KafkaEventStream(Dependencies with, Options options);
  ~KafkaEventStream();

  void start();
  // Calls `stopped` once nothing is under way any more and the group is left.
  void stop(std::move_only_function<void()> stopped);

 private:
  class Reader;
  struct Batch;
  struct Question;
  struct Shared;
  // What the reader asks of the loop.
  static Task<> answer(std::shared_ptr<Shared> shared, std::shared_ptr<Question> question);
  static Task<> deliver(std::shared_ptr<Shared> shared, std::shared_ptr<Batch> batch);
  static Task<Result<>> try_to_deliver(std::shared_ptr<Shared> shared, std::shared_ptr<Batch> batch);

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace parley::events
