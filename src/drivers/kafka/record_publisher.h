// RecordPublisher: the port through which records are written to topics; Producer is the one over librdkafka. Owned by
// the wiring; called on one event loop, one call at a time, and answers there. fail: unavailable (brokers away),
// deadline_exceeded, too_large, conflict (fenced: another has taken over; publish nothing until take_over()).
#pragma once
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "drivers/kafka/record.h"

namespace parley::kafka {

inline constexpr const char* kFenced = "fenced";

class RecordPublisher {
 public:
  virtual ~RecordPublisher() = default;
  // From here on nobody who took over before can publish under the same name, whatever was under way. To be called
  // first, and again after each failure of publish().
  virtual Task<Result<>> take_over(SteadyTime deadline) = 0;
  // Returns when all are acknowledged by all in-sync replicas. After a failure some or all may be there all the same,
  // in order, from the first on.
  virtual Task<Result<>> publish(std::vector<OutRecord> records, SteadyTime deadline) = 0;
  virtual Task<Result<std::int32_t>> partitions(std::string topic, SteadyTime deadline) = 0;
};

}  // namespace parley::kafka
