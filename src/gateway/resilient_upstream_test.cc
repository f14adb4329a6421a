#include "gateway/resilient_upstream.h"

#include <gtest/gtest.h>

#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::CountingObserver;
using testing::FakeUpstream;
using testing::ScriptedBody;

class ResilientUpstreamTest : public ::testing::Test {
 protected:
  ResilientUpstreamTest() {
    settings.breaker = {.volume_threshold = 10, .error_share = 0.5, .open_time = seconds(5), .half_open_probes = 1};
    settings.retry = {.max_attempts = 3};
    settings.call_timeout = seconds(10);
  }
  void script(std::vector<FakeUpstream::Step> steps) { fake->script = {steps.begin(), steps.end()}; }
  ResilientUpstream& upstream() {
    if (!made) made.emplace(fake, settings, clock, random, timer, observer);
    return *made;
  }
  Result<http::Response> call(http::Method method, std::string_view body = {}, bool hold = false) {
    http::TextBody text(body);
    return call(method, text, hold);
  }
  Result<http::Response> call(http::Method method, http::Body& client, bool hold) {
    http::Request request;
    request.method = method;
    request.method_text = to_string(method);
    request.set_target("/x");
    ForwardedBody forwarded(client, clock);
    request.body = &forwarded;
    if (hold) EXPECT_TRUE(testing::run(loop, forwarded.hold())->has_value());
    auto answer = testing::run(loop, upstream().call(request, &forwarded, clock.steady_now() + seconds(30)));
    return std::move(*answer);
  }
  std::size_t calls() const { return fake->seen.size(); }

  EventLoop loop{0};
  ManualClock clock;
  SeededRandom random{1};
  testing::InstantTimer timer{clock};
  std::shared_ptr<FakeUpstream> fake = std::make_shared<FakeUpstream>();
  std::shared_ptr<CountingObserver> observer = std::make_shared<CountingObserver>();
  ResilienceSettings settings;
  std::optional<ResilientUpstream> made;
};

TEST_F(ResilientUpstreamTest, PassesAGoodAnswerThroughAtTheFirstAttempt) {
  script({FakeUpstream::status(200)});
  EXPECT_EQ(call(http::Method::kGet)->status, 200);
  EXPECT_EQ(calls(), 1u);
  EXPECT_EQ(observer->failures, 0);
}

TEST_F(ResilientUpstreamTest, RepeatsASafeRequestUntilItIsAnswered) {
  settings.breaker.volume_threshold = 1'000;
  for (const auto& failure : {FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::error(ErrorKind::kTimeout),
                              FakeUpstream::status(502), FakeUpstream::status(503), FakeUpstream::status(504)}) {
    fake->seen.clear();
    script({failure, failure, FakeUpstream::status(200)});
    EXPECT_EQ(call(http::Method::kGet)->status, 200);
    EXPECT_EQ(calls(), 3u);
  }
}

TEST_F(ResilientUpstreamTest, GivesUpAfterTheLastAttemptWithWhatItGot) {
  script({FakeUpstream::status(503, "1")});
  const auto answer = call(http::Method::kHead);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->headers.find("Retry-After"), "1");
  EXPECT_EQ(calls(), 3u);
  EXPECT_EQ(observer->retries, 2);
}

TEST_F(ResilientUpstreamTest, RepeatsNothingThatMightDoHarmTwice) {
  for (const auto method :
       {http::Method::kPost, http::Method::kPut, http::Method::kDelete, http::Method::kPatch, http::Method::kOther}) {
    fake->seen.clear();
    script({FakeUpstream::status(503), FakeUpstream::status(200)});
    EXPECT_EQ(call(method, "body")->status, 503);
    EXPECT_EQ(calls(), 1u) << to_string(method);
  }
  fake->seen.clear();
  script({FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::status(200)});
  EXPECT_FALSE(call(http::Method::kDelete).has_value());
  EXPECT_EQ(calls(), 1u);
}

TEST_F(ResilientUpstreamTest, RepeatsAHeldBodyFromItsFront) {
  script({FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::status(503), FakeUpstream::status(201)});
  EXPECT_EQ(call(http::Method::kPost, "the body", true)->status, 201);
  ASSERT_EQ(calls(), 3u);
  for (const auto& seen : fake->seen) EXPECT_EQ(seen.body, "the body");
}

