// The writing half of the FTS5 index: one batch inside one transaction, on the writer's thread.
#pragma once
#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

Result<ApplyOutcome> apply_batch(sqlite::Connection& db, const ChangeBatch& batch);
// What a rebuild read goes to the generation that is being built, and to no other.
Result<RebuildState> apply_rebuild_step(sqlite::Connection& db, const TenantId& tenant, const std::string& id,
                                        const RebuildStep& step);

}  // namespace parley::search
