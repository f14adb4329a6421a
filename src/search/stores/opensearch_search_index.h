// OpenSearchIndex: the SearchIndex over OpenSearch or Elasticsearch (see opensearch_schema.h for what is where).
// Several processes may use one: each applies the lanes that it reads, all search. It keeps nothing but what was
// refreshed. Owned by the wiring, which gives it a client that outlives it; called on event loops. Makes its indexes
// when first used, or by prepare(). fail: as the port says, and as opensearch::Client does.
#pragma once
#include <atomic>
#include <string>

#include "base/clock.h"
#include "search/search_index.h"
#include "search/stores/opensearch_cluster.h"

namespace parley::search {

class OpenSearchIndex final : public SearchIndex {
 public:
  struct Options {
    std::string prefix = "parley";
    OpenSearchShards shards;
  };
  OpenSearchIndex(opensearch::Client& client, Options options, const Clock& clock)
      : clock_(clock), cluster_(client, options.prefix, std::move(options.shards)) {}

  // Whether the engine answers and has our indexes; makes those that are not there.
  Task<Result<>> prepare(SteadyTime deadline) { return cluster_.prepare(deadline); }
  // Whether it answers.
  Task<Result<>> ping(SteadyTime deadline);

  Task<Result<ApplyOutcome>> apply(ChangeBatch batch, SteadyTime deadline) override;
  Task<Result<>> follow_lanes(std::vector<LaneProgress> lanes, SteadyTime deadline) override;
  Task<Result<std::vector<LaneProgress>>> lanes(SteadyTime deadline) override;
  Task<Result<events::LogOffset>> indexed_through(SteadyTime deadline) override;
  Task<Result<SearchPage>> search(SearchRequest request, SteadyTime deadline) override;
  Task<Result<std::vector<Suggestion>>> suggest(SuggestRequest request, SteadyTime deadline) override;
  Task<Result<std::optional<std::string>>> did_you_mean(SearchScope scope, Query query, SteadyTime deadline) override;
  Task<Result<DirectoryPage>> find_conversations(DirectoryRequest request, SteadyTime deadline) override;
  Task<Result<DirectoryPage>> find_users(DirectoryRequest request, SteadyTime deadline) override;
  Task<Result<NamedIds>> ids_by_name(NamesRequest request, SteadyTime deadline) override;
  Task<Result<RebuildState>> begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<RebuildState>> add_to_rebuild(TenantId tenant, std::string id, RebuildStep step,
                                            SteadyTime deadline) override;
  Task<Result<RebuildState>> finish_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<>> abandon_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<std::vector<RebuildState>>> rebuilds(SteadyTime deadline) override;
  Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) override;
  Task<Result<std::int64_t>> count(TenantId tenant, ConversationId conversation, SteadyTime deadline) override;
  Task<Result<std::vector<IndexedConversation>>> indexed_conversations(TenantId tenant,
                                                                       std::optional<ConversationId> after,
                                                                       std::size_t limit, SteadyTime deadline) override;
  Task<Result<std::vector<IndexedMessage>>> lookup(TenantId tenant, ConversationId conversation,
                                                   std::vector<MessageId> ids, SteadyTime deadline) override;
  Task<Result<std::int64_t>> dead_letters(SteadyTime deadline) override;

 private:
  Task<> sweep_beside(SteadyTime deadline);

  const Clock& clock_;
  OpenSearchCluster cluster_;
  std::atomic<bool> may_have_trash_{true};  // something is to be swept, as far as this process knows
};

}  // namespace parley::search
