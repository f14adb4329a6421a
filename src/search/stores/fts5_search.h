// A page of hits out of the FTS5 index, inside one snapshot, on a reader's thread.
#pragma once
#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

Result<SearchPage> search_page(sqlite::Connection& db, const SearchRequest& request);
events::LogOffset read_progress(sqlite::Connection& db);

}  // namespace parley::search
