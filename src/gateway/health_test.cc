#include "gateway/health.h"

#include <gtest/gtest.h>

#include "gateway/resilient_upstream.h"
#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeUpstream;

class HealthCheckTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (!started) return;
    bool stopped = false;
    check.stop([&stopped] { stopped = true; });
    turn();
    EXPECT_TRUE(stopped);
  }
  void start() {
    started = true;
    check.start(loop);
    turn();
  }
  void turn() {
    loop.io().restart();
    loop.io().run();
  }
  void pass(milliseconds time) {
    clock.advance(time);
    loop.sweep(clock.steady_now());
    turn();
  }

  EventLoop loop{0};
  ManualClock clock;
  std::shared_ptr<FakeUpstream> fake = std::make_shared<FakeUpstream>(std::vector{FakeUpstream::status(200)});
  HealthCheck check{*fake, {.interval = seconds(5), .timeout = seconds(2)}, clock};
  bool started = false;
};

TEST_F(HealthCheckTest, KnowsNothingBeforeTheFirstAnswer) {
  EXPECT_FALSE(check.last().has_value());
}

TEST_F(HealthCheckTest, AsksAtOnceAndThenAtEachInterval) {
  start();
  ASSERT_EQ(fake->seen.size(), 1u);
  EXPECT_EQ(fake->seen[0].target, "/health");
  EXPECT_EQ(fake->seen[0].deadline, clock.steady_now() + seconds(2));
  EXPECT_TRUE(check.last()->up);
  pass(milliseconds(4'999));
  EXPECT_EQ(fake->seen.size(), 1u);
  pass(milliseconds(1));
  EXPECT_EQ(fake->seen.size(), 2u);
}

TEST_F(HealthCheckTest, TellsWhenTheUpstreamIsDownAndUpAgainAndHowLongItTook) {
  start();
  for (const auto& bad : {FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::error(ErrorKind::kTimeout),
                          FakeUpstream::status(500), FakeUpstream::status(404)}) {
    fake->script = {bad};
    pass(seconds(5));
    EXPECT_FALSE(check.last()->up);
  }
  fake->script = {[this](http::Request&) -> Result<http::Response> {
    clock.advance(milliseconds(7));
    return http::json_response(200, "{}");
  }};
  pass(seconds(5));
  EXPECT_TRUE(check.last()->up);
  EXPECT_EQ(check.last()->latency, milliseconds(7));
}

TEST_F(HealthCheckTest, AsksNoMoreOnceStopped) {
  start();
  check.stop([] {});
  pass(seconds(50));
  EXPECT_EQ(fake->seen.size(), 1u);
  started = false;
}

TEST_F(HealthCheckTest, StoppingWaitsForTheQuestionUnderWay) {
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>
      never(loop.io(), SteadyTime::max());
  struct Hanging final : http::Upstream {
    decltype(never)& gate;
    explicit Hanging(decltype(never)& g) : gate(g) {}
    std::string_view name() const override { return "hanging"; }
    Task<Result<http::Response>> call(http::Request&, SteadyTime) override {
      co_await gate.async_wait(kAwait);
      co_return unavailable("x", "x");
    }
  } hanging(never);
  HealthCheck slow(hanging, {}, clock);
  slow.start(loop);
  loop.io().poll();
  bool stopped = false;
  slow.stop([&stopped] { stopped = true; });
  loop.io().poll();
  EXPECT_FALSE(stopped);
  never.cancel();
  turn();
  EXPECT_TRUE(stopped);
}

TEST_F(HealthCheckTest, TheFirstAnswerIsWaitedForHoweverEarlyOneAsks) {
  bool told = false;
  asio::co_spawn(loop.io(), check.wait_for_first(clock.steady_now() + seconds(2)), [&](std::exception_ptr) {
    EXPECT_TRUE(check.last().has_value());
    told = true;
  });
  pass(seconds(1));  // nobody has begun to ask yet
  EXPECT_FALSE(told);
  start();
  EXPECT_TRUE(told);
  told = false;
  asio::co_spawn(loop.io(), check.wait_for_first(SteadyTime::max()), [&](std::exception_ptr) { told = true; });
  turn();
  EXPECT_TRUE(told);
}

TEST_F(HealthCheckTest, TheFirstAnswerIsNotWaitedForBeyondTheTimeGiven) {
  bool told = false;
  asio::co_spawn(loop.io(), check.wait_for_first(clock.steady_now() + seconds(2)),
                 [&](std::exception_ptr) { told = true; });
  turn();
  pass(milliseconds(1'999));
  EXPECT_FALSE(told);
  pass(milliseconds(1));
  EXPECT_TRUE(told);
}

TEST_F(HealthCheckTest, SoManyMayWaitForTheFirstAnswerAndNoMore) {
  int told = 0;
  for (int i = 0; i < 300; ++i) {
    asio::co_spawn(loop.io(), check.wait_for_first(SteadyTime::max()), [&](std::exception_ptr) { ++told; });
  }
  turn();
  EXPECT_EQ(told, 44);
  start();
  EXPECT_EQ(told, 300);
}

TEST_F(HealthCheckTest, ADependencyIsOkOnlyWithAClosedCircuitAndAGoodAnswer) {
  SeededRandom random(1);
  testing::InstantTimer timer(clock);
  ResilienceSettings settings;
  settings.breaker.volume_threshold = 2;
  settings.retry.max_attempts = 1;
  ResilientUpstream resilient(fake, settings, clock, random, timer, std::make_shared<UpstreamObserver>());
  EXPECT_EQ(dependency_health(resilient, check).status, "degraded");
  start();
  EXPECT_EQ(dependency_health(resilient, check).status, "ok");
  EXPECT_EQ(dependency_health(resilient, check).breaker, "closed");
  fake->script = {FakeUpstream::status(500)};
  http::TextBody empty("");
  for (int i = 0; i < 2; ++i) {
    http::Request request;
    request.body = &empty;
    testing::run(loop, resilient.call(request, clock.steady_now() + seconds(1)));
  }
  EXPECT_EQ(dependency_health(resilient, check).status, "degraded");
  EXPECT_EQ(dependency_health(resilient, check).breaker, "open");
  pass(seconds(5));
  EXPECT_EQ(dependency_health(resilient, check).status, "down");
}

}  // namespace
}  // namespace parley::gateway
