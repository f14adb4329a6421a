// LaneIndexer: takes a log that is read in lanes into the search index, as Indexer does with one that is read whole.
// How far each lane is, is the index's own, committed with the rows; several processes may feed one index, each with
// some of the lanes. After each write whoever waits for a position is woken, and caches hear which tenants changed; of
// what other processes write, they hear that anything may have changed.
//
// Where the lanes do not hold what the index has not seen (an index or topic that was lost, put back, or left behind),
// the process that has lane 0 has everything read from the store, and the lanes follow from what their ends were before
// that. Meanwhile nobody reads them.
//
// Made and owned by the wiring; driven by a stream of lanes on one event loop.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "base/task_group.h"
#include "events/event_log.h"
#include "events/event_stream.h"
#include "events/loop_wake.h"
#include "search/change_feed.h"
#include "search/event_applier.h"
#include "search/index_progress.h"
#include "search/index_turn.h"
#include "search/store_reading.h"

namespace parley::search {

class LaneIndexer final : public events::LaneConsumer {
 public:
  struct Settings {
    std::chrono::milliseconds look_every{200};   // at what other processes write
    std::chrono::milliseconds alone_for{1'000};  // after a delivery, where this one has all lanes
    std::chrono::milliseconds step_timeout{10'000};
  };
  // All must outlive this.
  struct Dependencies {
    EventLoop& loop;
    SearchIndex& index;
    IndexTurn& turn;
    StoreReading& store;
    events::EventLog& log;  // for its head alone
    IndexProgress& progress;
    ChangeFeed& changes;
    IndexMetrics& metrics;
    const Clock& clock;
  };
  LaneIndexer(Dependencies with, Settings settings);

  // On the loop. close(): once the stream has stopped; calls `closed` when nothing is under way any more.
  void start();
  void close(std::move_only_function<void()> closed);

  Task<Result<std::vector<events::LaneStart>>> begin(std::vector<std::int32_t> ours,
                                                     std::vector<events::LaneBounds> all, SteadyTime deadline) override;
  Task<Result<std::vector<events::RefusedEvent>>> deliver(const events::LaneDelivery& delivery,
                                                          SteadyTime deadline) override;

 private:
  using Lanes = std::map<std::int32_t, LaneProgress>;

  Task<Result<std::vector<events::RefusedEvent>>> take(const events::LaneDelivery& delivery, SteadyTime deadline);
  Task<Result<>> look_at_lanes(SteadyTime deadline);
  // Where the index has nothing of that lane yet, its beginning; known_ stays as the index has it.
  LaneProgress known(std::int32_t lane) const;
  Task<> watch();
  bool has_gap(const events::LaneDelivery& delivery) const;
  // Not bound to a deadline: reading a whole store takes as long as it takes.
  Task<> build_from_store();
  Task<Result<>> try_to_build();
  void advance(const std::vector<LaneProgress>& lanes, std::int32_t count);
  void tell(const std::vector<events::Event>& events);
  void show_progress();
  bool has_all() const { return !all_.empty() && ours_.size() == all_.size(); }
  SteadyTime soon() const { return with_.clock.steady_now() + settings_.step_timeout; }

  const Dependencies with_;
  const Settings settings_;
  EventApplier applier_;
  std::vector<std::int32_t> ours_;
  std::vector<events::LaneBounds> all_;  // as they were when ours were given
  Lanes known_;                          // as the index has them
  std::int64_t rebuilt_past_ = -1;       // of lane 0: a restart told before this was answered
  std::uint64_t deliveries_ = 0;
  bool delivering_ = false;
  SteadyTime delivered_at_{};
  bool building_ = false;
  bool resumed_ = false;
  TaskGroup tasks_;
  std::shared_ptr<events::LoopWake> wake_;
};

}  // namespace parley::search
