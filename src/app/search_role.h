// SearchRole: search wired to its index, embedded or in the engine of ELASTICSEARCH_URL, and fed from messaging's event
// log, which is in this process. The indexer, the reindexer and what sweeps expired searches live on one loop.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/search_engine.h"
#include "app/store_metrics.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/task_group.h"
#include "config/settings.h"
#include "drivers/sqlite/folder.h"
#include "events/consumer_runner.h"
#include "http/in_process_upstream.h"
#include "rate_limit/memory_rate_limiter.h"
#include "search/index_audit.h"
#include "search/indexer.h"
#include "search/recent_searches.h"
#include "search/reindexer.h"
#include "search/search_service_factory.h"
#include "search/stores/fts5_search_index.h"
#include "telemetry/metrics.h"

namespace parley::app {

class RedisEngine;

class SearchRole {
 public:
  // All must outlive the role.
  struct Surroundings {
    EventLoops& loops;
    EventLoop& loop;           // one of them
    events::EventLog& log;     // messaging's
    http::Service& messaging;  // whom to ask for scopes, hits and whole stores
    const Secret& internal_key;
    RedisEngine* redis;  // null: limits and recent searches are this process's own
    const Clock& clock;
    Random& random;
    Metrics& metrics;
  };
  // Opens DATA_DIR/search and locks it. An engine need not be there yet.
  static Result<std::unique_ptr<SearchRole>> open(const Settings& settings, Surroundings around);

  using MakeMiddleware = std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>&)>;
  void build_service(const MakeMiddleware& make_middleware);
  http::Service& service() { return *service_; }

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
  http::InProcessUpstream messaging_;
  search::UpstreamStoreScan store_;

  search::IndexMetrics index_metrics_;
  search::IndexTurn turn_;
  search::IndexProgress progress_;
  search::ChangeFeed changes_;
  std::optional<search::Reindexer> reindexer_;
  std::optional<search::Indexer> indexer_;
  std::optional<search::IndexAudit> audit_;
  std::optional<events::ConsumerRunner> runner_;

  bool closing_ = false;
  std::optional<Deadline> next_sweep_;
  TaskGroup sweeps_;
  std::unique_ptr<http::Service> service_;
};

}  // namespace parley::app
