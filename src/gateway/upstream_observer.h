// UpstreamObserver: what goes wrong between the gateway and one upstream, as it happens. Called on any loop, several at
// once; on_breaker_change under the breaker's lock. A call that goes well tells nobody: the request metrics of its
// route count it.
#pragma once
#include <cstdint>

#include "resilience/circuit_breaker.h"

namespace parley::gateway {

enum class UpstreamFailure : std::uint8_t { kUnavailable, kTimeout, kStatus };

class UpstreamObserver {
 public:
  virtual ~UpstreamObserver() = default;
  virtual void on_failure(UpstreamFailure) {}  // one attempt
  virtual void on_retry() {}
  virtual void on_retry_not_afforded() {}  // the budget was used up
  virtual void on_turned_away() {}         // the circuit was open
  virtual void on_breaker_change(const BreakerChange&) {}
};

}  // namespace parley::gateway