TEST_F(ResilientUpstreamTest, DoesNotRepeatOtherAnswers) {
  for (const int status : {200, 201, 204, 301, 304, 400, 401, 404, 409, 429, 500, 501, 507}) {
    fake->seen.clear();
    script({FakeUpstream::status(status), FakeUpstream::status(200)});
    EXPECT_EQ(call(http::Method::kGet)->status, status);
    EXPECT_EQ(calls(), 1u) << status;
  }
}

TEST_F(ResilientUpstreamTest, WaitsAsLongAsAShortRetryAfterAsks) {
  script({FakeUpstream::status(503, "1"), FakeUpstream::status(200)});
  EXPECT_EQ(call(http::Method::kGet)->status, 200);
  ASSERT_EQ(timer.waits.size(), 1u);
  EXPECT_EQ(timer.waits[0], seconds(1));
}

TEST_F(ResilientUpstreamTest, PassesALongOrUnreadableRetryAfterOn) {
  for (const char* asked : {"2", "3600", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", ""}) {
    fake->seen.clear();
    script({FakeUpstream::status(503, asked), FakeUpstream::status(200)});
    EXPECT_EQ(call(http::Method::kGet)->status, asked[0] == '\0' ? 200 : 503) << asked;
  }
}

TEST_F(ResilientUpstreamTest, DoesNotWaitPastTheDeadline) {
  settings.call_timeout = milliseconds(900);
  script({FakeUpstream::status(503, "1"), FakeUpstream::status(200)});
  EXPECT_EQ(call(http::Method::kGet)->status, 503);
  EXPECT_TRUE(timer.waits.empty());
}

TEST_F(ResilientUpstreamTest, BoundsEachAttemptAndAllTogether) {
  settings.attempt_timeout = seconds(4);
  settings.call_timeout = seconds(10);
  const auto slow = [this](http::Request&) -> Result<http::Response> {
    clock.advance(seconds(4));
    return fail(ErrorKind::kTimeout, "deadline_exceeded", "slow");
  };
  script({slow});
  const SteadyTime began = clock.steady_now();
  EXPECT_FALSE(call(http::Method::kGet).has_value());
  ASSERT_EQ(calls(), 3u);
  EXPECT_EQ(fake->seen[0].deadline, began + seconds(4));
  EXPECT_EQ(fake->seen[2].deadline, began + seconds(10));
  fake->seen.clear();
  const SteadyTime again = clock.steady_now();
  call(http::Method::kPost, "x");
  EXPECT_EQ(fake->seen[0].deadline, again + seconds(10));  // the only attempt has all the time
}

TEST_F(ResilientUpstreamTest, StopsRepeatingWhenTheBudgetIsUsedUp) {
  settings.budget = {.share = 0, .capacity = 3, .min_per_second = 0};
  settings.breaker.volume_threshold = 1'000;
  script({FakeUpstream::status(503)});
  for (int i = 0; i < 10; ++i) call(http::Method::kGet);
  EXPECT_EQ(observer->retries, 3);
  EXPECT_EQ(calls(), 13u);
  EXPECT_GT(observer->not_afforded, 0);
}

TEST_F(ResilientUpstreamTest, OpensAfterFailuresAndThenAnswersAtOnceWithoutAsking) {
  script({FakeUpstream::status(500)});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(call(http::Method::kGet)->status, 500);
  const auto answer = call(http::Method::kGet);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(answer.error().code, "circuit_open");
  EXPECT_EQ(answer.error().retry_after, seconds(5));
  EXPECT_EQ(calls(), 10u);
  EXPECT_EQ(observer->turned_away, 1);
  clock.advance(milliseconds(3'900));
  EXPECT_EQ(upstream().turned_away()->retry_after, seconds(2));  // 1.1 s, rounded up
}

TEST_F(ResilientUpstreamTest, ClosesAgainWhenAProbeSucceeds) {
  script({FakeUpstream::status(500)});
  for (int i = 0; i < 10; ++i) call(http::Method::kGet);
  clock.advance(seconds(5));
  script({FakeUpstream::status(200)});
  EXPECT_EQ(call(http::Method::kGet)->status, 200);
  EXPECT_EQ(observer->changes, (std::vector{BreakerState::kOpen, BreakerState::kHalfOpen, BreakerState::kClosed}));
}

// Search says so of a min_position that was not reached in the caller's wait_ms.
TEST_F(ResilientUpstreamTest, AnAnswerOfOneWhoIsWellIsNoFailureAndNotAskedForAgain) {
  script({[](http::Request&) -> Result<http::Response> {
    http::Response response = http::json_response(503, "{}");
    response.headers.add("Retry-After", "1");
    response.headers.add(http::kRoleIsWell, "true");
    return response;
  }});
  for (int i = 0; i < 30; ++i) {
    const auto answer = call(http::Method::kGet);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(answer->headers.text(), "Content-Type: application/json\r\nRetry-After: 1\r\n");
  }
  EXPECT_EQ(calls(), 30u);
  EXPECT_TRUE(timer.waits.empty());
  EXPECT_EQ(observer->failures, 0);
  EXPECT_EQ(upstream().breaker().snapshot().outcomes, 30u);
  EXPECT_EQ(upstream().breaker().snapshot().failures, 0u);
}

TEST_F(ResilientUpstreamTest, ARetryIsTurnedAwayOnceTheCircuitHasOpened) {
  settings.breaker.volume_threshold = 2;
  script({FakeUpstream::error(ErrorKind::kUnavailable)});
  EXPECT_EQ(call(http::Method::kGet).error().code, "circuit_open");
  EXPECT_EQ(calls(), 2u);
}

TEST_F(ResilientUpstreamTest, CountsOnlyTheUpstreamsOwnFailures) {
  settings.retry.max_attempts = 1;
  for (const int status : {200, 400, 401, 403, 404, 409, 413, 429, 499, 501, 507}) {
    script({FakeUpstream::status(status)});
    for (int i = 0; i < 20; ++i) call(http::Method::kGet);
  }
  EXPECT_EQ(upstream().breaker().snapshot().failures, 0u);
  script({FakeUpstream::error(ErrorKind::kUnavailable, "upstream_busy")});
  call(http::Method::kGet);
  EXPECT_EQ(upstream().breaker().snapshot().failures, 0u);
  for (const auto& failure : {FakeUpstream::status(500), FakeUpstream::status(502), FakeUpstream::status(599),
                              FakeUpstream::error(ErrorKind::kTimeout), FakeUpstream::error(ErrorKind::kUnavailable),
                              FakeUpstream::error(ErrorKind::kInternal)}) {
    const std::uint64_t before = upstream().breaker().snapshot().failures;
    script({failure});
    call(http::Method::kGet);
    EXPECT_EQ(upstream().breaker().snapshot().failures, before + 1);
  }
}

TEST_F(ResilientUpstreamTest, AClientThatGoesAwayCountsForNothing) {
  script({FakeUpstream::status(200)});
  for (int i = 0; i < 30; ++i) {
    ScriptedBody gone({"half"}, 8, Error{ErrorKind::kInvalid, "bad_request", "gone", {}, {}});
    EXPECT_EQ(call(http::Method::kPost, gone, false).error().code, "bad_request");
    ScriptedBody slow({"half"}, 8, Error{ErrorKind::kRequestTimeout, "request_timeout", "slow", {}, {}});
    EXPECT_EQ(call(http::Method::kPost, slow, false).error().code, "request_timeout");
  }
  EXPECT_EQ(upstream().breaker().snapshot().outcomes, 0u);
  EXPECT_EQ(observer->failures, 0);
}

TEST_F(ResilientUpstreamTest, ATimeoutIsTheUpstreamsFaultHoweverSlowlyTheClientSent) {
  class SlowBody final : public http::Body {
   public:
    explicit SlowBody(ManualClock& clock) : clock_(clock) {}
    Task<Result<std::string_view>> read() override {
      if (++reads_ > 9) co_return std::string_view();
      clock_.advance(seconds(1));
      co_return std::string_view("x");
    }
    std::optional<std::uint64_t> size() const override { return std::nullopt; }

   private:
    ManualClock& clock_;
    int reads_ = 0;
  } slow(clock);
  script({FakeUpstream::error(ErrorKind::kTimeout)});
  EXPECT_EQ(call(http::Method::kPost, slow, false).error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(upstream().breaker().snapshot().failures, 1u);  // its time begins when it has the body
}

TEST_F(ResilientUpstreamTest, ADestroyedCallGivesItsProbeBack) {
  script({FakeUpstream::status(500)});
  for (int i = 0; i < 10; ++i) call(http::Method::kGet);
  clock.advance(seconds(5));
  {
    // Never run: as when a connection and all that serves it is torn down.
    http::Request request;
    Task<Result<http::Response>> dropped = upstream().call(request, clock.steady_now() + seconds(1));
  }
  script({FakeUpstream::status(200)});
  EXPECT_EQ(call(http::Method::kGet)->status, 200);
}

}  // namespace
}  // namespace parley::gateway
