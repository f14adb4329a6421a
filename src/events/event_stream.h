// The port of a log that is read in lanes, as over Kafka: what comes, and whoever takes it. A lane is a part of the log
// in an order of its own (a partition of a topic); all events of a conversation or user are in one. A process may be
// given some of the lanes, and others another time; events may come again. Plain values; LaneConsumer is called on one
// event loop, one call at a time.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "events/event.h"

namespace parley::events {

// What can be read of a lane, as the lane counts: from `first`, below `end`.
struct LaneBounds {
  std::int32_t lane = 0;
  std::int64_t first = 0;
  std::int64_t end = 0;
};
struct LaneStart {
  std::int32_t lane = 0;
  std::int64_t next = 0;
};

// What came of one lane.
struct LaneEvents {
  std::int32_t lane = 0;
  std::vector<Event> events;  // in the lane's order
  LogOffset through;          // of the log: whatever is in this lane up to here has come; 0: nothing is said
  std::int64_t next = 0;      // where the lane goes on after this
  LogOffset skipped;          // of the log: up to here the lane never had its events
  bool restarted = false;     // the log was put back to before what was read of it
};
struct LaneDelivery {
  std::vector<LaneEvents> lanes;
  std::int32_t lane_count = 1;  // the log's, not only these
};

// An event that the consumer cannot take, whatever is tried, and why.
struct RefusedEvent {
  Event event;
  std::string reason;
};

class LaneConsumer {
 public:
  virtual ~LaneConsumer() = default;
  // Where to go on in the lanes that are ours now. Those that are left out are not to be read yet: it is asked again
  // soon. `all` has every lane of the log, ours too.
  virtual Task<Result<std::vector<LaneStart>>> begin(std::vector<std::int32_t> ours, std::vector<LaneBounds> all,
                                                     SteadyTime deadline) = 0;
  // Answers once all of it is kept for good, but for what it refuses. After a failure the same comes again.
  // `delivery` lives until then.
  virtual Task<Result<std::vector<RefusedEvent>>> deliver(const LaneDelivery& delivery, SteadyTime deadline) = 0;
};

}  // namespace parley::events
