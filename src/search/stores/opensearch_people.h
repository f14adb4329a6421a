// People by name, in order: by the first spelling that begins as typed, then by the first word that the longest typed
// one begins. The engine sorts by exactly that, for a person's spellings and words are documents within the person's.
// On the loop that asks.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "search/index_requests.h"
#include "search/stores/opensearch_cluster.h"
#include "search/stores/opensearch_tenants.h"
#include "search/text/name_match.h"

namespace parley::search {

struct FoundPerson {
  DirectoryPlace place;  // rank: 0 by a spelling, 1 by a word
  std::string name;
};
struct FoundPeople {
  std::vector<FoundPerson> people;
  std::optional<DirectoryPlace> stopped_at;  // so many were read that the rest is left for another page
};
// At most `most` of those after `after`. `query` is not empty.
Task<Result<FoundPeople>> fitting_people(OpenSearchCluster& cluster, TenantState state, NameQuery query,
                                         std::optional<DirectoryPlace> after, std::size_t most, SteadyTime deadline);

}  // namespace parley::search
