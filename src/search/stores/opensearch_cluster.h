// OpenSearchCluster: what the parts of the OpenSearch index ask the engine in common: documents by id, which are
// answered as they are now; searches, which see what has been refreshed; small documents that several processes change.
// It knows what this process wrote and what others said they did, and refreshes before a search that could miss it.
//
// Owned by the index; called on event loops. fail: as opensearch::Client says.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/one_shot.h"
#include "drivers/opensearch/client.h"
#include "search/search_index.h"
#include "search/stores/opensearch_json.h"
#include "search/stores/opensearch_schema.h"

namespace parley::search {

// Which write of a document it was; a write that names an older one than the last is refused.
struct SeenWrite {
  std::int64_t seq_no = 0;
  std::int64_t primary_term = 0;
};

struct StoredDocument {
  json::object source;
  SeenWrite seen;
};

struct WantedDocument {
  std::string index;
  std::string id;
  std::string route;
  std::vector<std::string> fields;  // empty: all
};

class OpenSearchCluster {
 public:
  OpenSearchCluster(opensearch::Client& client, const std::string& prefix, OpenSearchShards shards)
      : names(prefix), client_(client), shards_(std::move(shards)) {}

  const OpenSearchNames names;

  // Makes templates, indexes and aliases that are not there; does nothing once it has.
  Task<Result<>> prepare(SteadyTime deadline);

  Task<Result<opensearch::Answer>> ask(http::Method method, std::string target, std::string body, SteadyTime deadline);
  // The answer's body. What is missing of the index is made the next time.
  Task<Result<json::object>> search(const std::string& index, const TenantId& tenant, json::object body,
                                    SteadyTime deadline);
  // Of all tenants, in the index of states.
  Task<Result<json::object>> search_state(json::object body, SteadyTime deadline);
  // In the order of `wanted`.
  Task<Result<std::vector<std::optional<StoredDocument>>>> fetch(std::vector<WantedDocument> wanted,
                                                                 SteadyTime deadline);
  Task<Result<std::optional<StoredDocument>>> fetch_state(std::string id, SteadyTime deadline);
  // Writes a document of the states unless another wrote it since it was seen; then false.
  Task<Result<bool>> put_state(std::string id, json::object source, std::optional<SeenWrite> seen, SteadyTime deadline);
  // How many documents of the tenant were deleted, `most` at the most, and whether some changed meanwhile.
  struct Deleted {
    std::size_t count = 0;
    bool missed_some = false;
  };
  Task<Result<Deleted>> delete_matching(const std::string& index, const TenantId& tenant, json::object query,
                                        std::size_t most, SteadyTime deadline);

  // Something was written that a search must find from now on.
  void note_write() { written_.fetch_add(1, std::memory_order_acq_rel); }
  // Until a search finds all that was noted here, and what stands behind `stamp`, which others change as they write.
  Task<Result<>> refresh_to(std::int64_t stamp, SteadyTime deadline);
  Task<Result<>> refresh(const std::string& indexes, SteadyTime deadline);

 private:
  struct Refreshed {};
  struct Seen {
    std::uint64_t written = 0;
    std::int64_t stamp = INT64_MIN;
  };
  Task<Result<>> make(const IndexTemplate& made, SteadyTime deadline);
  Result<json::object> body_of(Result<opensearch::Answer> answer);

  opensearch::Client& client_;
  const OpenSearchShards shards_;
  std::atomic<bool> prepared_{false};
  std::atomic<std::uint64_t> written_{1};

  std::mutex mutex_;  // of all below
  Seen shown_;
  bool refreshing_ = false;
  std::vector<OneShotPromise<Refreshed>> waiting_;
};

// The hits of a search's answer.
struct FoundDocument {
  const json::object* source;
  const json::array* sort;  // where the search was sorted
};
std::vector<FoundDocument> hits_of(const json::object& answer);
struct FoundTotal {
  std::int64_t count = 0;
  bool is_exact = true;
};
FoundTotal total_of(const json::object& answer);

}  // namespace parley::search
