// SearchProxy: a search on its way through the cache: answered from it, by waiting for the same question under way, by
// what another gateway found (SharedSearches), or by search itself, over the Proxy. Which of these, the answer says:
// `X-Cache: hit` with `Age`, or `miss`. Never keeps anything but a whole 200, nor what was found before a write that is
// under way, never gives one user's answer to another, and without news from search is a plain proxy. One for all
// search routes, used from all loops. Always answers.
#pragma once
#include <string>

#include "base/clock.h"
#include "gateway/proxy.h"
#include "gateway/recent_recorder.h"
#include "gateway/search_cache.h"
#include "gateway/search_key.h"
#include "gateway/shared_searches.h"
#include "gateway/tenant_epochs.h"
#include "gateway/told_queries.h"
#include "http/exchange.h"
#include "telemetry/metrics.h"

namespace parley::gateway {

class SearchProxy {
 public:
  // What is passed by reference must outlive this.
  SearchProxy(Proxy& proxy, SearchCache& cache, const TenantEpochs& epochs, RecentRecorder& recent, const Clock& clock,
              Metrics& metrics, SharedSearches* others = nullptr);  // null: other gateways are not asked

  Task<http::Response> search(http::Exchange& exchange);
  // DELETE of the user's recent searches.
  Task<http::Response> clear_recent(http::Exchange& exchange);

 private:
  // `key`: of what is asked, where it could be kept.
  Task<http::Response> ask(http::Exchange& exchange, const SearchKey* key);
  Task<http::Response> ask_for_all(http::Exchange& exchange, const SearchKey& key, SearchCache::Lead lead,
                                   TenantEpochs::Standing standing, SteadyTime asked_at);
  Task<http::Response> wait(http::Exchange& exchange, const SearchKey& key, OneShotFuture<KeptAnswer> answer);
  http::Response give(const CachedAnswer& answer) const;
  // Has a query that the cache answers stand first among the user's recent ones.
  void note(const http::Exchange& exchange, const SearchKey& key, SteadyTime now);

  Proxy& proxy_;
  SearchCache& cache_;
  const TenantEpochs& epochs_;
  RecentRecorder& recent_;
  SharedSearches* const others_;
  const Clock& clock_;
  ToldQueries told_;
  Counter& hits_;
  Counter& shared_;
  Counter& elsewhere_;
  Counter& misses_;
  Counter& bypassed_;
  Counter& unheard_;
};

}  // namespace parley::gateway
