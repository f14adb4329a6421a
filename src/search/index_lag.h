// IndexLag: whether events wait for too long to be indexed. Told now and then where the log ends and how far the index
// is, it remembers one end that was not reached and since when. Owned by the service; any thread.
#pragma once
#include <chrono>
#include <mutex>

#include "base/clock.h"
#include "events/event.h"

namespace parley::search {

class IndexLag {
 public:
  static constexpr std::chrono::milliseconds kTolerated{500};

  bool behind(events::LogOffset head, events::LogOffset through, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    if (through >= awaited_) {
      awaited_ = head;
      since_ = now;
    }
    return through < awaited_ && now - since_ > kTolerated;
  }

 private:
  std::mutex mutex_;
  events::LogOffset awaited_;
  SteadyTime since_{};
};

}  // namespace parley::search
