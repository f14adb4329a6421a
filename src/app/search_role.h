// SearchRole: search wired to its index, embedded or in the engine of ELASTICSEARCH_URL, and fed from messaging's event
// log, read whole in this process or over Kafka. The indexer, the reindexer and what sweeps expired searches live on
// one loop.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/index_from_kafka.h"
#include "app/search_engine.h"
#include "app/store_metrics.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/task_group.h"
#include "config/settings.h"
#include "drivers/sqlite/folder.h"
#include "events/consumer_runner.h"
#include "http/operations/operational_routes.h"
#include "http/upstream.h"
#include "rate_limit/memory_rate_limiter.h"
#include "search/index_audit.h"
#include "search/indexer.h"
#include "search/recent_searches.h"
#include "search/reindexer.h"
#include "search/search_service_factory.h"
#include "search/stores/fts5_search_index.h"
#include "search/upstream_event_log.h"
#include "telemetry/metrics.h"

namespace parley::app {

class RedisEngine;

class SearchRole {
 public:
  // All must outlive the role.
  struct Surroundings {
    EventLoops& loops;
    EventLoop& loop;                            // one of them
    events::EventLog* log;                      // messaging's, in this process; null: it is elsewhere
    const KafkaEngine* kafka;                   // null: the log is read here
    std::shared_ptr<http::Upstream> messaging;  // whom to ask for scopes, hits and whole stores
    const Secret& internal_key;
    RedisEngine* redis;  // null: limits and recent searches are this process's own
    const Clock& clock;
    Random& random;
    Metrics& metrics;
  };
  // Opens DATA_DIR/search and locks it. An engine need not be there yet.
  static Result<std::unique_ptr<SearchRole>> open(const Settings& settings, Surroundings around);

  using MakeMiddleware = std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>&)>;
  // Of an engine that /health shows too; before build_service().
  void show_health(http::HealthCheck check) { more_health_checks_.push_back(std::move(check)); }
  void build_service(const MakeMiddleware& make_middleware);
  http::Service& service() { return *service_; }
  // Where the log is elsewhere: waits until messaging has told of it, `patience` at most. The loops run already;
  // blocks.
  Result<> wait_for_log(std::chrono::seconds patience);

  // Not on a loop; the loops run. Until the engine is ready, if there is one; fail: it is not there in time.
  Result<> wait_for_engine();
  // On the loop, which runs already: the index begins to follow the log. stop() there too, before the loops stop and
  // while messaging still answers; calls `stopped` when nothing is under way any more.
  void start();
  void stop(std::move_only_function<void()> stopped);

 private:
  SearchRole(const Settings& settings, Surroundings around);
  Result<> open_recent_searches(const std::filesystem::path& folder);
  Result<> open_index(const std::filesystem::path& folder);
  void follow_log();
  std::string authorization() const;
  Task<> sweep_expired_searches();

  const Settings& settings_;
  const Surroundings around_;
  StoreMetrics store_metrics_;
  MemoryRateLimiter limiter_;
  std::unique_ptr<SearchEngine> engine_;                 // null: the index is embedded
  std::optional<sqlite::LockedFolder> folder_;           // of recent searches, where the index does not hold it
  std::unique_ptr<search::SqliteSearchIndex> embedded_;  // null: there is an engine
  search::SearchIndex* index_ = nullptr;                 // one of the two
  std::unique_ptr<search::RecentSearches> recent_;
  search::UpstreamStoreScan store_;
  std::optional<search::UpstreamEventLog> log_elsewhere_;
  events::EventLog& log_;

  search::IndexMetrics index_metrics_;
  search::IndexTurn turn_;
  search::IndexProgress progress_;
  search::ChangeFeed changes_;
  std::optional<search::Reindexer> reindexer_;
  std::optional<search::Indexer> indexer_;
  std::optional<search::IndexAudit> audit_;
  std::optional<events::ConsumerRunner> runner_;
  std::unique_ptr<IndexFromKafka> from_kafka_;  // in place of indexer_ and runner_

  bool closing_ = false;
  std::optional<Deadline> next_sweep_;
  TaskGroup sweeps_;
  std::vector<http::HealthCheck> more_health_checks_;
  std::unique_ptr<http::Service> service_;
};

}  // namespace parley::app
