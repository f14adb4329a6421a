// RelayLease: which of several processes relays a log now. One that believes wrongly that it holds the lease harms
// nothing, for Kafka fences it; the lease only keeps two from fencing each other in turn. Owned by the wiring; called
// on one event loop, one call at a time. fail: unavailable, deadline_exceeded.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::events {

// Grows each time the lease changes hands, or is taken again after it had lapsed.
struct FencingToken {
  std::int64_t value = 0;
  auto operator<=>(const FencingToken&) const = default;
};

class RelayLease {
 public:
  virtual ~RelayLease() = default;
  // Takes the lease, or renews it; none: another has it.
  virtual Task<Result<std::optional<FencingToken>>> hold(SteadyTime deadline) = 0;
  // How long before hold() must be called again.
  virtual std::chrono::milliseconds renew_every() const = 0;
  // So that another may take it at once.
  virtual Task<Result<>> release(SteadyTime deadline) = 0;
};

// Of a log that one process alone can open, as the embedded ones.
class OnlyRelay final : public RelayLease {
 public:
  Task<Result<std::optional<FencingToken>>> hold(SteadyTime) override { co_return FencingToken{1}; }
  std::chrono::milliseconds renew_every() const override { return std::chrono::hours(1); }
  Task<Result<>> release(SteadyTime) override { co_return Result<>(); }
};

}  // namespace parley::events
