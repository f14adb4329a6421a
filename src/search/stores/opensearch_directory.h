// Conversations and people by what they are called, out of the OpenSearch index. Conversations are asked for among
// those of the scope and all that fit are put in order here; people come in the engine's order, by the first spelling
// or word that fits, and no question reads more than kMaxDirectoryRows of them. On the loop that asks.
#pragma once
#include <string>
#include <vector>

#include "search/stores/opensearch_cluster.h"
#include "search/stores/opensearch_tenants.h"

namespace parley::search {

Task<Result<DirectoryPage>> conversations_page(OpenSearchCluster& cluster, DirectoryRequest request,
                                               SteadyTime deadline);
Task<Result<DirectoryPage>> users_page(OpenSearchCluster& cluster, DirectoryRequest request, SteadyTime deadline);
Task<Result<NamedIds>> named_ids(OpenSearchCluster& cluster, NamesRequest request, SteadyTime deadline);

// For suggestions: names that begin with, or have words that begin with, what was typed; the best first.
Task<Result<std::vector<Suggestion>>> suggest_conversations(OpenSearchCluster& cluster, TenantState state,
                                                            SearchScope scope, std::string typed, std::size_t most,
                                                            SteadyTime deadline);
Task<Result<std::vector<Suggestion>>> suggest_users(OpenSearchCluster& cluster, TenantState state, std::string typed,
                                                    std::size_t most, SteadyTime deadline);

}  // namespace parley::search
