// RateLimiter: how often a key may do a thing within any window of time. A port: in memory for one process, Redis for
// several. Called on any event loop; many may call at once. An adapter that cannot ask its store answers kUnavailable,
// and the caller decides whether that refuses the request.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace parley {

struct RateRule {
  std::uint32_t limit = 0;  // 0: no limit
  std::chrono::milliseconds window{std::chrono::minutes(1)};
};

struct RateDecision {
  bool allowed = true;
  std::uint32_t limit = 0;  // 0: no limit, and nothing below means anything
  std::uint32_t remaining = 0;
  std::chrono::seconds reset{0};        // until all are left again
  std::chrono::seconds retry_after{0};  // until one is; 0 when allowed
};

class RateLimiter {
 public:
  virtual ~RateLimiter() = default;
  // Takes one, if one is left. A refusal takes nothing, so that trying again does not lengthen the wait.
  virtual Task<Result<RateDecision>> take(std::string key, RateRule rule) = 0;
  // Gives back one that was taken for nothing (the request was a replay), and answers how it stands now. Giving back
  // what was not taken changes nothing.
  virtual Task<Result<RateDecision>> give_back(std::string key, RateRule rule) = 0;
};

// The key under which `user` does `what` ("messages"). No two (what, tenant, user) have the same: ids hold no control
// characters.
std::string rate_key(std::string_view what, const TenantId& tenant, const UserId& user);

// RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset for a response; none when there is no limit.
std::vector<std::pair<std::string_view, std::string>> rate_limit_fields(const RateDecision& decision);

// 429 with Retry-After, for a decision that is not allowed.
Error rate_limited(const RateDecision& decision);

}  // namespace parley
