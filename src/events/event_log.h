// EventLog: the port through which features learn of each other's committed changes. Adapters: the SQLite outbox of a
// role (in process), Kafka later. Read from any offset, in order, without gaps: an event becomes visible only when
// every event before it is. Called on any event loop; failures are unavailable, overloaded, deadline_exceeded.
//
// Retention: events stay until every consumer that ever saved an offset has passed them and they are older than the
// age that prune() is called with. A consumer that falls behind holds the log back; one that is gone for good is
// forgotten with forget_consumer().
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "events/event.h"

namespace parley::events {

struct EventBatch {
  std::vector<Event> events;
  LogOffset through;  // everything up to here has been read; equals the last event's offset when there is one
};

struct LogStanding {
  LogOffset head;
  std::int64_t events = 0;
  std::vector<std::pair<std::string, std::int64_t>> behind;  // by consumer's name
};

// Tells of commits. notify() from any thread; a listener runs on the thread that notifies, so it only posts.
class CommitSignal {
 public:
  class Subscription {
   public:
    Subscription(CommitSignal& signal, std::uint64_t id) : signal_(&signal), id_(id) {}
    Subscription(Subscription&& other) noexcept : signal_(std::exchange(other.signal_, nullptr)), id_(other.id_) {}
    Subscription& operator=(Subscription&&) = delete;
    // After this the listener is not running and never will.
    ~Subscription();

   private:
    CommitSignal* signal_;
    std::uint64_t id_;
  };

  [[nodiscard]] Subscription subscribe(std::function<void()> listener);
  void notify();

 private:
  std::mutex mutex_;
  std::uint64_t next_id_ = 0;
  std::unordered_map<std::uint64_t, std::function<void()>> listeners_;
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // At most `limit` events after `after`; fewer, or none, when the log ends.
  virtual Task<Result<EventBatch>> read(LogOffset after, std::size_t limit, SteadyTime deadline) = 0;
  virtual Task<Result<LogOffset>> head(SteadyTime deadline) = 0;
  // The offset after which everything can still be read: 0 while nothing was ever pruned. A reader whose offset is
  // before it has missed events for good.
  virtual Task<Result<LogOffset>> tail(SteadyTime deadline) = 0;
  // How many events the log holds, and how many of them each consumer that ever saved an offset has still to pass.
  virtual Task<Result<LogStanding>> standing(SteadyTime deadline) = 0;

  // Progress by consumer's name; 0 for one that is not known. An offset never goes back.
  virtual Task<Result<LogOffset>> load_offset(std::string consumer, SteadyTime deadline) = 0;
  virtual Task<Result<>> save_offset(std::string consumer, LogOffset offset, SteadyTime deadline) = 0;
  virtual Task<Result<>> forget_consumer(std::string consumer, SteadyTime deadline) = 0;
  // Deletes at most `limit` events older than `before` that every known consumer has passed; answers how many. With no
  // consumer known, none.
  virtual Task<Result<std::int64_t>> prune(WallTime before, std::size_t limit, SteadyTime deadline) = 0;
  // The same where no consumer can come: while none is known, by age alone. One that comes later all the same begins
  // with what the store holds.
  virtual Task<Result<std::int64_t>> prune_unread(WallTime before, std::size_t limit, SteadyTime deadline) {
    return prune(before, limit, deadline);
  }

  // Runs `listener` after each commit that may have added events.
  virtual CommitSignal::Subscription subscribe(std::function<void()> listener) = 0;

  // What positions are made with, for another role that is to read and make them too (PositionCodec); none: a log of
  // which no other may.
  virtual std::optional<std::array<std::uint8_t, 32>> position_secret() const { return std::nullopt; }
  // The opaque form of an offset that callers see, bound to their tenant; none for a text that is no such thing.
  virtual std::string position_of(const TenantId& tenant, LogOffset offset) const = 0;
  virtual std::optional<LogOffset> offset_of(const TenantId& tenant, std::string_view position) const = 0;
};

}  // namespace parley::events
