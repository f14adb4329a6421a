#include "search/change_feed.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace parley::search {

namespace {

std::string random_name(Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

}  // namespace

ChangeFeed::ChangeFeed(Random& random) : instance_(random_name(random)), ring_(kRemembered) {}

void ChangeFeed::touched(const std::vector<TenantId>& tenants) {
  if (tenants.empty()) return;
  std::map<std::uint64_t, OneShotPromise<Woken>> woken;
  {
    const std::lock_guard lock(mutex_);
    for (const TenantId& tenant : tenants) ring_[static_cast<std::size_t>(++through_) % kRemembered] = tenant;
    woken.swap(waiting_);
  }
  for (auto& [number, promise] : woken) promise.deliver(Woken{});
}

// As if more had changed than anybody's number reaches back.
void ChangeFeed::touched_anything() {
  std::map<std::uint64_t, OneShotPromise<Woken>> woken;
  {
    const std::lock_guard lock(mutex_);
    through_ += static_cast<std::int64_t>(kRemembered) + 1;
    woken.swap(waiting_);
  }
  for (auto& [number, promise] : woken) promise.deliver(Woken{});
}

Changes ChangeFeed::changes_after(std::int64_t after) const {
  Changes changes{.instance = instance_, .through = through_, .all = false, .tenants = {}};
  const auto behind = static_cast<std::uint64_t>(through_ - after);
  if (after < 0 || after > through_ || behind > kRemembered) {
    changes.all = true;
    return changes;
  }
  std::set<TenantId> distinct;
  for (std::int64_t number = after + 1; number <= through_; ++number) {
    distinct.insert(ring_[static_cast<std::size_t>(number) % kRemembered]);
  }
  changes.tenants.assign(distinct.begin(), distinct.end());
  return changes;
}

Changes ChangeFeed::so_far(const std::string& instance, std::int64_t after) {
  const std::lock_guard lock(mutex_);
  if (instance != instance_) return {.instance = instance_, .through = through_, .all = true, .tenants = {}};
  return changes_after(after);
}

Task<Changes> ChangeFeed::since(std::string instance, std::int64_t after, SteadyTime deadline) {
  auto [promise, future] = make_one_shot<Woken>(EventLoop::current());
  std::uint64_t wait = 0;
  {
    const std::lock_guard lock(mutex_);
    if (instance != instance_) {
      co_return Changes{.instance = instance_, .through = through_, .all = true, .tenants = {}};
    }
    Changes changes = changes_after(after);
    if (changes.all || !changes.tenants.empty()) co_return changes;
    wait = ++waits_;
    waiting_.emplace(wait, std::move(promise));
  }
  (void)co_await future.wait(deadline);
  const std::lock_guard lock(mutex_);
  waiting_.erase(wait);
  co_return changes_after(after);
}

}  // namespace parley::search
