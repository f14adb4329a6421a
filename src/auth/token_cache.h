// TokenCache: what one event loop remembers of tokens it has verified. Each loop has its own, so there is no lock.
// Holds at most `capacity` tokens, of which the one longest unused gives way; none beyond its time, and none once keys
// have changed.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/check.h"
#include "base/clock.h"
#include "tenancy/caller.h"

namespace parley::auth {

class TokenCache {
 public:
  // A longer token is verified each time: with this the cache's memory is bounded in bytes too.
  static constexpr std::size_t kMaxTokenBytes = 4096;

  explicit TokenCache(std::size_t capacity) : capacity_(capacity) { CHECK(capacity > 0); }

  // Null when the token is not known, or no longer good. `generation`: of the keys in force.
  std::shared_ptr<const Caller> find(std::string_view token, std::uint64_t generation, WallTime now) {
    forget_older_than(generation);
    const auto found = by_token_.find(token);
    if (found == by_token_.end()) return nullptr;
    const auto entry = found->second;
    if (now >= entry->valid_until) {
      by_token_.erase(found);
      entries_.erase(entry);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->caller;
  }

  // `generation`: of the keys that verified the token. Nothing happens if they are no longer in force.
  void insert(std::string_view token, std::uint64_t generation, WallTime valid_until, WallTime now,
              std::shared_ptr<const Caller> caller) {
    forget_older_than(generation);
    if (generation < generation_ || token.size() > kMaxTokenBytes || now >= valid_until) return;
    if (by_token_.contains(token)) return;
    if (entries_.size() >= capacity_) {
      by_token_.erase(entries_.back().token);
      entries_.pop_back();
    }
    entries_.push_front({std::string(token), std::move(caller), valid_until});
    by_token_.emplace(entries_.front().token, entries_.begin());
  }

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string token;
    std::shared_ptr<const Caller> caller;
    WallTime valid_until;
  };
  // Only the end of the token, the end of its signature: as good as random, and costly to choose. The whole token is
  // compared on a match.
  struct HashOfSignature {
    std::size_t operator()(std::string_view token) const {
      return std::hash<std::string_view>()(token.substr(token.size() - std::min<std::size_t>(token.size(), 48)));
    }
  };

  void forget_older_than(std::uint64_t generation) {
    if (generation <= generation_) [[likely]]
      return;
    by_token_.clear();
    entries_.clear();
    generation_ = generation;
  }

  const std::size_t capacity_;
  std::uint64_t generation_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator, HashOfSignature> by_token_;
};

}  // namespace parley::auth
