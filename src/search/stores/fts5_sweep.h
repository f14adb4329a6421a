// Getting rid of what nothing serves any more: generations that a rebuild replaced, conversations that were erased.
// Inside the writer's transaction.
#pragma once
#include <cstddef>

#include "drivers/sqlite/connection.h"

namespace parley::search {

// Deletes at most `limit` documents, tombstones and directory rows, or renews as many entries (fts5_entries.h); whether
// there is more.
bool sweep_dropped(sqlite::Connection& db, std::size_t limit);

}  // namespace parley::search
