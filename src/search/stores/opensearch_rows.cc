#include "search/stores/opensearch_rows.h"

#include "base/check.h"

namespace parley::search {

void OpenSearchRows::want(const std::string& index, const std::string& id, const TenantId& tenant, bool whole) {
  Place& place = places_.try_emplace(id, Place{index, tenant.value, false, {}}).first->second;
  place.whole |= whole;
}

Task<Result<>> OpenSearchRows::read(SteadyTime deadline) {
  std::vector<WantedDocument> wanted;
  for (const auto& [id, place] : places_) {
    wanted.push_back({.index = place.index, .id = id, .route = place.route, .fields = {}});
    if (!place.whole) wanted.back().fields = {"number", "live", "has_reaction", "any"};
  }
  auto found = co_await cluster_.fetch(std::move(wanted), deadline);
  if (!found) co_return fail(std::move(found.error()));
  std::size_t i = 0;
  for (auto& [id, place] : places_) {
    auto& stored = (*found)[i++];
    if (!stored) continue;
    place.row.exists = true;
    place.row.whole = place.whole;
    place.row.source = std::move(stored->source);
    place.row.number = integer_in(place.row.source, "number");
  }
  co_return Result<>{};
}

OpenSearchRows::Row& OpenSearchRows::at(const std::string& id) {
  const auto found = places_.find(id);
  CHECK(found != places_.end());
  return found->second.row;
}

Task<Result<std::size_t>> OpenSearchRows::write(SteadyTime deadline) {
  std::vector<DocumentWrite> writes;
  std::vector<std::size_t> changes;
  for (auto& [id, place] : places_) {
    if (!place.row.changed) continue;
    CHECK(place.row.whole);
    writes.push_back({.index = place.index,
                      .id = id,
                      .route = place.route,
                      .source = json::serialize(place.row.source),
                      .version = version_of(place.row.number),
                      .or_equal = place.row.or_equal});
    changes.push_back(place.row.changes);
  }
  auto written = co_await write_documents(cluster_, std::move(writes), deadline);
  if (!written) co_return fail(std::move(written.error()));
  std::size_t stale = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) stale += (*written)[i] ? 0 : changes[i];
  co_return stale;
}

}  // namespace parley::search
