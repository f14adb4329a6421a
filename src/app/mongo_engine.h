// MongoDB as the settings name it: how it is reached, by how many, and what a store's writer tells of itself as
// metrics.
#pragma once
#include <cstddef>
#include <string>

#include "config/settings.h"
#include "drivers/mongo/client_pool.h"
#include "drivers/mongo/group_writer.h"
#include "telemetry/metrics.h"

namespace parley::app {

mongo::ConnectionOptions mongo_connection(const MongoSettings& settings);
// Its steps are a thousand records each, and nobody waits for an answer: MONGODB_TIMEOUT_MS, but a minute at least.
mongo::ConnectionOptions mongo_connection_of_a_move(const MongoSettings& settings);

// How MONGODB_POOL_SIZE is shared out.
struct MongoThreads {
  std::size_t readers = 0;
  std::size_t writers = 0;
};
MongoThreads mongo_threads(const MongoSettings& settings);

class MongoStoreMetrics final : public mongo::WriterObserver {
 public:
  MongoStoreMetrics(Metrics& metrics, const std::string& role);

  void on_commit(std::size_t jobs, std::chrono::nanoseconds took, std::size_t still_queued) override;
  void on_retry() override;
  void on_failure(const Error& error) override;

 private:
  Histogram& group_size_;
  Histogram& commit_seconds_;
  Gauge& queue_;
  Counter& retries_;
  Counter& failures_;
};

}  // namespace parley::app
