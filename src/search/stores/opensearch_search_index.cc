#include "search/stores/opensearch_search_index.h"

#include <algorithm>

#include "search/stores/opensearch_apply.h"
#include "search/stores/opensearch_checks.h"
#include "search/stores/opensearch_directory.h"
#include "search/stores/opensearch_search.h"
#include "search/stores/opensearch_suggest.h"
#include "search/stores/opensearch_sweep.h"
#include "search/stores/opensearch_tenants.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

// So that what an erased conversation held goes without anyone's asking.
constexpr std::size_t kSweptWithABatch = 1000;

bool erases(const ChangeBatch& batch) {
  return std::ranges::any_of(
      batch.changes, [](const IndexChange& change) { return std::holds_alternative<ConversationErased>(change.what); });
}

}  // namespace

Task<Result<>> OpenSearchIndex::ping(SteadyTime deadline) {
  auto answer = co_await cluster_.fetch_state("progress", deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  co_return Result<>{};
}

Task<Result<ApplyOutcome>> OpenSearchIndex::apply(ChangeBatch batch, SteadyTime deadline) {
  if (erases(batch)) may_have_trash_ = true;
  auto outcome = co_await apply_batch(cluster_, std::move(batch), deadline);
  if (outcome && may_have_trash_) co_await sweep_beside(deadline);
  co_return outcome;
}

// The batch is written: that sweeping fails is nobody's concern but the next sweep's.
Task<> OpenSearchIndex::sweep_beside(SteadyTime deadline) {
  may_have_trash_ = false;
  const auto more = co_await sweep_dropped(cluster_, kSweptWithABatch, deadline);
  if (!more) log_warn("sweeping the search index failed", {{"code", more.error().code}});
  if (!more || *more) may_have_trash_ = true;
}

Task<Result<>> OpenSearchIndex::follow_lanes(std::vector<LaneProgress> lanes, SteadyTime deadline) {
  return search::follow_lanes(cluster_, std::move(lanes), deadline);
}

Task<Result<std::vector<LaneProgress>>> OpenSearchIndex::lanes(SteadyTime deadline) {
  auto read = co_await read_lanes(cluster_, deadline);
  if (!read) co_return fail(std::move(read.error()));
  co_return std::move(read->lanes);
}

Task<Result<events::LogOffset>> OpenSearchIndex::indexed_through(SteadyTime deadline) {
  auto read = co_await read_lanes(cluster_, deadline);
  if (!read) co_return fail(std::move(read.error()));
  co_return read->through();
}

Task<Result<SearchPage>> OpenSearchIndex::search(SearchRequest request, SteadyTime deadline) {
  return search_page(cluster_, std::move(request), deadline);
}

Task<Result<std::vector<Suggestion>>> OpenSearchIndex::suggest(SuggestRequest request, SteadyTime deadline) {
  return suggestions(cluster_, std::move(request), deadline);
}

Task<Result<std::optional<std::string>>> OpenSearchIndex::did_you_mean(SearchScope scope, Query query,
                                                                       SteadyTime deadline) {
  return near_words(cluster_, std::move(scope), std::move(query), deadline);
}

Task<Result<DirectoryPage>> OpenSearchIndex::find_conversations(DirectoryRequest request, SteadyTime deadline) {
  return conversations_page(cluster_, std::move(request), deadline);
}

Task<Result<DirectoryPage>> OpenSearchIndex::find_users(DirectoryRequest request, SteadyTime deadline) {
  return users_page(cluster_, std::move(request), deadline);
}

Task<Result<NamedIds>> OpenSearchIndex::ids_by_name(NamesRequest request, SteadyTime deadline) {
  return named_ids(cluster_, std::move(request), deadline);
}

Task<Result<RebuildState>> OpenSearchIndex::begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  return search::begin_rebuild(cluster_, std::move(tenant), std::move(id), clock_.wall_now(), deadline);
}

Task<Result<RebuildState>> OpenSearchIndex::add_to_rebuild(TenantId tenant, std::string id, RebuildStep step,
                                                           SteadyTime deadline) {
  return apply_rebuild_step(cluster_, std::move(tenant), std::move(id), std::move(step), deadline);
}

Task<Result<RebuildState>> OpenSearchIndex::finish_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  may_have_trash_ = true;
  return search::finish_rebuild(cluster_, std::move(tenant), std::move(id), deadline);
}

Task<Result<>> OpenSearchIndex::abandon_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  may_have_trash_ = true;
  return search::abandon_rebuild(cluster_, std::move(tenant), std::move(id), deadline);
}

Task<Result<std::vector<RebuildState>>> OpenSearchIndex::rebuilds(SteadyTime deadline) {
  return read_rebuilds(cluster_, deadline);
}

Task<Result<bool>> OpenSearchIndex::sweep(std::size_t limit, SteadyTime deadline) {
  return sweep_dropped(cluster_, limit, deadline);
}

Task<Result<std::int64_t>> OpenSearchIndex::count(TenantId tenant, ConversationId conversation, SteadyTime deadline) {
  return count_messages(cluster_, std::move(tenant), std::move(conversation), deadline);
}

Task<Result<std::vector<IndexedConversation>>> OpenSearchIndex::indexed_conversations(
    TenantId tenant, std::optional<ConversationId> after, std::size_t limit, SteadyTime deadline) {
  return list_conversations(cluster_, std::move(tenant), std::move(after), limit, deadline);
}

Task<Result<std::vector<IndexedMessage>>> OpenSearchIndex::lookup(TenantId tenant, ConversationId conversation,
                                                                  std::vector<MessageId> ids, SteadyTime deadline) {
  return look_up_messages(cluster_, std::move(tenant), std::move(conversation), std::move(ids), deadline);
}

Task<Result<std::int64_t>> OpenSearchIndex::dead_letters(SteadyTime deadline) {
  return count_dead_letters(cluster_, deadline);
}

}  // namespace parley::search
