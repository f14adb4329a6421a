// Words out of the newest messages that a caller may read: to go on with what was typed, and for what was mistyped.
// Neither reads the index's vocabulary, which is everyone's. Inside one snapshot, on a reader's thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

Result<std::vector<Suggestion>> suggest_words(sqlite::Connection& db, const SuggestRequest& request);

struct NearWordsRequest {
  SearchScope scope;
  Query query;
};
Result<std::optional<std::string>> near_words(sqlite::Connection& db, const NearWordsRequest& request);

}  // namespace parley::search
