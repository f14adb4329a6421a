#include "app/store_metrics.h"

#include <array>

#include "telemetry/log.h"

namespace parley::app {

namespace {
constexpr std::array<double, 11> kGroupSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
}

StoreMetrics::StoreMetrics(Metrics& metrics, const std::string& role)
    : group_size_(
          metrics.histogram("parley_store_group_size", "Writes committed together", {{"role", role}}, kGroupSizes)),
      commit_seconds_(metrics.histogram("parley_store_commit_seconds", "Time of one group commit, fsync included",
                                        {{"role", role}})),
      queue_(metrics.gauge("parley_store_queue", "Writes that wait for the next group", {{"role", role}})),
      wal_bytes_(metrics.gauge("parley_store_wal_bytes", "Size of the write-ahead log", {{"role", role}})),
      failures_(metrics.counter("parley_store_failures_total", "Commits that failed", {{"role", role}})) {}

void StoreMetrics::on_commit(std::size_t jobs, std::chrono::nanoseconds took, std::size_t still_queued,
                             std::int64_t wal_bytes) {
  group_size_.Observe(static_cast<double>(jobs));
  commit_seconds_.Observe(std::chrono::duration<double>(took).count());
  queue_.Set(static_cast<double>(still_queued));
  wal_bytes_.Set(static_cast<double>(wal_bytes));
}

void StoreMetrics::on_failure(const Error& error) {
  failures_.Increment();
  log_error("the store failed to commit", {{"code", error.code}});
}

}  // namespace parley::app
