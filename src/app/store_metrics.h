// What the embedded store's writer tells of itself, as metrics: group size, commit time, queue, WAL, failures.
#pragma once
#include "drivers/sqlite/group_writer.h"
#include "telemetry/metrics.h"

namespace parley::app {

class StoreMetrics final : public sqlite::WriterObserver {
 public:
  StoreMetrics(Metrics& metrics, const std::string& role);

  void on_commit(std::size_t jobs, std::chrono::nanoseconds took, std::size_t still_queued,
                 std::int64_t wal_bytes) override;
  void on_failure(const Error& error) override;

 private:
  Histogram& group_size_;
  Histogram& commit_seconds_;
  Gauge& queue_;
  Gauge& wal_bytes_;
  Counter& failures_;
};

}  // namespace parley::app
