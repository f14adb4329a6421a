// RedisRateLimiter: RateLimiter for all processes that share a Redis: one atomic script does what SlidingWindow does in
// memory, by Redis' own clock. Called on any loop; waits for Redis at most `wait`, then answers kUnavailable. A window
// whose key expired begins anew, as one that never was.
#pragma once
#include <chrono>
#include <string>

#include "base/clock.h"
#include "drivers/redis/redis_client.h"
#include "rate_limit/rate_limiter.h"

namespace parley {

struct RedisRateLimiterOptions {
  std::chrono::milliseconds wait{25};
  std::string prefix = "parley:limit:";  // of its keys
  const Clock* clock = nullptr;          // counts instead of Redis' own, for tests
};

class RedisRateLimiter final : public RateLimiter {
 public:
  // The client must outlive this, and be used by nobody once the loops have stopped.
  RedisRateLimiter(redis::RedisClient& client, RedisRateLimiterOptions options);

  Task<Result<RateDecision>> take(std::string key, RateRule rule) override;
  Task<Result<RateDecision>> give_back(std::string key, RateRule rule) override;

 private:
  Task<Result<RateDecision>> ask(std::string key, RateRule rule, const char* what);

  redis::RedisClient& client_;
  const RedisRateLimiterOptions options_;
};

}  // namespace parley
