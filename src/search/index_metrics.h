// IndexMetrics: what the indexer and the reindexer tell of themselves. One per process, made by the wiring; the series
// may be set from any thread.
#pragma once
#include "telemetry/metrics.h"

namespace parley::search {

struct IndexMetrics {
  explicit IndexMetrics(Metrics& metrics);

  Gauge& lag_seconds;  // age of the newest event when it became findable
  Counter& batches;
  Counter& documents_applied;
  Counter& documents_stale;
  Counter& failures;
  Counter& dead_letters;

  Gauge& reindex_tenants;  // that wait for their new index
  Gauge& reindex_progress;
  Gauge& reindex_messages_per_second;
  Counter& reindexed_messages;
  Counter& reindex_failures;
};

}  // namespace parley::search
