#include "search/lane_indexer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "telemetry/log.h"

namespace parley::search {

namespace {

std::unexpected<Error> being_built() {
  return unavailable("index_building", "The search index is being built from the store.");
}

// Whether what the lane holds goes on where the index ends.
bool goes_on(const LaneProgress& known, const events::LaneBounds& bounds) {
  return known.next >= bounds.first && known.next <= bounds.end;
}

}  // namespace

LaneIndexer::LaneIndexer(Dependencies with, Settings settings)
    : with_(with),
      settings_(settings),
      applier_(with.index, with.metrics),
      tasks_(with.loop),
      wake_(std::make_shared<events::LoopWake>(with.loop)) {}

void LaneIndexer::start() {
  tasks_.spawn(watch());
}

void LaneIndexer::close(std::move_only_function<void()> closed) {
  wake_->stop();
  tasks_.drain(std::move(closed));
}

Task<Result<std::vector<events::LaneStart>>> LaneIndexer::begin(std::vector<std::int32_t> ours,
                                                                std::vector<events::LaneBounds> all,
                                                                SteadyTime deadline) {
  std::vector<events::LaneStart> starts;
  if (building_) co_return starts;
  ours_ = std::move(ours);
  all_ = std::move(all);
  if (auto looked = co_await look_at_lanes(deadline); !looked) co_return std::unexpected(std::move(looked.error()));
  show_progress();
  const bool whole = std::ranges::all_of(all_, [this](const auto& lane) { return goes_on(known(lane.lane), lane); });
  if (!whole) {
    if (std::ranges::find(ours_, 0) != ours_.end()) {
      building_ = true;
      tasks_.spawn(build_from_store());
    }
    co_return starts;
  }
  if (!std::exchange(resumed_, true)) with_.store.resume();
  for (const std::int32_t lane : ours_) starts.push_back({lane, known(lane).next});
  co_return starts;
}

Task<Result<std::vector<events::RefusedEvent>>> LaneIndexer::deliver(const events::LaneDelivery& delivery,
                                                                     SteadyTime deadline) {
  if (building_) co_return being_built();
  if (has_gap(delivery)) {
    if (std::ranges::find(ours_, 0) != ours_.end()) {
      building_ = true;
      // The same comes again afterwards.
      for (const events::LaneEvents& lane : delivery.lanes) {
        if (lane.lane == 0) rebuilt_past_ = lane.next;
      }
      tasks_.spawn(build_from_store());
    } else if (auto looked = co_await look_at_lanes(deadline); !looked) {
      co_return std::unexpected(std::move(looked.error()));
    }
    co_return being_built();
  }
  ++deliveries_;
  delivering_ = true;
  auto refused = co_await take(delivery, deadline);
  delivering_ = false;
  delivered_at_ = with_.clock.steady_now();
  co_return refused;
}

Task<Result<std::vector<events::RefusedEvent>>> LaneIndexer::take(const events::LaneDelivery& delivery,
                                                                  SteadyTime deadline) {
  auto turn = co_await with_.turn.take(deadline);
  if (!turn) co_return std::unexpected(std::move(turn.error()));
  std::vector<events::Event> events;
  EventApplier::Lanes lanes{.lanes = {}, .count = delivery.lane_count};
  for (const events::LaneEvents& lane : delivery.lanes) {
    events.insert(events.end(), lane.events.begin(), lane.events.end());
    lanes.lanes.push_back({.lane = lane.lane, .through = lane.through, .next = lane.next});
  }
  auto refused = co_await applier_.apply(events, lanes, deadline);
  if (!refused) {
    with_.metrics.failures.Increment();
    co_return refused;
  }
  with_.metrics.batches.Increment();
  // In this order: who sees how far the index is finds told what came into it.
  tell(events);
  advance(lanes.lanes, lanes.count);
  co_return refused;
}

// --- how far the lanes are ------------------------------------------------------------------------------------------

Task<Result<>> LaneIndexer::look_at_lanes(SteadyTime deadline) {
  auto lanes = co_await with_.index.lanes(deadline);
  if (!lanes) co_return std::unexpected(std::move(lanes.error()));
  known_.clear();
  for (const LaneProgress& lane : *lanes) known_[lane.lane] = lane;
  co_return Result<>();
}

LaneProgress LaneIndexer::known(std::int32_t lane) const {
  const auto found = known_.find(lane);
  return found == known_.end() ? LaneProgress{.lane = lane} : found->second;
}

// What this process writes it knows by itself. Others write the lanes that it has not, and, once it has lost them,
// those that it had: nobody tells it, but then nothing is delivered any more.
Task<> LaneIndexer::watch() {
  while (!wake_->stopping) {
    co_await wake_->pause(settings_.look_every);
    const bool alone = has_all() && with_.clock.steady_now() < delivered_at_ + settings_.alone_for;
    if (wake_->stopping || alone || building_ || delivering_) continue;
    const Lanes before = known_;
    const std::uint64_t deliveries = deliveries_;
    auto lanes = co_await with_.index.lanes(soon());
    // Whoever writes says what is wrong; and what was written meanwhile is not to be taken for another's.
    if (!lanes || deliveries != deliveries_ || building_) continue;
    known_.clear();
    for (const LaneProgress& lane : *lanes) known_[lane.lane] = lane;
    if (known_ != before && !before.empty()) with_.changes.touched_anything();
    show_progress();
  }
}

void LaneIndexer::advance(const std::vector<LaneProgress>& lanes, std::int32_t count) {
  for (std::int32_t lane = 0; lane < count; ++lane) known_.try_emplace(lane, LaneProgress{.lane = lane});
  for (const LaneProgress& lane : lanes) {
    LaneProgress& here = known_.try_emplace(lane.lane, LaneProgress{.lane = lane.lane}).first->second;
    here.through = std::max(here.through, lane.through);
    here.next = std::max(here.next, lane.next);
  }
  show_progress();
}

void LaneIndexer::show_progress() {
  if (known_.empty()) return;
  const auto least =
      std::ranges::min_element(known_, {}, [](const auto& each) { return each.second.through; })->second.through;
  with_.progress.set(least);
}

void LaneIndexer::tell(const std::vector<events::Event>& events) {
  if (events.empty()) return;
  const WallTime newest = std::ranges::max(events, {}, &events::Event::time).time;
  const auto age = std::max(with_.clock.wall_now() - newest, std::chrono::milliseconds(0));
  with_.metrics.lag_seconds.Set(std::chrono::duration<double>(age).count());
  std::set<TenantId> tenants;
  for (const events::Event& event : events) tenants.insert(event.tenant);
  with_.changes.touched({tenants.begin(), tenants.end()});
}

// --- where the lanes have a gap -------------------------------------------------------------------------------------

bool LaneIndexer::has_gap(const events::LaneDelivery& delivery) const {
  return std::ranges::any_of(delivery.lanes, [this](const events::LaneEvents& lane) {
    if (lane.skipped > known(lane.lane).through) return true;
    // All lanes tell of a restart: one answers.
    return lane.restarted && lane.lane == 0 && lane.next > rebuilt_past_;
  });
}

Task<> LaneIndexer::build_from_store() {
  log_warn("Kafka's topic does not go on where the search index ends: the index is built from the store");
  while (!wake_->stopping) {
    const auto built = co_await try_to_build();
    if (built) break;
    log_warn("building the search index from the store failed; it is tried again", {{"error", built.error().detail}});
    co_await wake_->pause(std::chrono::seconds(1));
  }
  building_ = false;
}

// The ends are of before the log's head is asked for: what the store is read for is in neither, or in both.
Task<Result<>> LaneIndexer::try_to_build() {
  const std::vector<events::LaneBounds> all = all_;
  const auto head = co_await with_.log.head(soon());
  if (!head) co_return std::unexpected(head.error());
  if (auto built = co_await with_.store.rebuild_everything(); !built) co_return built;
  std::vector<LaneProgress> lanes;
  for (const events::LaneBounds& lane : all) {
    lanes.push_back({.lane = lane.lane, .through = *head, .next = lane.end});
  }
  if (auto set = co_await with_.index.follow_lanes(lanes, soon()); !set) co_return set;
  known_.clear();
  for (const LaneProgress& lane : lanes) known_[lane.lane] = lane;
  show_progress();
  if (!std::exchange(resumed_, true)) with_.store.resume();
  co_return Result<>();
}

}  // namespace parley::search
