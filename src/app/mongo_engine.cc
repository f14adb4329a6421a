#include "app/mongo_engine.h"

#include <algorithm>
#include <array>

#include "telemetry/log.h"

namespace parley::app {

namespace {
constexpr std::chrono::milliseconds kFindServerFor{2'000};
constexpr std::chrono::milliseconds kStepOfAMove{60'000};
constexpr std::array<double, 11> kGroupSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
}  // namespace

mongo::ConnectionOptions mongo_connection(const MongoSettings& settings) {
  return {.uri = std::string(settings.uri.reveal()),
          .database = settings.database,
          .ca_file = settings.ca_file,
          .size = settings.pool_size,
          .timeout = settings.timeout,
          .find_server_for = std::min(settings.timeout, kFindServerFor)};
}

mongo::ConnectionOptions mongo_connection_of_a_move(const MongoSettings& settings) {
  mongo::ConnectionOptions options = mongo_connection(settings);
  options.timeout = std::max(options.timeout, kStepOfAMove);
  return options;
}

MongoThreads mongo_threads(const MongoSettings& settings) {
  const std::size_t writers = std::max<std::size_t>(1, settings.pool_size / 3);
  return {.readers = std::max<std::size_t>(1, settings.pool_size - writers), .writers = writers};
}

MongoStoreMetrics::MongoStoreMetrics(Metrics& metrics, const std::string& role)
    : group_size_(
          metrics.histogram("parley_store_group_size", "Writes committed together", {{"role", role}}, kGroupSizes)),
      commit_seconds_(metrics.histogram("parley_store_commit_seconds", "Time of one group commit, fsync included",
                                        {{"role", role}})),
      queue_(metrics.gauge("parley_store_queue", "Writes that wait for the next group", {{"role", role}})),
      retries_(metrics.counter("parley_store_retries_total",
                               "Transactions begun anew, because another process was first or MongoDB was away",
                               {{"role", role}})),
      failures_(metrics.counter("parley_store_failures_total", "Commits that failed", {{"role", role}})) {}

void MongoStoreMetrics::on_commit(std::size_t jobs, std::chrono::nanoseconds took, std::size_t still_queued) {
  group_size_.Observe(static_cast<double>(jobs));
  commit_seconds_.Observe(std::chrono::duration<double>(took).count());
  queue_.Set(static_cast<double>(still_queued));
}

void MongoStoreMetrics::on_retry() {
  retries_.Increment();
}

void MongoStoreMetrics::on_failure(const Error& error) {
  failures_.Increment();
  log_error("the store failed to commit", {{"code", error.code}});
}

}  // namespace parley::app
