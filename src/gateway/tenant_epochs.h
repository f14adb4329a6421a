// TenantEpochs: for each tenant a number that moves when something its searches could show has changed, and the time up
// to which search was heard. One ChangeFollower writes, every loop reads; no lock. Memory is fixed: tenants share slots
// by hash, so the change of one may move the number of another, which costs a hit and nothing else.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace parley::gateway {

class TenantEpochs {
 public:
  // `trusted_for`: how long after search was heard its silence still means that nothing has changed.
  explicit TenantEpochs(std::chrono::milliseconds trusted_for) : trusted_for_(trusted_for) {}

  // The tenant's number, to be taken before search is asked. Nullopt: search is not heard, so nothing that was kept may
  // be given. Equal numbers: nothing has changed between the two looks that the later one could know of.
  std::optional<std::uint64_t> current(std::string_view tenant, SteadyTime now) const {
    // First the time, then the number: whoever sees that search was heard sees what was heard then.
    const SteadyTime::rep heard = heard_.load(std::memory_order_acquire);
    if (heard == kNever || now - SteadyTime(SteadyTime::duration(heard)) >= trusted_for_) return std::nullopt;
    // Both only grow, so their sum stays the same only while both do.
    return slot(tenant).load(std::memory_order_acquire) + all_.load(std::memory_order_acquire);
  }

  // The follower's. `asked_at`: when the question went out, for the answer speaks for that moment at least. Called
  // after the changes that came with the answer.
  void heard(SteadyTime asked_at) { heard_.store(asked_at.time_since_epoch().count(), std::memory_order_release); }
  void changed(std::string_view tenant) { slot(tenant).fetch_add(1, std::memory_order_release); }
  void all_changed() { all_.fetch_add(1, std::memory_order_release); }

 private:
  static constexpr SteadyTime::rep kNever = std::numeric_limits<SteadyTime::rep>::min();
  using Slots = std::array<std::atomic<std::uint64_t>, 4096>;

  std::atomic<std::uint64_t>& slot(std::string_view tenant) { return slots_[index(tenant)]; }
  const std::atomic<std::uint64_t>& slot(std::string_view tenant) const { return slots_[index(tenant)]; }
  static std::size_t index(std::string_view tenant) {
    return std::hash<std::string_view>()(tenant) % std::tuple_size_v<Slots>;
  }

  const std::chrono::milliseconds trusted_for_;
  std::atomic<SteadyTime::rep> heard_{kNever};
  std::atomic<std::uint64_t> all_{0};
  Slots slots_{};
};

}  // namespace parley::gateway
