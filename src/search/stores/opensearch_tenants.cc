#include "search/stores/opensearch_tenants.h"

#include <algorithm>

namespace parley::search {

namespace {

constexpr const char* kProgress = "progress";
constexpr int kMostRaces = 50;  // lost to other processes, of one change
constexpr std::size_t kMostTenantsFound = 1000;

std::unexpected<Error> too_many_races() {
  return unavailable("overloaded", "Too many processes write to the search index at once; try again shortly.");
}

json::array numbers_array(const std::vector<std::int64_t>& numbers) {
  return json::array(numbers.begin(), numbers.end());
}
std::vector<std::int64_t> numbers_in(const json::object& of, std::string_view name) {
  std::vector<std::int64_t> numbers;
  for (const json::value& each : array_in(of, name)) numbers.push_back(integer_of(&each));
  return numbers;
}

json::object rebuild_json(const RebuildState& state) {
  return {{"id", state.id},
          {"cursor", state.cursor},
          {"messages", state.messages},
          {"conversations", state.conversations},
          {"users", state.users},
          {"started_at", state.started_at.time_since_epoch().count()}};
}
RebuildState rebuild_of(const json::object& source, const TenantId& tenant) {
  return {.id = std::string(text_in(source, "id")),
          .tenant = tenant,
          .cursor = std::string(text_in(source, "cursor")),
          .messages = integer_in(source, "messages"),
          .conversations = integer_in(source, "conversations"),
          .users = integer_in(source, "users"),
          .started_at = WallTime(std::chrono::milliseconds(integer_in(source, "started_at")))};
}

IndexLanes lanes_of(const std::optional<StoredDocument>& stored) {
  IndexLanes read;
  if (!stored) return read;
  read.lanes.clear();
  for (const json::value& each : array_in(stored->source, "lanes")) {
    const json::object* const lane = each.if_object();
    if (!lane) continue;
    read.lanes.push_back({.lane = static_cast<std::int32_t>(integer_in(*lane, "lane")),
                          .through = {integer_in(*lane, "through")},
                          .next = integer_in(*lane, "next")});
  }
  if (read.lanes.empty()) read.lanes.emplace_back();
  return read;
}
json::object lanes_json(const std::vector<LaneProgress>& lanes) {
  json::array list;
  for (const LaneProgress& each : lanes) {
    list.push_back({{"lane", each.lane}, {"through", each.through.value}, {"next", each.next}});
  }
  return {{"kind", "progress"}, {"lanes", std::move(list)}};
}

bool is_running(const TenantState& state, const std::string& id) {
  return state.building != 0 && state.rebuild.id == id;
}
std::unexpected<Error> rebuild_unknown() {
  return fail(ErrorKind::kNotFound, "rebuild_unknown", "This rebuild of the tenant's index is not under way.");
}

}  // namespace

std::string tenant_document_id(const TenantId& tenant) {
  return "tenant\x1f" + tenant.value;
}

json::object TenantState::to_json() const {
  json::array erasures;
  for (const Erasure& each : erased) {
    erasures.push_back(
        {{"generation", each.generation}, {"conversation", each.conversation.value}, {"number", each.number}});
  }
  return {{"kind", "tenant"},
          {"tenant", tenant.value},
          {"serving", serving},
          {"building", building},
          {"next", next},
          {"rebuild", rebuild_json(rebuild)},
          {"erased", std::move(erasures)},
          {"dropped", numbers_array(dropped)},
          {"told_in", numbers_array(told)},
          {"rebuilding", building != 0},
          {"trash", has_trash()}};
}

TenantState TenantState::from_json(const json::object& source) {
  TenantState state;
  state.tenant = TenantId(text_in(source, "tenant"));
  state.serving = integer_in(source, "serving", 1);
  state.building = integer_in(source, "building");
  state.next = integer_in(source, "next", 2);
  state.rebuild = rebuild_of(object_in(source, "rebuild"), state.tenant);
  for (const json::value& each : array_in(source, "erased")) {
    const json::object* const erasure = each.if_object();
    if (!erasure) continue;
    state.erased.push_back({integer_in(*erasure, "generation"), ConversationId(text_in(*erasure, "conversation")),
                            integer_in(*erasure, "number")});
  }
  state.dropped = numbers_in(source, "dropped");
  state.told = numbers_in(source, "told_in");
  return state;
}

events::LogOffset IndexLanes::through() const {
  return std::ranges::min(lanes, {}, &LaneProgress::through).through;
}

Task<Result<std::optional<TenantState>>> read_tenant(OpenSearchCluster& cluster, TenantId tenant, SteadyTime deadline) {
  auto stored = co_await cluster.fetch_state(tenant_document_id(tenant), deadline);
  if (!stored) co_return fail(std::move(stored.error()));
  if (!*stored) co_return std::optional<TenantState>();
  co_return std::optional(TenantState::from_json((*stored)->source));
}

Task<Result<std::vector<TenantState>>> ensure_tenants(OpenSearchCluster& cluster, std::vector<TenantId> tenants,
                                                      SteadyTime deadline) {
  std::vector<WantedDocument> wanted;
  for (const TenantId& tenant : tenants) {
    wanted.push_back({.index = cluster.names.state, .id = tenant_document_id(tenant), .route = {}, .fields = {}});
  }
  auto stored = co_await cluster.fetch(std::move(wanted), deadline);
  if (!stored) co_return fail(std::move(stored.error()));
  std::vector<TenantState> states;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const auto& present = (*stored)[i];
    if (present) {
      states.push_back(TenantState::from_json(present->source));
      continue;
    }
    auto made = co_await change_tenant(cluster, tenants[i], true, [](TenantState&) { return Result<>{}; }, deadline);
    if (!made) co_return fail(std::move(made.error()));
    states.push_back(std::move(*made));
  }
  co_return states;
}

