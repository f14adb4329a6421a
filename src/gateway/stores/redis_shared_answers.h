// RedisSharedAnswers: SharedAnswers in Redis. An answer and the lock of its question are two keys named by a digest, so
// that no query text shows in a key; one script looks for the answer and takes the lock. Both go by themselves: an
// answer with its life, a lock after `lock_life`, should its gateway have died. A breaker keeps searches from waiting
// for a Redis that does not answer within `wait`. Owned by the wiring; any loop.
#pragma once
#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/redis/redis_client.h"
#include "gateway/shared_answers.h"
#include "resilience/circuit_breaker.h"

namespace parley::gateway {

class RedisSharedAnswers final : public SharedAnswers {
 public:
  struct Options {
    std::chrono::milliseconds wait{25};          // for Redis, at each look
    std::chrono::milliseconds lock_life{1'000};  // within which search has answered, or the next one asks
    std::string prefix = "parley:search:";       // of its keys
  };
  // The client, random and clock must outlive this.
  RedisSharedAnswers(redis::RedisClient& client, Options options, Random& random, const Clock& clock);

  Task<Found> find(std::string key, ChangeNumbers::Standing standing) override;
  void publish(std::string key, std::string token, SharedAnswer answer, std::chrono::milliseconds ttl) override;
  void give_up(std::string key, std::string token) override;

 private:
  // The answer's and the lock's.
  std::vector<std::string> keys_of(const std::string& key) const;

  redis::RedisClient& client_;
  const Options options_;
  Random& random_;
  CircuitBreaker breaker_;
};

}  // namespace parley::gateway
