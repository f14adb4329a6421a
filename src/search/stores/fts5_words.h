// Words for those that were mistyped, out of the newest messages that a caller may read: never out of the index's
// vocabulary, which is everyone's. Inside one snapshot, on a reader's thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

struct NearWordsRequest {
  SearchScope scope;
  Query query;
};
Result<std::optional<std::string>> near_words(sqlite::Connection& db, const NearWordsRequest& request);

}  // namespace parley::search
