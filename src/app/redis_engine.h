// RedisEngine: the Redis that REDIS_URL names, as the roles of this process use it: limits that all processes share, a
// check for /health, its metrics. Nothing needs it: where it is away limits are local, recent searches are not kept,
// and every other request goes on. Made by the wiring before the roles; destroyed after the loops have stopped.
#pragma once
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "config/settings.h"
#include "drivers/redis/redis_client.h"
#include "http/operations/operational_routes.h"
#include "rate_limit/fallback_rate_limiter.h"
#include "rate_limit/memory_rate_limiter.h"
#include "rate_limit/redis_rate_limiter.h"
#include "telemetry/metrics.h"

namespace parley::app {

class RedisEngine {
 public:
  // Null where REDIS_URL is not set. fail: invalid, with the variable that is at fault. Redis need not be there.
  static Result<std::unique_ptr<RedisEngine>> open(const Settings& settings, EventLoops& loops, const Clock& clock,
                                                   Random& random, Metrics& metrics);

  redis::RedisClient& client() { return *client_; }
  std::chrono::milliseconds timeout() const { return client_->options().timeout; }
  RateLimiter& limiter() { return limiter_; }
  // Tries once, so that the log says at the start whether Redis is there. Blocks for timeout() at most; `loop` runs.
  void connect(EventLoop& loop);
  // Fails, too, while limits are local.
  http::HealthCheck health_check();

 private:
  RedisEngine(std::unique_ptr<redis::RedisClient> client, const Clock& clock, Metrics& metrics);
  Task<Result<>> check(SteadyTime deadline);
  void export_counters(Metrics& metrics);

  const Clock& clock_;
  const std::unique_ptr<redis::RedisClient> client_;
  RedisRateLimiter shared_;
  MemoryRateLimiter local_;
  FallbackRateLimiter limiter_;
  std::vector<Metrics::Scraped> scraped_;
};

}  // namespace parley::app
