#include "rate_limit/memory_rate_limiter.h"

#include "base/check.h"

namespace parley {

MemoryRateLimiter::MemoryRateLimiter(const Clock& clock, std::size_t max_keys)
    : clock_(clock), max_keys_per_shard_((max_keys + kShards - 1) / kShards) {
  CHECK(max_keys > 0);
}

Task<Result<RateDecision>> MemoryRateLimiter::take(std::string key, RateRule rule) {
  if (rule.limit == 0) co_return RateDecision{};
  const SteadyTime now = clock_.steady_now();
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.by_key.find(key); found != shard.by_key.end()) {
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  } else {
    if (shard.entries.size() >= max_keys_per_shard_) {
      shard.by_key.erase(shard.entries.back().key);
      shard.entries.pop_back();
    }
    shard.entries.push_front({std::move(key), {}});
    shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
  }
  co_return shard.entries.front().window.take(rule, now);
}

Task<Result<RateDecision>> MemoryRateLimiter::give_back(std::string key, RateRule rule) {
  if (rule.limit == 0) co_return RateDecision{};
  const SteadyTime now = clock_.steady_now();
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) co_return RateDecision{.limit = rule.limit, .remaining = rule.limit};
  co_return found->second->window.give_back(rule, now);
}

std::size_t MemoryRateLimiter::size() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace parley
