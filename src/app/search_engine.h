// SearchEngine: the OpenSearch or Elasticsearch that ELASTICSEARCH_URL names, as the search role uses it: the index
// over it, and a check for /health, which needs it. Made by the wiring before the loops run; destroyed after they have
// stopped.
#pragma once
#include <memory>

#include "base/clock.h"
#include "base/event_loop.h"
#include "config/settings.h"
#include "drivers/opensearch/client.h"
#include "http/operations/operational_routes.h"
#include "resilience/timer.h"
#include "search/stores/opensearch_search_index.h"

namespace parley::app {

class SearchEngine {
 public:
  // Null where ELASTICSEARCH_URL is not set. fail: invalid, with the variable that is at fault. The engine need not be
  // there.
  static Result<std::unique_ptr<SearchEngine>> open(const Settings& settings, EventLoops& loops, const Clock& clock);

  search::SearchIndex& index() { return index_; }
  // Not on a loop; on `loop`, which runs. Until the engine answers and has the indexes, at most ENGINE_WAIT_SECONDS.
  Result<> wait_until_ready(EventLoop& loop);
  http::HealthCheck health_check();

 private:
  SearchEngine(const Settings& settings, EventLoops& loops, const Clock& clock, opensearch::ClientOptions options);

  const Clock& clock_;
  const std::chrono::seconds wait_;
  LoopTimer timer_;
  opensearch::Client client_;
  search::OpenSearchIndex index_;
};

}  // namespace parley::app
