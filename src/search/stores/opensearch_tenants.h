// What the OpenSearch index keeps of each tenant, in a small document that several processes may change: the generation
// that serves and the one that is being built, what was dropped or erased and is still to be swept. And how far the
// index is in the log. Both are read as they are now.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "search/stores/opensearch_cluster.h"
#include "search/stores/opensearch_documents.h"

namespace parley::search {

struct TenantState {
  TenantId tenant;
  std::int64_t serving = 1;
  std::int64_t building = 0;  // 0: none
  std::int64_t next = 2;      // generation
  RebuildState rebuild;       // of the one that is being built

  // Messages of a conversation up to a number: no search finds them, and a sweep deletes them.
  struct Erasure {
    std::int64_t generation = 0;
    ConversationId conversation;
    std::int64_t number = 0;
    bool operator==(const Erasure&) const = default;
  };
  std::vector<Erasure> erased;
  std::vector<std::int64_t> dropped;  // generations that nothing serves any more
  std::vector<std::int64_t> told;     // generations that are built: what was told of reactions meanwhile

  Target serving_target() const { return {tenant, serving, false}; }
  Target building_target() const { return {tenant, building, true}; }
  bool has_trash() const { return !erased.empty() || !dropped.empty() || !told.empty(); }

  json::object to_json() const;
  static TenantState from_json(const json::object& source);
};
std::string tenant_document_id(const TenantId& tenant);

// Of a tenant that something was written for.
Task<Result<std::optional<TenantState>>> read_tenant(OpenSearchCluster& cluster, TenantId tenant, SteadyTime deadline);
// Those of `tenants`, made where there is none; in their order.
Task<Result<std::vector<TenantState>>> ensure_tenants(OpenSearchCluster& cluster, std::vector<TenantId> tenants,
                                                      SteadyTime deadline);
// Changes it as `change` does, which is called again when another process was faster. `make`: also where there is none.
using TenantChange = std::function<Result<>(TenantState&)>;
Task<Result<TenantState>> change_tenant(OpenSearchCluster& cluster, TenantId tenant, bool make, TenantChange change,
                                        SteadyTime deadline);
// What `filter` of the states' fields finds, by tenant; at most `most`.
Task<Result<std::vector<TenantState>>> find_tenants(OpenSearchCluster& cluster, std::string flag, std::size_t most,
                                                    std::optional<TenantId> after, SteadyTime deadline);

struct IndexLanes {
  std::vector<LaneProgress> lanes{LaneProgress{}};
  events::LogOffset through() const;
};
Task<Result<IndexLanes>> read_lanes(OpenSearchCluster& cluster, SteadyTime deadline);
Task<Result<>> advance_lanes(OpenSearchCluster& cluster, std::vector<LaneProgress> to, std::int32_t count,
                             SteadyTime deadline);
Task<Result<>> replace_lanes(OpenSearchCluster& cluster, std::vector<LaneProgress> lanes, SteadyTime deadline);

// What a search reads first: afterwards it finds all that `through` says.
struct TenantView {
  std::optional<TenantState> state;
  events::LogOffset through;
};
Task<Result<TenantView>> view_of(OpenSearchCluster& cluster, TenantId tenant, SteadyTime deadline);

// Rebuilds, as SearchIndex says.
Task<Result<RebuildState>> begin_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id, WallTime now,
                                         SteadyTime deadline);
Task<Result<TenantState>> find_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                       SteadyTime deadline);
Task<Result<RebuildState>> advance_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                           RebuildStep step, SteadyTime deadline);
Task<Result<RebuildState>> finish_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                          SteadyTime deadline);
Task<Result<>> abandon_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id, SteadyTime deadline);
Task<Result<std::vector<RebuildState>>> read_rebuilds(OpenSearchCluster& cluster, SteadyTime deadline);

}  // namespace parley::search
