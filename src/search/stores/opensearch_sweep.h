// Getting rid of what nothing serves any more, a bounded number of documents at a time: generations that a rebuild
// replaced, conversations that were erased. On the loop that asks.
#pragma once
#include "search/stores/opensearch_cluster.h"

namespace parley::search {

// Deletes at most `limit` documents; whether there is more.
Task<Result<bool>> sweep_dropped(OpenSearchCluster& cluster, std::size_t limit, SteadyTime deadline);

}  // namespace parley::search
