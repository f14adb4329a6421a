#include "search/stores/redis_recent_searches.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/sha256.h"
#include "base/text.h"
#include "resilience/deadline.h"
#include "search/recent_query.h"

namespace parley::search {

namespace {

using redis::RedisReply;
using redis::RedisScript;

// A list holds "TIME DIGEST QUERY", the newest first; the digest is that of what two same searches have in common. The
// index holds the key of each user's list by the time of the oldest search in it, wherever a clock that stepped back
// has put that one.

// KEYS: list, index. ARGV: time, expired, digest, query, most.
constexpr std::string_view kAdd = R"lua(
local expired, digest, most = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5])
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local time, same = string.match(entry, '^(%-?%d+) (%x+) ')
  if not time or tonumber(time) <= expired or same == digest then redis.call('LREM', KEYS[1], 1, entry) end
end
redis.call('LPUSH', KEYS[1], ARGV[1] .. ' ' .. digest .. ' ' .. ARGV[4])
redis.call('LTRIM', KEYS[1], 0, most - 1)
local oldest
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local time = tonumber(string.match(entry, '^%-?%d+'))
  if not oldest or time < oldest then oldest = time end
end
redis.call('ZADD', KEYS[2], oldest, KEYS[1])
return 1
)lua";

// KEYS: list, index.
constexpr std::string_view kClear = R"lua(
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], KEYS[1])
return 1
)lua";

// KEYS: index. ARGV: expired, limit. Answers how many were erased. One search at a time, the oldest of all first.
constexpr std::string_view kSweep = R"lua(
local expired, limit, erased = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
while erased < limit do
  local first = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', expired, 'LIMIT', 0, 1)[1]
  if not first then break end
  local oldest, gone, next_oldest
  for _, entry in ipairs(redis.call('LRANGE', first, 0, -1)) do
    local time = tonumber(string.match(entry, '^%-?%d+')) or -math.huge
    if not oldest or time <= oldest then
      if oldest then next_oldest = math.min(next_oldest or oldest, oldest) end
      oldest, gone = time, entry
    else
      next_oldest = math.min(next_oldest or time, time)
    end
  end
  if gone and oldest <= expired then
    redis.call('LREM', first, -1, gone)
    erased = erased + 1
    oldest = next_oldest
  end
  if oldest then redis.call('ZADD', KEYS[1], oldest, first) else redis.call('ZREM', KEYS[1], first) end
end
return erased
)lua";

const RedisScript& add_script() {
  static const RedisScript kScript{kAdd};
  return kScript;
}
const RedisScript& clear_script() {
  static const RedisScript kScript{kClear};
  return kScript;
}
const RedisScript& sweep_script() {
  static const RedisScript kScript{kSweep};
  return kScript;
}

std::unexpected<Error> too_late() {
  return redis::redis_too_late();
}

// Nullopt for what this adapter has not written.
std::optional<RecentSearch> read_entry(std::string_view entry) {
  std::int64_t time_ms = 0;
  const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), time_ms);
  if (error != std::errc()) return std::nullopt;
  entry.remove_prefix(static_cast<std::size_t>(end - entry.data()));
  if (!entry.starts_with(' ')) return std::nullopt;
  const std::size_t space = entry.find(' ', 1);
  if (space == std::string_view::npos) return std::nullopt;
  return RecentSearch{std::string(entry.substr(space + 1)), WallTime(std::chrono::milliseconds(time_ms))};
}

}  // namespace

RedisRecentSearches::RedisRecentSearches(redis::RedisClient& client, Options options, const Clock& clock)
    : client_(client), options_(std::move(options)), clock_(clock) {}

// Ids hold no control characters, so no two users have the same.
std::string RedisRecentSearches::key_of(const TenantId& tenant, const UserId& user) const {
  return options_.prefix + "of:" + tenant.value + "\n" + user.value;
}

std::int64_t RedisRecentSearches::expired_ms() const {
  // Lua counts in doubles: nothing is as old as this.
  if (options_.life.count() == 0) return std::numeric_limits<std::int32_t>::min();
  return (clock_.wall_now() - options_.life).time_since_epoch().count();
}

std::optional<std::chrono::milliseconds> RedisRecentSearches::time_for(SteadyTime deadline) const {
  const auto left = remaining(clock_.steady_now(), deadline);
  if (left == SteadyTime::duration::zero()) return std::nullopt;
  return std::min(options_.timeout, std::chrono::ceil<std::chrono::milliseconds>(left));
}

Task<Result<>> RedisRecentSearches::add(TenantId tenant, UserId user, std::string query, SteadyTime deadline) {
  if (auto checked = check_recent_query(query); !checked) co_return checked;
  const std::string same = sameness_of(query);
  if (same.empty()) co_return Result<>{};
  const auto time = time_for(deadline);
  if (!time) co_return too_late();
  const Sha256 digest = sha256(same);
  redis::RedisScriptCall call{
      {key_of(tenant, user), index_key()},
      {std::to_string(clock_.wall_now().time_since_epoch().count()), std::to_string(expired_ms()),
       hex_encode(std::span(digest).first(16)), trimmed_query(query), std::to_string(kMaxRecentSearches)}};
  auto done = co_await client_.run(add_script(), std::move(call), *time);
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<>{};
}

Task<Result<std::vector<RecentSearch>>> RedisRecentSearches::list(TenantId tenant, UserId user, SteadyTime deadline) {
  const auto time = time_for(deadline);
  if (!time) co_return too_late();
  const WallTime expired{std::chrono::milliseconds(expired_ms())};
  auto reply = co_await client_.run({"LRANGE", key_of(tenant, user), "0", "-1"}, *time);
  if (!reply) co_return fail(std::move(reply.error()));
  std::vector<RecentSearch> searches;
  for (const RedisReply& item : reply->items) {
    auto search = read_entry(item.text);
    if (search && search->searched_at > expired) searches.push_back(std::move(*search));
  }
  co_return searches;
}

Task<Result<>> RedisRecentSearches::clear(TenantId tenant, UserId user, SteadyTime deadline) {
  const auto time = time_for(deadline);
  if (!time) co_return too_late();
  redis::RedisScriptCall call{{key_of(tenant, user), index_key()}, {}};
  auto done = co_await client_.run(clear_script(), std::move(call), *time);
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<>{};
}

Task<Result<bool>> RedisRecentSearches::sweep(std::size_t limit, SteadyTime deadline) {
  const auto time = time_for(deadline);
  if (!time) co_return too_late();
  if (limit == 0) co_return false;
  redis::RedisScriptCall call{{index_key()}, {std::to_string(expired_ms()), std::to_string(limit)}};
  auto erased = co_await client_.run(sweep_script(), std::move(call), *time);
  if (!erased) co_return fail(std::move(erased.error()));
  co_return erased->number > 0 && static_cast<std::size_t>(erased->number) == limit;
}

}  // namespace parley::search
