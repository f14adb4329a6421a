// What the OpenSearch index holds, for those who compare it with the store. A message counts when it could be found. On
// the loop that asks.
#pragma once
#include <optional>
#include <vector>

#include "search/stores/opensearch_cluster.h"

namespace parley::search {

Task<Result<std::int64_t>> count_messages(OpenSearchCluster& cluster, TenantId tenant, ConversationId conversation,
                                          SteadyTime deadline);
Task<Result<std::vector<IndexedConversation>>> list_conversations(OpenSearchCluster& cluster, TenantId tenant,
                                                                  std::optional<ConversationId> after,
                                                                  std::size_t limit, SteadyTime deadline);
Task<Result<std::vector<IndexedMessage>>> look_up_messages(OpenSearchCluster& cluster, TenantId tenant,
                                                           ConversationId conversation, std::vector<MessageId> ids,
                                                           SteadyTime deadline);

}  // namespace parley::search
