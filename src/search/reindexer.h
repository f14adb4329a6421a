// Reindexer: builds a tenant's new index from the store, beside the one that serves, and swaps. Live events go to both
// meanwhile; a page of the store is read and added in a turn of its own (IndexTurn), so nothing of it is older than
// what events wrote. Where it is in the store is kept with the rows that it gave: after a kill -9 at any point resume()
// goes on from there. One tenant at a time; the others wait, their new index listening to events already.
//
// Made and owned by the wiring; works on one event loop. start() and state() may be called on any loop.
#pragma once
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/task_group.h"
#include "search/change_feed.h"
#include "search/index_metrics.h"
#include "search/index_turn.h"
#include "search/reindex_control.h"
#include "search/search_index.h"
#include "search/store_reading.h"
#include "search/store_scan.h"

namespace parley::search {

class Reindexer final : public ReindexControl, public StoreReading {
 public:
  struct Settings {
    std::size_t step_size = 500;  // changes added at once; while they are, no event is applied
    std::size_t swept_at_once = 500;
    std::chrono::milliseconds step_timeout{10'000};
    std::chrono::milliseconds retry_after{1'000};
    int tries = 60;  // of one step, before the reindex is given up
  };
  // All must outlive this.
  struct Dependencies {
    EventLoop& loop;
    SearchIndex& index;
    StoreScan& store;
    IndexTurn& turn;
    ChangeFeed& changes;
    IndexMetrics& metrics;
    const Clock& clock;
    Random& random;
  };
  Reindexer(Dependencies with, Settings settings);

  Task<Result<ReindexStart>> start(std::optional<TenantId> tenant, SteadyTime deadline) override;
  Task<Result<ReindexState>> state(std::string id, std::optional<TenantId> of, SteadyTime deadline) override;
  Task<Result<bool>> is_known(TenantId tenant, SteadyTime deadline) override;

  // The rest on the loop.
  Task<Result<>> rebuild_everything() override;
  void resume() override;
  // Nothing is begun any more; calls `closed` once the step under way has ended.
  void close(std::move_only_function<void()> closed);

 private:
  static constexpr std::size_t kRemembered = 100;  // jobs that have ended
  struct Job {
    ReindexState state;
    std::map<TenantId, ReindexState> parts;  // what each tenant may see of it
  };

  // Beginning: all tenants or none, so that the job is one. begin remembers the job before the index has any of it, and
  // takes `step_timeout` for each tenant at the most.
  Task<Result<ReindexStart>> try_start(std::optional<TenantId> tenant, SteadyTime deadline);
  Task<Result<std::vector<TenantId>>> all_tenants(SteadyTime deadline);
  Task<Result<std::vector<RebuildState>>> begin(std::vector<TenantId> tenants, std::string id, SteadyTime deadline);
  std::string new_id(bool of_all);

  // Working off what was begun, one tenant after the other.
  void wake();
  Task<> work();
  Task<Result<>> queue_unfinished();
  std::optional<RebuildState> take_queued();
  Task<> run(RebuildState at);
  Task<> sweep();

  // One tenant, from where it is to its end.
  Task<Result<>> rebuild(RebuildState at);
  Task<Result<RebuildState>> read_all(RebuildState at);
  Task<Result<RebuildState>> add(RebuildState at, RebuildStep step);
  Task<Result<>> finish(TenantId tenant, std::string id);
  Task<> pause();

  // What is told of it.
  void remember(const std::string& id, const std::vector<RebuildState>& rebuilds);
  void make_room_for(const Job& job);
  void forget(const std::string& id);
  void note_step(const RebuildState& before, const RebuildState& after, double progress);
  void note_end(const RebuildState& at, const Result<>& outcome);
  SteadyTime soon() const { return with_.clock.steady_now() + settings_.step_timeout; }

  const Dependencies with_;
  const Settings settings_;
  std::atomic<bool> closing_{false};
  bool working_ = false;
  bool look_for_unfinished_ = false;
  std::move_only_function<void()> end_pause_;
  TaskGroup tasks_;

  std::mutex mutex_;  // of all below
  std::map<std::string, Job> jobs_;
  std::deque<RebuildState> queue_;
};

}  // namespace parley::search
