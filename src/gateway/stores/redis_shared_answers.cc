#include "gateway/stores/redis_shared_answers.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/text.h"

namespace parley::gateway {

namespace {

using redis::RedisReply;
using redis::RedisScript;

constexpr std::chrono::milliseconds kTellWithin{1'000};
constexpr CircuitBreakerSettings kBreaker{.window = std::chrono::milliseconds(2'000),
                                          .volume_threshold = 3,
                                          .error_share = 0.5,
                                          .open_time = std::chrono::milliseconds(1'000),
                                          .half_open_probes = 2};

// KEYS: answer, lock. ARGV: instance, changed, heard, token, life of the lock.
// Answers {'answer', body, type, control, number, age} or {'lead'} or {'wait'}.
constexpr std::string_view kFind = R"lua(
local changed = tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'instance', 'number')
if kept[1] == ARGV[1] and tonumber(kept[2]) >= changed then
  local rest = redis.call('HMGET', KEYS[1], 'body', 'type', 'control', 'life')
  local age = tonumber(rest[4]) - redis.call('PTTL', KEYS[1])
  return {'answer', rest[1], rest[2], rest[3], tonumber(kept[2]), age}
end
local lock = redis.call('HMGET', KEYS[2], 'instance', 'number')
if lock[1] == ARGV[1] and tonumber(lock[2]) >= changed then return {'wait'} end
redis.call('HSET', KEYS[2], 'instance', ARGV[1], 'number', ARGV[3], 'token', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {'lead'}
)lua";

// KEYS: answer, lock. ARGV: token, instance, number, life, age, body, type, control.
constexpr std::string_view kPublish = R"lua(
if redis.call('HGET', KEYS[2], 'token') == ARGV[1] then redis.call('DEL', KEYS[2]) end
local kept = redis.call('HMGET', KEYS[1], 'instance', 'number')
if kept[1] == ARGV[2] and tonumber(kept[2]) > tonumber(ARGV[3]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'instance', ARGV[2], 'number', ARGV[3], 'life', ARGV[4],
           'body', ARGV[6], 'type', ARGV[7], 'control', ARGV[8])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[4]) - tonumber(ARGV[5]))
return 1
)lua";

// KEYS: answer, lock. ARGV: token.
constexpr std::string_view kGiveUp = R"lua(
if redis.call('HGET', KEYS[2], 'token') == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
)lua";

const RedisScript& find_script() {
  static const RedisScript kScript{kFind};
  return kScript;
}
const RedisScript& publish_script() {
  static const RedisScript kScript{kPublish};
  return kScript;
}
const RedisScript& give_up_script() {
  static const RedisScript kScript{kGiveUp};
  return kScript;
}

}  // namespace

RedisSharedAnswers::RedisSharedAnswers(redis::RedisClient& client, Options options, Random& random, const Clock& clock)
    : client_(client), options_(std::move(options)), random_(random), breaker_(kBreaker, clock) {}

std::vector<std::string> RedisSharedAnswers::keys_of(const std::string& key) const {
  const std::string name = options_.prefix + "{" + hex_encode(sha256(key)) + "}";
  return {name, name + ":asked"};
}

Task<SharedAnswers::Found> RedisSharedAnswers::find(std::string key, ChangeNumbers::Standing standing) {
  auto permit = breaker_.acquire();
  if (!permit) co_return Away{};
  std::string token = std::to_string(random_.next_u64());
  redis::RedisScriptCall call{keys_of(key),
                              {standing.instance, std::to_string(standing.changed), std::to_string(standing.heard),
                               token, std::to_string(options_.lock_life.count())}};
  auto reply = co_await client_.run(find_script(), std::move(call), options_.wait);
  if (!reply) {
    permit->failure();
    co_return Away{};
  }
  permit->success();
  const std::vector<RedisReply>& items = reply->items;
  if (items.size() == 1 && items[0].text == "lead") co_return Lead{std::move(token)};
  if (items.size() == 1 && items[0].text == "wait") co_return Wait{};
  if (items.size() != 6) co_return Away{};
  co_return SharedAnswer{.body = std::move(reply->items[1].text),
                         .content_type = std::move(reply->items[2].text),
                         .cache_control = std::move(reply->items[3].text),
                         .instance = standing.instance,
                         .number = items[4].number,
                         .age = std::chrono::milliseconds(std::max<std::int64_t>(items[5].number, 0))};
}

void RedisSharedAnswers::publish(std::string key, std::string token, SharedAnswer answer,
                                 std::chrono::milliseconds ttl) {
  if (answer.age >= ttl) return give_up(std::move(key), std::move(token));
  if (breaker_.state() == BreakerState::kOpen) return;
  redis::RedisScriptCall call{keys_of(key),
                              {std::move(token), std::move(answer.instance), std::to_string(answer.number),
                               std::to_string(ttl.count()), std::to_string(answer.age.count()), std::move(answer.body),
                               std::move(answer.content_type), std::move(answer.cache_control)}};
  client_.tell(publish_script(), std::move(call), kTellWithin);
}

void RedisSharedAnswers::give_up(std::string key, std::string token) {
  if (breaker_.state() == BreakerState::kOpen) return;
  client_.tell(give_up_script(), {keys_of(key), {std::move(token)}}, kTellWithin);
}

}  // namespace parley::gateway
