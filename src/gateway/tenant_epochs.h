// TenantEpochs: for each tenant a number that moves when something its searches could show has changed, whether its
// last write through this gateway can be found by now, and the time up to which search was heard. The ChangeFollower
// and whoever passes a write on tell it, every loop reads; no lock. Memory is fixed: tenants share slots by hash, so
// the change of one may move the number of another, which costs a hit and nothing else.
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

  struct Standing {
    // Equal numbers: nothing has changed between the two looks that the later one could know of.
    std::uint64_t epoch = 0;
    // False: something was written that search may not find yet, so what it answers now is not to be kept.
    bool settled = true;
  };
  // How the tenant stands, to be taken before search is asked. Nullopt: search is not heard, so nothing that was kept
  // may be given.
  std::optional<Standing> current(std::string_view tenant, SteadyTime now) const {
    // First the time, then the number: whoever sees that search was heard sees what was heard then.
    const SteadyTime::rep heard = heard_.load(std::memory_order_acquire);
    if (heard == kNever || now - time_of(heard) >= trusted_for_) return std::nullopt;
    const Slot& of_it = slot(tenant);
    // Both only grow, so their sum stays the same only while both do. Before the time of the write, for who sees its
    // number is to see that it is under way.
    const std::uint64_t epoch = of_it.epoch.load(std::memory_order_acquire) + all_.load(std::memory_order_acquire);
    return Standing{epoch, !is_under_way(of_it.written.load(std::memory_order_acquire), now)};
  }

  // A write of the tenant has been done, or perhaps been done, and is about to be answered: what was found before is no
  // longer given, and nothing is kept until settled() says that search has it, at most for `trusted_for`.
  void written(std::string_view tenant, SteadyTime now) {
    raise(slot(tenant).written, now);
    raise(last_written_, now);
    changed(tenant);
  }
  // Whether some write may not be found yet.
  bool is_unsettled(SteadyTime now) const { return is_under_way(last_written_.load(std::memory_order_acquire), now); }

  // The follower's. `asked_at`: when the question went out, for the answer speaks for that moment at least. Called
  // after the changes that came with the answer.
  void heard(SteadyTime asked_at) { heard_.store(asked_at.time_since_epoch().count(), std::memory_order_release); }
  void changed(std::string_view tenant) { slot(tenant).epoch.fetch_add(1, std::memory_order_release); }
  void all_changed() { all_.fetch_add(1, std::memory_order_release); }
  // All that was written before `time` can be found.
  void settled(SteadyTime time) { raise(settled_, time); }

 private:
  static constexpr SteadyTime::rep kNever = std::numeric_limits<SteadyTime::rep>::min();
  using Time = std::atomic<SteadyTime::rep>;
  struct Slot {
    std::atomic<std::uint64_t> epoch{0};
    Time written{kNever};
  };
  using Slots = std::array<Slot, 4096>;

  static SteadyTime time_of(SteadyTime::rep ticks) { return SteadyTime(SteadyTime::duration(ticks)); }
  static void raise(Time& to, SteadyTime time) {
    SteadyTime::rep now = to.load(std::memory_order_relaxed);
    const SteadyTime::rep wanted = time.time_since_epoch().count();
    while (now < wanted && !to.compare_exchange_weak(now, wanted, std::memory_order_acq_rel)) {
    }
  }
  bool is_under_way(SteadyTime::rep written, SteadyTime now) const {
    return written != kNever && written >= settled_.load(std::memory_order_acquire) &&
           now - time_of(written) < trusted_for_;
  }

  Slot& slot(std::string_view tenant) { return slots_[index(tenant)]; }
  const Slot& slot(std::string_view tenant) const { return slots_[index(tenant)]; }
  static std::size_t index(std::string_view tenant) {
    return std::hash<std::string_view>()(tenant) % std::tuple_size_v<Slots>;
  }

  const std::chrono::milliseconds trusted_for_;
  Time heard_{kNever};
  Time settled_{kNever};
  Time last_written_{kNever};
  std::atomic<std::uint64_t> all_{0};
  Slots slots_{};
};

}  // namespace parley::gateway
