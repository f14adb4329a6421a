// MemoryIndex: a SearchIndex for tests of what writes and checks one: it keeps the rules of the port in plain maps, one
// generation that serves and one that is built for each tenant, and fails or refuses what a test tells it to. It finds
// nothing. Used on one loop, and by the test while that is idle. Lives over "restarts": a test makes what uses it anew.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "search/search_index.h"

namespace parley::search::testing {

class MemoryIndex final : public SearchIndex {
 public:
  struct Document {
    std::int64_t number = 0;
    bool live = true;
    MessageWritten message;
  };
  struct Generation {
    std::map<ConversationId, std::map<MessageId, Document>> documents;
    std::map<ConversationId, std::int64_t> erased;
    std::map<std::string, std::pair<std::int64_t, std::string>> entries;  // conversations and users: number, name
  };

  // What a test looks at and sets.
  std::map<TenantId, Generation> serving;
  std::map<TenantId, std::pair<RebuildState, Generation>> building;
  std::map<std::int64_t, DeadLetter> letters;
  events::LogOffset through;  // the least of at_lanes
  std::map<std::int32_t, LaneProgress> at_lanes{{0, {}}};
  std::string refused_content = "poison";  // a change that says this is invalid
  int failures = 0;                        // so many writes fail first
  int begin_failures = 0;                  // so many rebuilds fail to begin, whatever is under way
  int lost_answers = 0;                    // so many writes after that happen, and their answer is lost
  int applies = 0;                         // tried
  int steps = 0;                           // taken
  int sweeps_left = 0;
  std::int64_t unfindable = 0;        // in each conversation, of what is there
  std::function<void()> before_step;  // runs before a step is added
  std::function<void()> after_begin;  // runs when a rebuild has begun, a while before whoever asked hears of it
  SteadyTime longest_begin{};         // the latest deadline that a rebuild was begun with

  std::vector<std::string> contents(const TenantId& tenant, const ConversationId& conversation) const;

  Task<Result<ApplyOutcome>> apply(ChangeBatch batch, SteadyTime deadline) override;
  Task<Result<>> follow_lanes(std::vector<LaneProgress> lanes, SteadyTime) override;
  Task<Result<std::vector<LaneProgress>>> lanes(SteadyTime) override;
  Task<Result<events::LogOffset>> indexed_through(SteadyTime) override { co_return through; }
  Task<Result<SearchPage>> search(SearchRequest, SteadyTime) override { co_return SearchPage{}; }
  Task<Result<std::vector<Suggestion>>> suggest(SuggestRequest, SteadyTime) override {
    co_return std::vector<Suggestion>{};
  }
  Task<Result<std::optional<std::string>>> did_you_mean(SearchScope, Query, SteadyTime) override {
    co_return std::optional<std::string>{};
  }
  Task<Result<DirectoryPage>> find_conversations(DirectoryRequest, SteadyTime) override { co_return DirectoryPage{}; }
  Task<Result<DirectoryPage>> find_users(DirectoryRequest, SteadyTime) override { co_return DirectoryPage{}; }
  Task<Result<NamedIds>> ids_by_name(NamesRequest, SteadyTime) override { co_return NamedIds{}; }

  Task<Result<RebuildState>> begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<RebuildState>> add_to_rebuild(TenantId tenant, std::string id, RebuildStep step, SteadyTime) override;
  Task<Result<RebuildState>> finish_rebuild(TenantId tenant, std::string id, SteadyTime) override;
  Task<Result<>> abandon_rebuild(TenantId tenant, std::string id, SteadyTime) override;
  Task<Result<std::vector<RebuildState>>> rebuilds(SteadyTime) override;
  Task<Result<bool>> sweep(std::size_t, SteadyTime) override { co_return sweeps_left-- > 0; }

  Task<Result<std::int64_t>> count(TenantId tenant, ConversationId conversation, SteadyTime) override;
  Task<Result<std::vector<IndexedConversation>>> indexed_conversations(TenantId tenant,
                                                                       std::optional<ConversationId> after,
                                                                       std::size_t limit, SteadyTime) override;
  Task<Result<std::vector<IndexedMessage>>> lookup(TenantId tenant, ConversationId conversation,
                                                   std::vector<MessageId> ids, SteadyTime) override;
  Task<Result<std::int64_t>> dead_letters(SteadyTime) override { co_return static_cast<std::int64_t>(letters.size()); }

 private:
  static bool take(Generation& generation, const IndexChange& change);
  static std::int64_t live_in(const std::map<MessageId, Document>& documents);
  // The tenant's rebuild if it is that one, or null.
  std::pair<RebuildState, Generation>* rebuild_of(const TenantId& tenant, const std::string& id);
  bool is_refused(const std::vector<IndexChange>& changes) const;
  // What a write meets before it may happen.
  Result<> gate(const std::vector<IndexChange>& changes);
  // And after.
  Result<> answer();
  void settle_through();
};

}  // namespace parley::search::testing
