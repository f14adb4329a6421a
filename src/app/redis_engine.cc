#include "app/redis_engine.h"

#include <algorithm>

#include "base/run_on_loop.h"
#include "resilience/deadline.h"

namespace parley::app {

namespace {

// For a limit, which stands before each message: a Redis that takes longer is done without.
constexpr std::chrono::milliseconds kLimitWait{25};

}  // namespace

Result<std::unique_ptr<RedisEngine>> RedisEngine::open(const Settings& settings, EventLoops& loops, const Clock& clock,
                                                       Random& random, Metrics& metrics) {
  const EngineSettings& engines = settings.engines;
  if (engines.redis_url.empty()) return nullptr;
  auto address = redis::parse_redis_url(engines.redis_url.reveal());
  if (!address) return fail(std::move(address.error()));
  auto client = redis::RedisClient::make(loops,
                                         {.address = std::move(*address),
                                          .ca_file = engines.redis_ca_file,
                                          .connections_per_loop = engines.redis_pool_size,
                                          .timeout = engines.redis_timeout},
                                         random);
  if (!client) return fail(std::move(client.error()));
  return std::unique_ptr<RedisEngine>(new RedisEngine(std::move(*client), clock, metrics));
}

RedisEngine::RedisEngine(std::unique_ptr<redis::RedisClient> client, const Clock& clock, Metrics& metrics)
    : clock_(clock),
      client_(std::move(client)),
      shared_(*client_, {.wait = std::min(kLimitWait, client_->options().timeout)}),
      local_(clock),
      limiter_(shared_, local_, clock, metrics) {
  export_counters(metrics);
}

void RedisEngine::connect(EventLoop& loop) {
  (void)run_on_loop(loop, client_->ping(timeout()));
}

http::HealthCheck RedisEngine::health_check() {
  return {"redis", false, [this](SteadyTime deadline) { return check(deadline); }};
}

Task<Result<>> RedisEngine::check(SteadyTime deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(remaining(clock_.steady_now(), deadline));
  auto answered = co_await client_->ping(std::min(timeout(), left));
  if (answered && co_await limiter_.is_still_local()) {
    co_return unavailable("limits_are_local", "Limits are counted by this process alone.");
  }
  co_return answered;
}

void RedisEngine::export_counters(Metrics& metrics) {
  const redis::RedisCounters& counters = client_->counters();
  const auto count = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& counter) {
    scraped_.push_back(
        metrics.counter_from(name, help, {}, [&counter] { return static_cast<double>(counter.load()); }));
  };
  scraped_.push_back(metrics.gauge_from("parley_redis_open_connections", "Connections to Redis", {},
                                        [&counters] { return static_cast<double>(counters.open_connections.load()); }));
  count("parley_redis_connects_total", "Connections to Redis begun", counters.connects);
  count("parley_redis_connect_failures_total", "Of those, that could not be made", counters.connect_failures);
  count("parley_redis_lost_connections_total", "Connections to Redis that ended by themselves",
        counters.lost_connections);
  count("parley_redis_commands_total", "Commands for Redis", counters.commands);
  count("parley_redis_command_failures_total", "Of those, that got no answer, a late one or a refusal",
        counters.failures);
  count("parley_redis_writes_total", "Writes to Redis, each with one or many commands", counters.writes);
}

}  // namespace parley::app
