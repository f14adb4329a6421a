// What to go on with while something is being typed, and words for those that were mistyped: out of the newest messages
// that the caller may read, of which the texts are read; never out of the engine's vocabulary, which is everyone's. On
// the loop that asks.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "search/stores/opensearch_cluster.h"

namespace parley::search {

Task<Result<std::vector<Suggestion>>> suggestions(OpenSearchCluster& cluster, SuggestRequest request,
                                                  SteadyTime deadline);
Task<Result<std::optional<std::string>>> near_words(OpenSearchCluster& cluster, SearchScope scope, Query query,
                                                    SteadyTime deadline);

}  // namespace parley::search
