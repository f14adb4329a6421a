// IndexLag: whether events wait for too long to be indexed. Told now and then where the log ended and how far the index
// is, it remembers the ends that were not reached and since when, at most kRemembered. Owned by the service; any
// thread.
#pragma once
#include <chrono>
#include <deque>
#include <mutex>

#include "base/clock.h"
#include "events/event.h"

namespace parley::search {

class IndexLag {
 public:
  static constexpr std::chrono::milliseconds kTolerated{500};

  bool behind(events::LogOffset head, events::LogOffset through, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    while (!ends_.empty() && ends_.front().offset <= through) ends_.pop_front();
    const bool is_new = head > through && (ends_.empty() || head > ends_.back().offset);
    if (is_new && ends_.size() < kRemembered) ends_.push_back({head, now});
    return !ends_.empty() && now - ends_.front().seen_at > kTolerated;
  }

 private:
  struct End {
    events::LogOffset offset;
    SteadyTime seen_at;
  };
  static constexpr std::size_t kRemembered = 256;

  std::mutex mutex_;
  std::deque<End> ends_;  // the oldest first
};

}  // namespace parley::search
