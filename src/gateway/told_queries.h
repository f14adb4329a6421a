// ToldQueries: with which query each user's recent searches begin, as far as this gateway knows, so that search is told
// of one that its cache answers only where that changes something: when another came in between, or a second has passed
// (the time of the search is shown too). Memory is fixed: users share slots by hash, which costs a telling too many, or
// one too few where they are very busy. Any thread; a lock is held for a look.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tenancy/caller.h"

namespace parley::gateway {

class ToldQueries {
 public:
  static constexpr std::chrono::seconds kToldFor{1};
  static constexpr int kMostASecond = 20;  // of one user: hits count against no limit, and each telling is a write

  // Whether search is to be told; of several who ask at once, one is to tell.
  bool should_tell(const Caller& caller, std::string_view q, SteadyTime now) {
    const std::size_t user = hash_of(caller);
    Part& part = parts_[user % kParts];
    const std::lock_guard lock(part.mutex);
    Slot& slot = part.slots[user / kParts % kSlots];
    const std::size_t query = hash_of(user, q);
    if (slot.query == query && now - slot.told_at < kToldFor) return false;
    if (now - slot.counted_from >= std::chrono::seconds(1)) {
      slot.counted_from = now;
      slot.count = 0;
    }
    if (slot.count == kMostASecond) return false;
    ++slot.count;
    slot.query = query;
    slot.told_at = now;
    return true;
  }
  // Search has put it first by itself.
  void told(const Caller& caller, std::string_view q, SteadyTime now) {
    const std::size_t user = hash_of(caller);
    set(user, hash_of(user, q), now);
  }
  // Something else may stand first now.
  void forget(const Caller& caller) { set(hash_of(caller), 0, SteadyTime{}); }

 private:
  struct Slot {
    std::size_t query = 0;  // of a user and what it asked; 0: not known
    SteadyTime told_at{};
    SteadyTime counted_from{};
    int count = 0;
  };
  static constexpr std::size_t kParts = 16;
  static constexpr std::size_t kSlots = 256;
  struct Part {
    std::mutex mutex;
    std::array<Slot, kSlots> slots{};
  };

  static std::size_t hash_of(const Caller& caller) {
    return mixed(std::hash<std::string>()(caller.tenant.value), std::hash<std::string>()(caller.user.value));
  }
  static std::size_t hash_of(std::size_t user, std::string_view q) {
    const std::size_t hash = mixed(user, std::hash<std::string_view>()(q));
    return hash == 0 ? 1 : hash;
  }
  static std::size_t mixed(std::size_t a, std::size_t b) { return (a * 31 + b) * 0x9E3779B97F4A7C15U; }
  void set(std::size_t user, std::size_t query, SteadyTime now) {
    Part& part = parts_[user % kParts];
    const std::lock_guard lock(part.mutex);
    Slot& slot = part.slots[user / kParts % kSlots];
    slot.query = query;
    slot.told_at = now;
  }

  std::array<Part, kParts> parts_;
};

}  // namespace parley::gateway
