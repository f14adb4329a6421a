// IndexProgress: how far the index has come in the event log, and who waits for it to come further (min_position). Made
// and owned by the wiring; set() by the indexer after each commit, the rest from any thread or loop. A wait that is
// over leaves nothing behind, so the waiters are at most the requests in flight.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "base/one_shot.h"
#include "base/task.h"
#include "events/event.h"

namespace parley::search {

class IndexProgress {
 public:
  // Never goes back; wakes whoever waits for this or less.
  void set(events::LogOffset through);
  events::LogOffset through() const { return {through_.load(std::memory_order_acquire)}; }

  // On any loop. True as soon as everything up to `offset` is indexed, false when `deadline` passes first.
  Task<bool> reached(events::LogOffset offset, SteadyTime deadline);

 private:
  struct Reached {};
  using Key = std::pair<std::int64_t, std::uint64_t>;  // offset, number of the wait

  std::atomic<std::int64_t> through_{0};
  std::mutex mutex_;
  std::uint64_t waits_ = 0;
  std::map<Key, OneShotPromise<Reached>> waiting_;
};

}  // namespace parley::search
