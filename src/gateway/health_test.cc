#include "gateway/health.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "gateway/resilient_upstream.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/held_upstream.h"

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

// Who waits does so on a loop of its own.
class FirstAnswerTest : public ::testing::Test {
 protected:
  FirstAnswerTest() { loops.start(); }
  ~FirstAnswerTest() override {
    on_check_loop([this](auto done) { check.stop(std::move(done)); });
    loops.stop();
  }
  void on_check_loop(std::move_only_function<void(std::move_only_function<void()>)> work) {
    std::promise<void> done;
    loops.at(0).post([&done, work = std::move(work)]() mutable { work([&done] { done.set_value(); }); });
    done.get_future().wait();
  }
  void start() {
    on_check_loop([this](auto done) {
      check.start(loops.at(0));
      done();
    });
  }
  std::future<void> wait_until(SteadyTime until) {
    return asio::co_spawn(loops.at(1).io(), check.wait_for_first(until), asio::use_future);
  }

  EventLoops loops{2};
  SystemClock clock;
  testing::HeldUpstream upstream;
  HealthCheck check{upstream, {.interval = seconds(5), .timeout = seconds(2)}, clock};
};

TEST_F(FirstAnswerTest, IsWaitedForHoweverEarlyOneAsks) {
  std::future<void> early = wait_until(SteadyTime::max());
  start();
  upstream.wait_for_calls(1);
  std::future<void> later = wait_until(SteadyTime::max());
  EXPECT_EQ(early.wait_for(milliseconds(20)), std::future_status::timeout);
  EXPECT_FALSE(check.last().has_value());
  upstream.answer(0, testing::HeldUpstream::text("{}"));
  early.get();
  later.get();
  EXPECT_TRUE(check.last()->up);
  wait_until(SteadyTime::max()).get();  // and not again once it is there
}

TEST_F(FirstAnswerTest, IsNotWaitedForBeyondTheTimeGiven) {
  start();
  upstream.wait_for_calls(1);
  wait_until(clock.steady_now() + milliseconds(1)).get();
  EXPECT_FALSE(check.last().has_value());
  upstream.answer(0, testing::HeldUpstream::text("{}"));
}

TEST_F(FirstAnswerTest, IsWaitedForByABoundedNumber) {
  std::vector<std::future<void>> all;
  for (int i = 0; i < 300; ++i) all.push_back(wait_until(SteadyTime::max()));
  for (int i = 256; i < 300; ++i) all[static_cast<std::size_t>(i)].get();
  EXPECT_EQ(all[255].wait_for(milliseconds(1)), std::future_status::timeout);
  upstream.answer_at_once(testing::HeldUpstream::text("{}"));
  start();
  for (int i = 0; i < 256; ++i) all[static_cast<std::size_t>(i)].get();
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
