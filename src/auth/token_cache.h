// TokenCache: what one event loop remembers of tokens it has verified. Each loop has its own, so there is no lock.
// Bounded: sets of eight entries, of which the dead, then the least recently used, give way. Holds no token beyond its
// time and none verified under an older generation of keys.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tenancy/caller.h"

namespace parley::auth {

class TokenCache {
 public:
  static constexpr std::size_t kWays = 8;
  // A longer token is verified each time: with this the cache's memory is bounded in bytes too.
  static constexpr std::size_t kMaxTokenBytes = 4096;

  // Room for at least `capacity` entries, rounded up to a power of two of at least kWays.
  explicit TokenCache(std::size_t capacity)
      : sets_(std::bit_ceil(std::max<std::size_t>(1, (capacity + kWays - 1) / kWays))) {}

  // Null when the token is not known, or no longer good.
  std::shared_ptr<const Caller> find(std::string_view token, std::uint64_t generation, WallTime now) {
    const std::uint64_t hash = hash_of(token);
    Set& set = sets_[hash & (sets_.size() - 1)];
    for (std::size_t way = 0; way < kWays; ++way) {
      if (set.hashes[way] != hash) continue;
      Entry& entry = set.entries[way];
      if (entry.caller == nullptr || entry.token != token) continue;
      if (!is_alive(entry, generation, now)) return nullptr;
      entry.last_use = ++uses_;
      return entry.caller;
    }
    return nullptr;
  }

  void insert(std::string_view token, std::uint64_t generation, WallTime valid_until, WallTime now,
              std::shared_ptr<const Caller> caller) {
    if (token.size() > kMaxTokenBytes || now >= valid_until) return;
    const std::uint64_t hash = hash_of(token);
    Set& set = sets_[hash & (sets_.size() - 1)];
    const std::size_t way = way_for(set, hash, token, generation, now);
    set.hashes[way] = hash;
    set.entries[way] = {std::string(token), std::move(caller), valid_until, generation, ++uses_};
  }

  std::size_t capacity() const { return sets_.size() * kWays; }
  // Entries held, dead ones included. For tests and metrics; walks the table.
  std::size_t size() const {
    std::size_t count = 0;
    for (const Set& set : sets_) {
      for (const Entry& entry : set.entries) count += entry.caller != nullptr;
    }
    return count;
  }

 private:
  struct Entry {
    std::string token;
    std::shared_ptr<const Caller> caller;  // null: free
    WallTime valid_until{};
    std::uint64_t generation = 0;
    std::uint64_t last_use = 0;
  };
  struct Set {
    std::array<std::uint64_t, kWays> hashes{};
    std::array<Entry, kWays> entries;
  };

  // The end of a token is the end of its signature: as good as random, and costly to choose. The whole token is
  // compared on a match.
  static std::uint64_t hash_of(std::string_view token) {
    const std::size_t length = std::min<std::size_t>(token.size(), 48);
    return std::hash<std::string_view>()(token.substr(token.size() - length));
  }

  static bool is_alive(const Entry& entry, std::uint64_t generation, WallTime now) {
    return entry.generation == generation && now < entry.valid_until;
  }

  static std::size_t way_for(const Set& set, std::uint64_t hash, std::string_view token, std::uint64_t generation,
                             WallTime now) {
    std::size_t oldest = 0;
    bool oldest_is_dead = false;
    for (std::size_t way = 0; way < kWays; ++way) {
      const Entry& entry = set.entries[way];
      if (entry.caller == nullptr || (set.hashes[way] == hash && entry.token == token)) return way;
      const bool dead = !is_alive(entry, generation, now);
      if ((dead && !oldest_is_dead) || (dead == oldest_is_dead && entry.last_use < set.entries[oldest].last_use)) {
        oldest = way;
        oldest_is_dead = dead;
      }
    }
    return oldest;
  }

  std::vector<Set> sets_;
  std::uint64_t uses_ = 0;
};

}  // namespace parley::auth
