// Indexer: takes the event log's batches into the search index. The offset is the index's own, committed with the rows,
// so a crash repeats nothing and skips nothing; the log is told of it too, for its retention alone. An event that
// cannot be indexed becomes a dead letter and the line goes on; when the index as a whole fails, the runner brings the
// same batch again. After each commit whoever waits for a position is woken, and caches hear which tenants changed.
//
// When the log no longer holds what the index has not seen (an index that was lost, or one put back from a backup), or
// ends before what it has seen (a store put back), load_offset() first has everything read from the store, and the
// index follows from the log's head of that moment.
//
// Made and owned by the wiring; driven by a ConsumerRunner on one event loop.
#pragma once
#include <optional>
#include <vector>

#include "base/task_group.h"
#include "events/consumer_runner.h"
#include "search/change_feed.h"
#include "search/event_applier.h"
#include "search/index_metrics.h"
#include "search/index_progress.h"
#include "search/index_turn.h"
#include "search/search_index.h"
#include "search/store_reading.h"

namespace parley::search {

class Indexer final : public events::EventConsumer {
 public:
  // The log hears of the offset no more often than that: it shares its writer with people who send messages.
  static constexpr std::chrono::milliseconds kOffsetNotedEvery{200};

  // All must outlive this.
  struct Dependencies {
    EventLoop& loop;
    SearchIndex& index;
    IndexTurn& turn;
    StoreReading& store;
    IndexProgress& progress;
    ChangeFeed& changes;
    IndexMetrics& metrics;
    const Clock& clock;
  };
  explicit Indexer(Dependencies with) : with_(with), applier_(with.index, with.metrics), notes_(with.loop) {}

  // On the loop, once its runner has stopped. Calls `closed` when nothing is on its way to the log any more.
  void close(std::move_only_function<void()> closed);

  std::string name() const override { return "search"; }
  Task<Result<>> deliver(std::vector<events::Event> events, SteadyTime deadline) override;
  Task<Result<events::LogOffset>> load_offset(events::EventLog& log, SteadyTime deadline) override;
  Task<Result<>> save_offset(events::EventLog& log, events::LogOffset offset, SteadyTime deadline) override;

 private:
  Task<Result<events::LogOffset>> follow_from_store(events::EventLog& log, events::LogOffset head);
  void tell(const std::vector<events::Event>& events);
  Task<> note_offsets(events::EventLog& log);
  SteadyTime soon() const;

  const Dependencies with_;
  EventApplier applier_;
  bool resumed_ = false;
  events::LogOffset reached_;
  events::LogOffset noted_;
  bool closing_ = false;
  std::move_only_function<void()> end_pause_;
  TaskGroup notes_;
};

}  // namespace parley::search
