// RecordSource: the port through which one member of a consumer group reads one topic; GroupConsumer is the one over
// librdkafka. Owned by the thread that reads, which alone calls it and which it blocks. fail: unavailable, internal.
#pragma once
#include <chrono>
#include <variant>
#include <vector>

#include "base/result.h"
#include "drivers/kafka/record.h"

namespace parley::kafka {

// These partitions are this member's now, and no others: to be answered with read_from().
struct Assigned {
  std::vector<std::int32_t> partitions;
};
// None is any more: to be answered with give_up(). Lost: others may have them already, so nothing is committed.
struct Revoked {
  bool lost = false;
};
// Everything there was has been read, up to this place.
struct AtEnd {
  Place place;
};
using Polled = std::variant<std::monostate, InRecord, AtEnd, Assigned, Revoked>;

// The offsets that can be read: from `first`, below `end`.
struct Bounds {
  std::int32_t partition = 0;
  std::int64_t first = 0;
  std::int64_t end = 0;
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // What came, or nothing within `patience`. Must be called every few minutes, or the member loses its partitions.
  virtual Result<Polled> poll(std::chrono::milliseconds patience) = 0;
  // Reads these from there, and no others.
  virtual Result<> read_from(const std::vector<Place>& places) = 0;
  virtual Result<> give_up() = 0;
  // While paused, poll() brings no records.
  virtual Result<> pause() = 0;
  virtual Result<> resume() = 0;
  // For those who look at the group's lag. `wait`: returns when Kafka has it.
  virtual Result<> commit(const std::vector<Place>& places, bool wait) = 0;
  // Of every partition of the topic, by number.
  virtual Result<std::vector<Bounds>> bounds(std::chrono::milliseconds patience) = 0;
};

}  // namespace parley::kafka
