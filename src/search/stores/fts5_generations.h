// Tenants and their generations: the index that serves, and the one that a rebuild makes beside it. Inside one
// transaction, on the thread that has it.
#pragma once
#include <optional>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

struct TenantGenerations {
  std::int64_t tenant = 0;
  std::int64_t serving = 0;
  std::optional<std::int64_t> building;
};

// Of a tenant that something was written for.
std::optional<TenantGenerations> generations_of(sqlite::Connection& db, const TenantId& tenant);
// The same, made when there is none.
TenantGenerations ensure_tenant(sqlite::Connection& db, const TenantId& tenant);
std::optional<std::int64_t> serving_generation(sqlite::Connection& db, const TenantId& tenant);
// The conversation's number in what serves.
std::optional<std::int64_t> conversation_number(sqlite::Connection& db, std::int64_t generation,
                                                const ConversationId& conversation);

Result<RebuildState> begin_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id, WallTime now);
// Notes where the reader of the store is; the changes themselves are apply_rebuild_step's.
Result<RebuildState> advance_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id,
                                     const RebuildStep& step);
Result<RebuildState> finish_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id);
Result<> abandon_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id);
std::vector<RebuildState> read_rebuilds(sqlite::Connection& db);

// A new generation that nothing serves: what is moved into it goes with the next sweeps.
std::int64_t new_dropped_generation(sqlite::Connection& db);

}  // namespace parley::search
