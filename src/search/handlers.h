// The handlers of search, one for each operation of api/search.yaml, and what they share. A search is parse → authorise
// → scope (messaging) → index → lookup (messaging: checked again, present fields) → encode. They run on the loop that
// serves the request; a failure is an Error that becomes a problem.
#pragma once
#include <memory>

#include "events/event_log.h"
#include "http/openapi/validated_request.h"
#include "rate_limit/caller_limit.h"
#include "search/change_feed.h"
#include "search/index_check.h"
#include "search/index_lag.h"
#include "search/index_progress.h"
#include "search/messaging_client.h"
#include "search/payload_cipher.h"
#include "search/recent_searches.h"
#include "search/reindex_control.h"
#include "search/result_cache.h"
#include "search/search_index.h"
#include "search/search_metrics.h"

namespace parley::search {

// The parts of the role, made once.
struct Search {
  SearchIndex& index;
  RecentSearches& recent;
  events::EventLog& log;
  IndexProgress& progress;
  ChangeFeed& changes;
  ReindexControl& reindex;
  IndexCheck& check;
  const Clock& clock;
  MessagingClient messaging;
  CallerLimit searches;
  CallerLimit suggestions;
  PayloadCipher cipher;
  SearchMetrics metrics;
  ResultCache cache{};
  IndexLag lag{};
};

// One request on its way; lives in the frame of the coroutine that serves it. `caller` is null on internal routes.
struct Call {
  Search& search;
  http::Exchange& exchange;
  const http::openapi::ValidatedRequest& request;
  std::shared_ptr<const Caller> caller;
  SteadyTime started_at;
  SteadyTime deadline;
};

using Answer = Task<Result<http::Response>>;

Answer search_messages(Call& call);
Answer search_conversations(Call& call);
Answer search_users(Call& call);
Answer search_all(Call& call);

Answer list_suggestions(Call& call);
Answer list_recent_searches(Call& call);
Answer clear_recent_searches(Call& call);
Answer record_recent_search(Call& call);

Answer start_reindex(Call& call);
Answer get_reindex(Call& call);

Answer follow_changes(Call& call);
Answer start_any_reindex(Call& call);
Answer get_any_reindex(Call& call);
Answer check_index(Call& call);

}  // namespace parley::search
