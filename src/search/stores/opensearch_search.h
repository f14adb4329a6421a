// A page of hits out of the OpenSearch index. By relevance the newest matches are ranked here, by the same ranking as
// over every index. On the loop that asks.
#pragma once
#include "search/stores/opensearch_cluster.h"

namespace parley::search {

Task<Result<SearchPage>> search_page(OpenSearchCluster& cluster, SearchRequest request, SteadyTime deadline);

}  // namespace parley::search
