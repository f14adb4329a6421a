// The writing half of the OpenSearch index. What the index has of everything that a batch touches is read first, the
// changes are made one after the other in memory by the rules of the port, and what comes of each document is written
// with its number as version: whoever was faster with something newer keeps it. How far the log was read is written
// last, so a crash repeats changes, which then are stale.
#pragma once
#include "search/stores/opensearch_cluster.h"
#include "search/stores/opensearch_documents.h"

namespace parley::search {

Task<Result<ApplyOutcome>> apply_batch(OpenSearchCluster& cluster, ChangeBatch batch, SteadyTime deadline);
// The dead letters of a log that is followed no more go.
Task<Result<>> follow_lanes(OpenSearchCluster& cluster, std::vector<LaneProgress> lanes, SteadyTime deadline);
// What a rebuild read goes to the generation that is being built, and to no other.
Task<Result<RebuildState>> apply_rebuild_step(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                              RebuildStep step, SteadyTime deadline);
Task<Result<std::int64_t>> count_dead_letters(OpenSearchCluster& cluster, SteadyTime deadline);

}  // namespace parley::search
