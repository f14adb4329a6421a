// The contract over a real Redis, and what is this adapter's own: several limiters that share one count, and a Redis
// that goes away.
#include "rate_limit/redis_rate_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "base/run_on_loop.h"
#include "drivers/redis/testing/live_redis.h"
#include "rate_limit/fallback_rate_limiter.h"
#include "rate_limit/memory_rate_limiter.h"
#include "rate_limit/testing/rate_limiter_contract.h"

namespace parley::testing {
namespace {

using redis::RedisClient;
using redis::testing::RedisServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPatience{10'000};

// A process: loops and a client of its own.
class Process {
 public:
  explicit Process(redis::RedisOptions options, std::size_t loops = 1) : loops_(loops) {
    client_ = RedisClient::make(loops_, std::move(options), random_).value();
    loops_.start();
  }
  ~Process() { loops_.stop(); }
  EventLoops& loops() { return loops_; }
  RedisClient& client() { return *client_; }

 private:
  SecureRandom random_;
  EventLoops loops_;
  std::unique_ptr<RedisClient> client_;
};

void forget(Process& process, const std::string& prefix) {
  const redis::RedisScript script(
      "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end");
  (void)run_on_loop(process.loops().at(0), process.client().run(script, {{}, {prefix}}, kPatience));
}

class InRedis {
 public:
  static bool is_there() { return redis::testing::redis_url().has_value(); }
  InRedis() {
    if (!is_there()) return;
    process_ = std::make_unique<Process>(redis::testing::live_options());
    limiter_ = std::make_unique<RedisRateLimiter>(
        process_->client(), RedisRateLimiterOptions{.wait = kPatience, .prefix = prefix_, .clock = &clock_});
    on_its_loop_ = std::make_unique<OnLoop>(process_->loops().at(0), *limiter_);
  }
  ~InRedis() {
    if (process_) forget(*process_, prefix_);
  }
  RateLimiter& limiter() { return *on_its_loop_; }
  void advance(milliseconds by) { clock_.advance(by); }

 private:
  // The contract waits on a loop of its own; the client answers on the loops that it was made for.
  class OnLoop final : public RateLimiter {
   public:
    OnLoop(EventLoop& loop, RateLimiter& limiter) : loop_(loop), limiter_(limiter) {}
    Task<Result<RateDecision>> take(std::string key, RateRule rule) override {
      co_return run_on_loop(loop_, limiter_.take(std::move(key), rule));
    }
    Task<Result<RateDecision>> give_back(std::string key, RateRule rule) override {
      co_return run_on_loop(loop_, limiter_.give_back(std::move(key), rule));
    }

   private:
    EventLoop& loop_;
    RateLimiter& limiter_;
  };

  const std::string prefix_ = "parley-test:" + redis::testing::random_name() + ":";
  ManualClock clock_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<RedisRateLimiter> limiter_;
  std::unique_ptr<OnLoop> on_its_loop_;
};

class LiveRateLimiter : public ::testing::Test {
 protected:
  void SetUp() override { PARLEY_NEEDS_REDIS(); }
  void TearDown() override {
    if (!redis::testing::redis_url()) return;
    Process process(redis::testing::live_options());
    forget(process, prefix_);
  }
  RedisRateLimiterOptions options() const { return {.wait = kPatience, .prefix = prefix_}; }
  const std::string prefix_ = "parley-test:" + redis::testing::random_name() + ":";
};

Task<int> take_many(RateLimiter& limiter, int times, RateRule rule) {
  int allowed = 0;
  for (int i = 0; i < times; ++i) {
    const auto decision = co_await limiter.take("shared", rule);
    allowed += decision && decision->allowed ? 1 : 0;
  }
  co_return allowed;
}

TEST_F(LiveRateLimiter, ProcessesTogetherTakeExactlyTheLimit) {
  Process one(redis::testing::live_options(), 2);
  Process two(redis::testing::live_options(), 2);
  RedisRateLimiter first(one.client(), options());
  RedisRateLimiter second(two.client(), options());
  std::vector<std::future<int>> counts;
  const RateRule rule{.limit = 1000, .window = std::chrono::hours(1)};
  for (int i = 0; i < 16; ++i) {
    Process& process = i % 2 == 0 ? one : two;
    RateLimiter& limiter = i % 2 == 0 ? first : second;
    EventLoop& loop = process.loops().at(static_cast<std::size_t>(i / 2) % 2);
    counts.push_back(asio::co_spawn(loop.io(), take_many(limiter, 125, rule), asio::use_future));
  }
  int total = 0;
  for (auto& count : counts) total += count.get();
  EXPECT_EQ(total, 1000);
}

TEST_F(LiveRateLimiter, CountsByTheClockOfRedisAndForgetsByItself) {
  Process process(redis::testing::live_options());
  RedisRateLimiter limiter(process.client(), options());
  const auto take = [&](RateRule rule) { return run_on_loop(process.loops().at(0), limiter.take("u", rule)).value(); };
  const RateRule rule{.limit = 1, .window = milliseconds(1'200)};
  EXPECT_TRUE(take(rule).allowed);
  const RateDecision refused = take(rule);
  EXPECT_FALSE(refused.allowed);
  EXPECT_GE(refused.retry_after.count(), 1);
  EXPECT_LE(refused.retry_after.count(), 2);
  const auto began = std::chrono::steady_clock::now();
  while (!take(rule).allowed) ASSERT_LT(std::chrono::steady_clock::now() - began, seconds(10));
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(1'100));
  const auto life = run_on_loop(process.loops().at(0), process.client().run({"PTTL", prefix_ + "u"}, kPatience));
  EXPECT_GT(life.value().number, 0);
  EXPECT_LE(life.value().number, 1'400);
}

TEST_F(LiveRateLimiter, WhatIsNoWindowIsTakenForNone) {
  Process process(redis::testing::live_options());
  RedisRateLimiter limiter(process.client(), options());
  for (const char* odd : {"", "hello", "1 2 3", "99999999999999999999 1 1 1 1 1 1 1 1 1 1 1 1 1 1"}) {
    run_on_loop(process.loops().at(0), process.client().run({"SET", prefix_ + "u", odd}, kPatience)).value();
    const auto decision = run_on_loop(process.loops().at(0), limiter.take("u", {.limit = 5})).value();
    EXPECT_TRUE(decision.allowed) << odd;
    EXPECT_EQ(decision.remaining, 4u) << odd;
  }
}

TEST_F(LiveRateLimiter, NeedsNoMoreOfAUserThanTheDocumentsSay) {
  if (!RedisServer::is_there()) GTEST_SKIP() << "there is no " << RedisServer::kProgram;
  const RedisServer server({"--user", "parley", "on", ">s3cret", "~parley:*", "+@read", "+@write", "+@scripting",
                            "+@connection", "+time", "-@dangerous"});
  redis::RedisAddress address = server.address();
  address.user = "parley";
  address.password = Secret("s3cret");
  Process process({.address = address, .ca_file = {}});
  RedisRateLimiter limiter(process.client(), {.wait = kPatience});
  EXPECT_TRUE(run_on_loop(process.loops().at(0), limiter.take("u", {.limit = 5})).value().allowed);
}

class LiveFallback : public LiveRateLimiter {
 protected:
  void SetUp() override {
    PARLEY_NEEDS_REDIS();
    if (!RedisServer::is_there()) GTEST_SKIP() << "there is no " << RedisServer::kProgram;
  }
};

TEST_F(LiveFallback, NoRequestIsLostOrRefusedWhileRedisIsAwayAndLimitsAreSharedAgainWithinSeconds) {
  RedisServer server;
  Process process({.address = server.address(), .ca_file = {}});
  Metrics metrics;
  const SystemClock clock;
  RedisRateLimiter shared(process.client(), {.wait = milliseconds(25), .prefix = prefix_});
  MemoryRateLimiter local(clock);
  FallbackRateLimiter limiter(shared, local, clock, metrics);
  const RateRule rule{.limit = 1'000'000};
  const auto take = [&] { return run_on_loop(process.loops().at(0), limiter.take("u", rule)); };
  const auto is_shared = [&] {
    const auto until = std::chrono::steady_clock::now() + seconds(15);
    while (std::chrono::steady_clock::now() < until) {
      if (!take()) return false;
      const auto kept = run_on_loop(process.loops().at(0), process.client().run({"GET", prefix_ + "u"}, seconds(1)));
      if (kept && kept->kind == redis::RedisReply::Kind::kText && !limiter.is_local()) return true;
    }
    return false;
  };
  ASSERT_TRUE(is_shared());
  for (int round = 0; round < 2; ++round) {
    if (round == 0) {
      server.kill();
    } else {
      server.freeze();
    }
    auto longest = std::chrono::steady_clock::duration::zero();
    for (int i = 0; i < 2'000; ++i) {
      const auto began = std::chrono::steady_clock::now();
      const auto decision = take();
      longest = std::max(longest, std::chrono::steady_clock::now() - began);
      ASSERT_TRUE(decision.has_value());
      ASSERT_TRUE(decision->allowed);
    }
    EXPECT_TRUE(limiter.is_local());
    EXPECT_LT(longest, seconds(1));
    if (round == 0) {
      server.start();
    } else {
      server.thaw();
    }
    EXPECT_TRUE(is_shared());
  }
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Redis, RateLimiterContract, InRedis);

}  // namespace parley::testing
