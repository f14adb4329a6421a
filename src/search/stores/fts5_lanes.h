// How far the index is in each lane of the log: a row for each, and the least of them as the whole index's. Called with
// a connection that is in a transaction, by the writer; read_lanes() by readers too.
#pragma once
#include <vector>

#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

std::vector<LaneProgress> read_lanes(sqlite::Connection& db);
// As a batch says; nothing goes back.
void advance_lanes(sqlite::Connection& db, const ChangeBatch& batch);
// As SearchIndex::follow_lanes says.
void replace_lanes(sqlite::Connection& db, const std::vector<LaneProgress>& lanes);

}  // namespace parley::search
