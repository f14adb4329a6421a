#include "search/index_metrics.h"

namespace parley::search {

namespace {

MetricLabels labels(const char* outcome = nullptr) {
  MetricLabels made{{"role", "search"}};
  if (outcome != nullptr) made.emplace("outcome", outcome);
  return made;
}

constexpr const char* kDocuments = "parley_search_index_changes_total";
constexpr const char* kDocumentsHelp = "Changes taken into the index; stale ones were repeated or late";

}  // namespace

IndexMetrics::IndexMetrics(Metrics& metrics)
    : lag_seconds(metrics.gauge("parley_search_index_lag_seconds",
                                "Age of the newest indexed event when it became findable", labels())),
      batches(metrics.counter("parley_search_index_batches_total", "Batches of events indexed", labels())),
      documents_applied(metrics.counter(kDocuments, kDocumentsHelp, labels("applied"))),
      documents_stale(metrics.counter(kDocuments, kDocumentsHelp, labels("stale"))),
      failures(metrics.counter("parley_search_index_failures_total",
                               "Batches that the index did not take; they come "
                               "again",
                               labels())),
      dead_letters(metrics.counter("parley_search_dead_letters_total", "Events that cannot be indexed", labels())),
      reindex_tenants(
          metrics.gauge("parley_search_reindex_tenants", "Tenants that wait for their new index", labels())),
      reindex_progress(
          metrics.gauge("parley_search_reindex_progress", "How much of the present tenant is read, 0 to 1", labels())),
      reindex_messages_per_second(metrics.gauge("parley_search_reindex_messages_per_second",
                                                "Messages reindexed in a second, 0 while nothing is", labels())),
      reindexed_messages(
          metrics.counter("parley_search_reindexed_messages_total", "Messages written to a new index", labels())),
      reindex_failures(metrics.counter("parley_search_reindex_failures_total",
                                       "Steps of a reindex that failed and come again", labels())) {}

}  // namespace parley::search
