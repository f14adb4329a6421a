// What to go on with while something is being typed: words out of messages, conversations by name and people. Words
// come from the newest messages of the scope's first conversations; the index is asked for others only where these have
// few, for the words of a prefix are many. Never from the vocabulary, which is everyone's. Inside one snapshot, on a
// reader's thread.
#pragma once
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

Result<std::vector<Suggestion>> suggestions(sqlite::Connection& db, const SuggestRequest& request);

}  // namespace parley::search
