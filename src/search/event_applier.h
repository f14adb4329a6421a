// EventApplier: takes events into the index. One that cannot be indexed becomes a dead letter, and the others go on;
// where the index refuses a change, what it was given is halved until the change is alone. Owned by whoever feeds the
// index; called on one event loop. fail: what the index answers; then the same events are to come again.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "events/event_stream.h"
#include "search/index_metrics.h"
#include "search/search_index.h"

namespace parley::search {

class EventApplier {
 public:
  // Both must outlive this.
  EventApplier(SearchIndex& index, IndexMetrics& metrics) : index_(index), metrics_(metrics) {}

  // Where the log is read in lanes: how far these events bring them.
  struct Lanes {
    std::vector<LaneProgress> lanes;
    std::int32_t count = 1;
  };
  // Of a log that is read whole without `lanes`; some events, then. Answers what became a dead letter.
  Task<Result<std::vector<events::RefusedEvent>>> apply(std::vector<events::Event> events, std::optional<Lanes> lanes,
                                                        SteadyTime deadline);

 private:
  // An event, and what it means: a change, a reason why it means nothing that can be understood, or neither.
  struct Mapped {
    std::optional<IndexChange> change;
    std::optional<DeadLetter> dead;
    events::LogOffset offset;
  };
  struct Run {
    const std::vector<events::Event>& events;
    const std::optional<Lanes>& lanes;
    SteadyTime deadline;
    std::vector<events::RefusedEvent> refused = {};
  };
  static std::vector<Mapped> map(const std::vector<events::Event>& events);
  // `last`: after this part everything is applied.
  Task<Result<>> apply(Run& run, std::span<const Mapped> part, bool last);
  void note(Run& run, const ApplyOutcome& outcome, const std::vector<DeadLetter>& dead);

  SearchIndex& index_;
  IndexMetrics& metrics_;
};

}  // namespace parley::search