Task<Result<TenantState>> change_tenant(OpenSearchCluster& cluster, TenantId tenant, bool make, TenantChange change,
                                        SteadyTime deadline) {
  for (int races = 0; races < kMostRaces; ++races) {
    auto stored = co_await cluster.fetch_state(tenant_document_id(tenant), deadline);
    if (!stored) co_return fail(std::move(stored.error()));
    if (!*stored && !make) co_return not_found("tenant");
    TenantState state;
    state.tenant = tenant;
    std::optional<SeenWrite> seen;
    if (*stored) {
      state = TenantState::from_json((*stored)->source);
      seen = (*stored)->seen;
    }
    if (auto changed = change(state); !changed) co_return fail(std::move(changed.error()));
    json::object after = state.to_json();
    if (*stored && after == (*stored)->source) co_return state;
    auto written = co_await cluster.put_state(tenant_document_id(tenant), std::move(after), seen, deadline);
    if (!written) co_return fail(std::move(written.error()));
    if (*written) co_return state;
  }
  co_return too_many_races();
}

Task<Result<std::vector<TenantState>>> find_tenants(OpenSearchCluster& cluster, std::string flag, std::size_t most,
                                                    std::optional<TenantId> after, SteadyTime deadline) {
  json::object body{{"size", most},
                    {"query",
                     {{"bool",
                       {{"filter", json::array{json::object{{"term", {{"kind", "tenant"}}}},
                                               json::object{{"term", {{flag, true}}}}}}}}}},
                    {"sort", json::array{json::object{{"tenant", "asc"}}}}};
  if (after) body["search_after"] = json::array{after->value};
  auto answer = co_await cluster.search_state(std::move(body), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  std::vector<TenantState> found;
  for (const FoundDocument& hit : hits_of(*answer)) found.push_back(TenantState::from_json(*hit.source));
  co_return found;
}

Task<Result<IndexLanes>> read_lanes(OpenSearchCluster& cluster, SteadyTime deadline) {
  auto stored = co_await cluster.fetch_state(kProgress, deadline);
  if (!stored) co_return fail(std::move(stored.error()));
  co_return lanes_of(*stored);
}

Task<Result<>> advance_lanes(OpenSearchCluster& cluster, std::vector<LaneProgress> to, std::int32_t count,
                             SteadyTime deadline) {
  for (int races = 0; races < kMostRaces; ++races) {
    auto stored = co_await cluster.fetch_state(kProgress, deadline);
    if (!stored) co_return fail(std::move(stored.error()));
    IndexLanes now = lanes_of(*stored);
    const IndexLanes before = now;
    const auto lane_of = [&now](std::int32_t lane) -> LaneProgress& {
      const auto at = std::ranges::lower_bound(now.lanes, lane, {}, &LaneProgress::lane);
      if (at != now.lanes.end() && at->lane == lane) return *at;
      return *now.lanes.insert(at, LaneProgress{.lane = lane});
    };
    for (std::int32_t lane = 0; lane < count; ++lane) lane_of(lane);
    for (const LaneProgress& each : to) {
      LaneProgress& lane = lane_of(each.lane);
      lane.through = std::max(lane.through, each.through);
      lane.next = std::max(lane.next, each.next);
    }
    if (*stored && now.lanes == before.lanes) co_return Result<>{};
    const auto seen = *stored ? std::optional((*stored)->seen) : std::nullopt;
    auto written = co_await cluster.put_state(kProgress, lanes_json(now.lanes), seen, deadline);
    if (!written) co_return fail(std::move(written.error()));
    if (*written) co_return Result<>{};
  }
  co_return too_many_races();
}

Task<Result<>> replace_lanes(OpenSearchCluster& cluster, std::vector<LaneProgress> lanes, SteadyTime deadline) {
  for (int races = 0; races < kMostRaces; ++races) {
    auto stored = co_await cluster.fetch_state(kProgress, deadline);
    if (!stored) co_return fail(std::move(stored.error()));
    const auto seen = *stored ? std::optional((*stored)->seen) : std::nullopt;
    auto written = co_await cluster.put_state(kProgress, lanes_json(lanes), seen, deadline);
    if (!written) co_return fail(std::move(written.error()));
    if (*written) co_return Result<>{};
  }
  co_return too_many_races();
}

Task<Result<TenantView>> view_of(OpenSearchCluster& cluster, TenantId tenant, SteadyTime deadline) {
  std::vector<WantedDocument> wanted;
  for (std::string id : {std::string(kProgress), tenant_document_id(tenant)}) {
    wanted.push_back({.index = cluster.names.state, .id = std::move(id), .route = {}, .fields = {}});
  }
  auto stored = co_await cluster.fetch(std::move(wanted), deadline);
  if (!stored) co_return fail(std::move(stored.error()));
  const auto& progress = stored->at(0);
  if (auto shown = co_await cluster.refresh_to(progress ? progress->seen.seq_no : -1, deadline); !shown) {
    co_return fail(std::move(shown.error()));
  }
  TenantView view{{}, lanes_of(progress).through()};
  if (stored->at(1)) view.state = TenantState::from_json(stored->at(1)->source);
  co_return view;
}

Task<Result<RebuildState>> begin_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id, WallTime now,
                                         SteadyTime deadline) {
  const auto begin = [id, now](TenantState& state) -> Result<> {
    if (state.building != 0) return fail(ErrorKind::kConflict, "rebuild_running", state.rebuild.id);
    state.building = state.next++;
    state.rebuild = {.id = id, .tenant = state.tenant, .cursor = {}, .started_at = now};
    return {};
  };
  auto state = co_await change_tenant(cluster, tenant, true, begin, deadline);
  if (!state) co_return fail(std::move(state.error()));
  co_return state->rebuild;
}

