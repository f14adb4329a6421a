// Producer: writes records to topics with acks=all and an idempotent producer, a batch at a time. With a transactional
// id a batch is one transaction, and take_over() fences whoever had the id before. librdkafka is called on one thread
// of this object's own; after a failure its handle is thrown away, so that each try begins clean. Owned by the wiring;
// called on one event loop. fail: see RecordPublisher.
#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "base/blocking.h"
#include "drivers/kafka/client_options.h"
#include "drivers/kafka/record_publisher.h"

namespace parley::kafka {

class Producer final : public RecordPublisher {
 public:
  struct Options {
    ClientOptions client;
    std::string transactional_id;  // empty: no transactions, and nobody is fenced
    std::chrono::milliseconds transaction_timeout{30'000};
    std::size_t queue_limit = 20'000;  // records on their way
  };
  explicit Producer(Options options);
  ~Producer() override;

  Task<Result<>> take_over(SteadyTime deadline) override;
  Task<Result<>> publish(std::vector<OutRecord> records, SteadyTime deadline) override;
  Task<Result<std::int32_t>> partitions(std::string topic, SteadyTime deadline) override;

 private:
  class Session;

  const Options options_;
  std::unique_ptr<Session> session_;            // the thread's alone
  BlockingPool thread_{"kafka-publish", 1, 8};  // goes first: it uses the session
};

}  // namespace parley::kafka
