// ChangeNumbers: what search has told this gateway of its changes, in search's own numbers, by which gateways compare
// what they know (TenantEpochs' numbers are one process's own). An answer that some gateway fetched when it had heard
// all changes up to a number is good for another as long as that one knows of no later change of the tenant, and of no
// write of its own that search may not have indexed yet. The ChangeFollower and whoever passes a write on tell it,
// before they tell TenantEpochs; any thread, a lock is held for a look. Memory is fixed: tenants share slots by hash.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace parley::gateway {

class ChangeNumbers {
 public:
  struct Standing {
    std::string instance;      // of search's run: numbers of another one mean nothing
    std::int64_t heard = 0;    // all changes up to this are known here
    std::int64_t changed = 0;  // none of the tenant's is later than this

    // Whether what was fetched under `number` of `of_instance` is still right.
    bool allows(std::string_view of_instance, std::int64_t number) const {
      return instance == of_instance && number >= changed;
    }
  };

  // Nullopt: nothing was heard yet, or a write of the tenant is not known to be indexed, however long ago it was. Then
  // nothing of others is good, and nothing found here is good for others.
  std::optional<Standing> current(std::string_view tenant) const {
    const std::lock_guard lock(mutex_);
    const Slot& slot = slots_[index(tenant)];
    if (instance_.empty() || (slot.written != SteadyTime::min() && slot.written >= settled_)) return std::nullopt;
    return Standing{instance_, heard_, std::max(slot.changed, all_changed_)};
  }

  void written(std::string_view tenant, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    SteadyTime& written = slots_[index(tenant)].written;
    written = std::max(written, now);
  }

  // The follower's: one answer of search's feed. `all`: whatever changed, or another instance.
  void hear(const std::string& instance, std::int64_t through, bool all, const std::vector<std::string>& tenants) {
    const std::lock_guard lock(mutex_);
    if (all || instance != instance_) {
      for (Slot& slot : slots_) slot.changed = 0;
      all_changed_ = through;
    }
    instance_ = instance;
    heard_ = through;
    for (const std::string& tenant : tenants) slots_[index(tenant)].changed = through;
  }
  // What was written before `time` is indexed, and was among the changes heard so far.
  void settled(SteadyTime time) {
    const std::lock_guard lock(mutex_);
    settled_ = std::max(settled_, time);
  }

 private:
  struct Slot {
    std::int64_t changed = 0;
    SteadyTime written = SteadyTime::min();
  };
  static std::size_t index(std::string_view tenant) { return std::hash<std::string_view>()(tenant) % kSlots; }
  static constexpr std::size_t kSlots = 4096;

  mutable std::mutex mutex_;
  std::string instance_;  // empty: nothing was heard
  std::int64_t heard_ = 0;
  std::int64_t all_changed_ = 0;
  SteadyTime settled_ = SteadyTime::min();
  std::array<Slot, kSlots> slots_{};
};

}  // namespace parley::gateway