Task<Result<TenantState>> find_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                       SteadyTime deadline) {
  auto state = co_await read_tenant(cluster, tenant, deadline);
  if (!state) co_return fail(std::move(state.error()));
  if (!*state || !is_running(**state, id)) co_return rebuild_unknown();
  co_return std::move(**state);
}

Task<Result<RebuildState>> advance_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                           RebuildStep step, SteadyTime deadline) {
  const auto advance = [&](TenantState& state) -> Result<> {
    if (!is_running(state, id)) return rebuild_unknown();
    state.rebuild.cursor = step.cursor;
    state.rebuild.messages += step.messages;
    state.rebuild.conversations += step.conversations;
    state.rebuild.users += step.users;
    return {};
  };
  auto state = co_await change_tenant(cluster, tenant, true, advance, deadline);
  if (!state) co_return fail(std::move(state.error()));
  co_return state->rebuild;
}

Task<Result<RebuildState>> finish_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                          SteadyTime deadline) {
  if (auto running = co_await find_rebuild(cluster, tenant, id, deadline); !running) {
    co_return fail(std::move(running.error()));
  }
  // Whoever sees the swap finds all of the new generation.
  if (auto shown = co_await cluster.refresh(cluster.names.messages + "," + cluster.names.directory, deadline); !shown) {
    co_return fail(std::move(shown.error()));
  }
  RebuildState finished;
  const auto swap = [&](TenantState& state) -> Result<> {
    if (!is_running(state, id)) return rebuild_unknown();
    finished = state.rebuild;
    state.dropped.push_back(state.serving);
    std::erase_if(state.erased, [&](const auto& each) { return each.generation == state.serving; });
    state.serving = std::exchange(state.building, 0);
    state.told.push_back(state.serving);
    state.rebuild = {};
    return {};
  };
  auto state = co_await change_tenant(cluster, tenant, true, swap, deadline);
  if (!state) co_return fail(std::move(state.error()));
  co_return finished;
}

Task<Result<>> abandon_rebuild(OpenSearchCluster& cluster, TenantId tenant, std::string id, SteadyTime deadline) {
  if (auto running = co_await find_rebuild(cluster, tenant, id, deadline); !running) {
    co_return fail(std::move(running.error()));
  }
  const auto drop = [&](TenantState& state) -> Result<> {
    if (!is_running(state, id)) return rebuild_unknown();
    std::erase_if(state.erased, [&](const auto& each) { return each.generation == state.building; });
    state.dropped.push_back(std::exchange(state.building, 0));
    state.rebuild = {};
    return {};
  };
  auto state = co_await change_tenant(cluster, tenant, true, drop, deadline);
  if (!state) co_return fail(std::move(state.error()));
  co_return Result<>{};
}

Task<Result<std::vector<RebuildState>>> read_rebuilds(OpenSearchCluster& cluster, SteadyTime deadline) {
  std::vector<RebuildState> all;
  std::optional<TenantId> after;
  for (;;) {
    auto found = co_await find_tenants(cluster, "rebuilding", kMostTenantsFound, after, deadline);
    if (!found) co_return fail(std::move(found.error()));
    for (TenantState& state : *found) all.push_back(std::move(state.rebuild));
    if (found->size() < kMostTenantsFound) co_return all;
    after = found->back().tenant;
  }
}

}  // namespace parley::search
