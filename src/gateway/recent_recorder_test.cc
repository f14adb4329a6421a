#include "gateway/recent_recorder.h"

#include <gtest/gtest.h>

#include "gateway/testing/fakes.h"
#include "tenancy/caller.h"

namespace parley::gateway {
namespace {

using testing::FakeUpstream;

// One loop, turned by the test's own thread, so that each step is seen.
class RecentRecorderTest : public ::testing::Test {
 protected:
  RecentRecorderTest() {
    request.fields.add("Authorization", "Bearer ada's");
    search.script = {FakeUpstream::status(204)};
  }
  void record(std::string_view q) {
    http::Exchange exchange(request);
    exchange.request_id = "rid";
    if (!user.empty()) {
      exchange.caller = std::make_shared<const Caller>(Caller{.tenant = TenantId("acme"), .user = UserId(user)});
    }
    recorder.record(exchange, q);
  }
  void turn() {
    loop.io().restart();
    loop.io().run();
  }
  void stop() {
    bool stopped = false;
    recorder.stop([&stopped] { stopped = true; });
    turn();
    EXPECT_TRUE(stopped);
  }
  double count(std::string_view result) const {
    const std::string line = "\nparley_gateway_search_recent_total{result=\"" + std::string(result) + "\"} ";
    const std::string text = metrics.text();
    return std::stod(text.substr(text.find(line) + line.size()));
  }

  EventLoop loop{0};
  ManualClock clock;
  Metrics metrics;
  FakeUpstream search;
  RecentRecorder recorder{search, clock, metrics};
  http::Request request;
  std::string user = "ada";
};

TEST_F(RecentRecorderTest, TellsSearchInTheNameOfWhoSearched) {
  request.fields.add("X-Parley-User", "b%20b");
  recorder.start(loop);
  record("say \"hé\"\\");
  EXPECT_TRUE(search.seen.empty());  // nobody waits for it
  turn();
  ASSERT_EQ(search.seen.size(), 1u);
  const auto& seen = search.seen[0];
  EXPECT_EQ(seen.method, http::Method::kPost);
  EXPECT_EQ(seen.target, "/internal/recent");
  EXPECT_EQ(seen.body, R"({"q":"say \"hé\"\\"})");
  EXPECT_EQ(seen.all("Authorization"), std::vector<std::string>{"Bearer ada's"});
  EXPECT_EQ(seen.all("X-Parley-User"), std::vector<std::string>{"b%20b"});
  EXPECT_EQ(seen.all("Content-Type"), std::vector<std::string>{"application/json"});
  EXPECT_EQ(seen.all("X-Request-Id"), std::vector<std::string>{"rid"});
  EXPECT_EQ(seen.deadline, clock.steady_now() + std::chrono::seconds(2));
  EXPECT_EQ(count("sent"), 1);
  stop();
}

TEST_F(RecentRecorderTest, TakesOnlySoMuchAtOnce) {
  recorder.start(loop);
  for (std::size_t i = 0; i < RecentRecorder::kMostAtOnce + 3; ++i) {
    user = "user " + std::to_string(i);
    record("q");
  }
  EXPECT_EQ(count("dropped"), 3);
  turn();
  EXPECT_EQ(search.seen.size(), RecentRecorder::kMostAtOnce);
  record("q");  // there is room again
  turn();
  EXPECT_EQ(count("sent"), RecentRecorder::kMostAtOnce + 1);
  stop();
}

// Takes a turn of the loop for each call, and writes down when one begins and ends.
class SlowUpstream final : public http::Upstream {
 public:
  explicit SlowUpstream(EventLoop& loop) : loop_(loop) {}
  std::string_view name() const override { return "search"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    const auto body = co_await http::read_all(*request.body, 1'000);
    const std::string who(request.fields.find("Authorization").value_or(""));
    calls.push_back("begin " + who + *body);
    co_await asio::post(loop_.executor(), kAwait);
    calls.push_back("end " + who + *body);
    co_return http::json_response(204, "");
  }
  std::vector<std::string> calls;

 private:
  EventLoop& loop_;
};

class RecentRecorderInTurn : public RecentRecorderTest {
 protected:
  void record_of(const char* who, std::string_view q) {
    http::Request question;
    question.fields.add("Authorization", who);
    http::Exchange exchange(question);
    exchange.caller = std::make_shared<const Caller>(Caller{.tenant = TenantId("acme"), .user = UserId(who)});
    of_slow.record(exchange, q);
  }

  SlowUpstream slow{loop};
  RecentRecorder of_slow{slow, clock, metrics};
};

TEST_F(RecentRecorderInTurn, TellsWhatOneUserSearchedInItsOrder) {
  of_slow.start(loop);
  record_of("ada", "1");
  record_of("ben", "1");
  record_of("ada", "2");
  turn();
  EXPECT_EQ(slow.calls,
            (std::vector<std::string>{R"(begin ada{"q":"1"})", R"(begin ben{"q":"1"})", R"(end ada{"q":"1"})",
                                      R"(begin ada{"q":"2"})", R"(end ben{"q":"1"})", R"(end ada{"q":"2"})"}));
  of_slow.stop([] {});
  turn();
}

TEST_F(RecentRecorderInTurn, OfMoreThanFitTheNewestAreTold) {
  of_slow.start(loop);
  for (std::size_t i = 0; i < RecentRecorder::kMostOfOne + 3; ++i) record_of("ada", std::to_string(i));
  turn();
  EXPECT_EQ(count("dropped"), 2);
  EXPECT_EQ(count("sent"), RecentRecorder::kMostOfOne + 1);
  EXPECT_EQ(slow.calls[1], R"(end ada{"q":"0"})");
  EXPECT_EQ(slow.calls[2], R"(begin ada{"q":"3"})");
  EXPECT_EQ(slow.calls.back(), R"(end ada{"q":"10"})");
  of_slow.stop([] {});
  turn();
}

TEST_F(RecentRecorderInTurn, WhatStillWaitsWhenItStopsIsDropped) {
  of_slow.start(loop);
  for (const char* q : {"1", "2", "3"}) record_of("ada", q);
  bool stopped = false;
  loop.post([&] { of_slow.stop([&stopped] { stopped = true; }); });
  turn();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(count("sent"), 1);
  EXPECT_EQ(count("dropped"), 2);
}

TEST_F(RecentRecorderTest, CountsWhatSearchDidNotTake) {
  search.script = {FakeUpstream::status(503), FakeUpstream::error(ErrorKind::kTimeout), FakeUpstream::status(401)};
  recorder.start(loop);
  for (int i = 0; i < 3; ++i) record("q");
  turn();
  EXPECT_EQ(count("failed"), 3);
  stop();
}

TEST_F(RecentRecorderTest, BeforeItsStartAndAfterItsStopItDropsAll) {
  record("q");
  recorder.start(loop);
  record("q");  // on its way when it stops
  stop();
  record("q");
  turn();
  EXPECT_EQ(count("dropped"), 3);
  EXPECT_TRUE(search.seen.empty());
}

TEST_F(RecentRecorderTest, WithoutATokenOrACallerThereIsNobodyToRecordFor) {
  recorder.start(loop);
  user.clear();
  record("q");
  user = "ada";
  request.fields.clear();
  record("q");
  turn();
  EXPECT_EQ(count("dropped"), 2);
  EXPECT_TRUE(search.seen.empty());
  stop();
}

}  // namespace
}  // namespace parley::gateway
