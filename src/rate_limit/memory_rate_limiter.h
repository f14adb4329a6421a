// MemoryRateLimiter: RateLimiter for one process. Never fails and never waits but for a shard's lock, held for about
// 100 ns. Bounded: when a shard is full, the key longest unused gives way.
#pragma once
#include <array>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "rate_limit/rate_limiter.h"
#include "rate_limit/sliding_window.h"

namespace parley {

class MemoryRateLimiter final : public RateLimiter {
 public:
  // `max_keys` ≥ 1, over all shards. The clock must outlive this.
  explicit MemoryRateLimiter(const Clock& clock, std::size_t max_keys = 100'000);

  Task<Result<RateDecision>> take(std::string key, RateRule rule) override;
  Task<Result<RateDecision>> give_back(std::string key, RateRule rule) override;

  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;

  struct Entry {
    std::string key;
    SlidingWindow window;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;
  };

  Shard& shard_of(std::string_view key) { return shards_[std::hash<std::string_view>()(key) % kShards]; }

  const Clock& clock_;
  const std::size_t max_keys_per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace parley
