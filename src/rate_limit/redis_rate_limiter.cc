#include "rate_limit/redis_rate_limiter.h"

#include "rate_limit/sliding_window.h"

namespace parley {

namespace {

using redis::RedisReply;

// SlidingWindow, in microseconds. A window is kept as one text: the length of its steps, the newest step, and the
// counts of that one and of the twelve before it, oldest first. A step is rounded up, so that twelve are never less
// than a window. Where Redis' clock stepped back a little (another Redis took over), time stands still until it is
// where it was.
constexpr std::string_view kSource = R"lua(
local what, limit, window_ms, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local steps = 12
local length = math.ceil(window_ms * 1000 / steps)
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local current = math.floor(now / length)

local newest, counts = current, {}
for i = 1, steps + 1 do counts[i] = 0 end
local kept = redis.call('GET', KEYS[1])
if kept then
  local numbers = {}
  for number in string.gmatch(kept, '%d+') do numbers[#numbers + 1] = tonumber(number) end
  if #numbers == steps + 3 and numbers[1] == length and math.abs(current - numbers[2]) <= steps then
    newest = math.max(current, numbers[2])
    local passed = newest - numbers[2]
    for i = 1, steps + 1 - passed do counts[i] = numbers[2 + i + passed] end
  end
end
now = math.max(now, newest * length)

local total = 0
for i = 1, steps + 1 do total = total + counts[i] end
local allowed = true
if what == 'take' then
  allowed = total < limit
  if allowed then
    counts[steps + 1] = counts[steps + 1] + 1
    total = total + 1
  end
else
  for i = steps + 1, 1, -1 do
    if counts[i] > 0 then
      counts[i] = counts[i] - 1
      total = total - 1
      break
    end
  end
end

local remaining, reset, retry = math.max(limit - total, 0), 0, 0
local left = total
for i = 1, steps + 1 do
  if counts[i] > 0 then
    left = left - counts[i]
    local leaves_in = math.ceil(((newest + i) * length - now) / 1000000)
    if not allowed and retry == 0 and left < limit then retry = leaves_in end
    reset = leaves_in
  end
end

if total > 0 then
  local text = string.format('%.0f %.0f', length, newest)
  for i = 1, steps + 1 do text = text .. string.format(' %d', counts[i]) end
  redis.call('SET', KEYS[1], text, 'PX', math.ceil(length * (steps + 2) / 1000))
elseif kept then
  redis.call('DEL', KEYS[1])
end
return {allowed and 1 or 0, remaining, reset, retry}
)lua";

const redis::RedisScript& script() {
  static const redis::RedisScript kScript{kSource};
  return kScript;
}

std::string time_of(const Clock* clock) {
  if (clock == nullptr) return "-1";
  return std::to_string(
      std::chrono::duration_cast<std::chrono::microseconds>(clock->steady_now().time_since_epoch()).count());
}

}  // namespace

RedisRateLimiter::RedisRateLimiter(redis::RedisClient& client, RedisRateLimiterOptions options)
    : client_(client), options_(std::move(options)) {
  CHECK(options_.wait.count() > 0);
}

Task<Result<RateDecision>> RedisRateLimiter::take(std::string key, RateRule rule) {
  return ask(std::move(key), rule, "take");
}

Task<Result<RateDecision>> RedisRateLimiter::give_back(std::string key, RateRule rule) {
  return ask(std::move(key), rule, "give_back");
}

Task<Result<RateDecision>> RedisRateLimiter::ask(std::string key, RateRule rule, const char* what) {
  if (rule.limit == 0) co_return RateDecision{};
  CHECK(rule.window.count() >= SlidingWindow::kSteps);
  redis::RedisScriptCall call{
      {options_.prefix + key},
      {what, std::to_string(rule.limit), std::to_string(rule.window.count()), time_of(options_.clock)}};
  Result<RedisReply> reply = co_await client_.run(script(), std::move(call), options_.wait);
  if (!reply && reply.error().kind != ErrorKind::kTimeout) co_return fail(std::move(reply.error()));
  if (!reply || reply->items.size() != 4) {
    co_return unavailable("unavailable", "What counts the limits did not answer in time.");
  }
  const auto number = [&](std::size_t i) { return reply->items[i].number; };
  co_return RateDecision{.allowed = number(0) != 0,
                         .limit = rule.limit,
                         .remaining = static_cast<std::uint32_t>(number(1)),
                         .reset = std::chrono::seconds(number(2)),
                         .retry_after = std::chrono::seconds(number(3))};
}

}  // namespace parley
