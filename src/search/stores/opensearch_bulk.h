// Writing many documents: each with its version, so that a late or repeated one never wins. What the engine has no time
// for is written again, one by one; what it refuses fails the whole, for whoever halves it until the culprit is alone.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "search/stores/opensearch_cluster.h"

namespace parley::search {

struct DocumentWrite {
  std::string index;
  std::string id;
  std::string route;
  std::string source;  // JSON
  std::optional<std::int64_t> version;
  bool or_equal = false;  // takes the place of one of the same version too
};

// Of each, whether it was written; false: what is there is as new. fail: unavailable and overloaded after several
// tries, invalid and too_large for what is refused. Others may have been written then.
Task<Result<std::vector<bool>>> write_documents(OpenSearchCluster& cluster, std::vector<DocumentWrite> writes,
                                                SteadyTime deadline);

}  // namespace parley::search
