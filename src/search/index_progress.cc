#include "search/index_progress.h"

#include <vector>

namespace parley::search {

void IndexProgress::set(events::LogOffset through) {
  std::vector<OneShotPromise<Reached>> woken;
  {
    const std::lock_guard lock(mutex_);
    if (through.value <= through_.load(std::memory_order_relaxed)) return;
    through_.store(through.value, std::memory_order_release);
    const auto end = waiting_.upper_bound({through.value, UINT64_MAX});
    for (auto each = waiting_.begin(); each != end; ++each) woken.push_back(std::move(each->second));
    waiting_.erase(waiting_.begin(), end);
  }
  for (auto& promise : woken) promise.deliver(Reached{});
}

Task<bool> IndexProgress::reached(events::LogOffset offset, SteadyTime deadline) {
  if (through() >= offset) co_return true;
  auto [promise, future] = make_one_shot<Reached>(EventLoop::current());
  Key key{offset.value, 0};
  {
    const std::lock_guard lock(mutex_);
    if (through() >= offset) co_return true;
    key.second = ++waits_;
    waiting_.emplace(key, std::move(promise));
  }
  const auto answer = co_await future.wait(deadline);
  if (answer) co_return true;
  const std::lock_guard lock(mutex_);
  waiting_.erase(key);
  co_return through() >= offset;
}

}  // namespace parley::search
