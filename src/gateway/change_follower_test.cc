#include "gateway/change_follower.h"

#include <gtest/gtest.h>

#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using testing::FakeUpstream;

FakeUpstream::Step says(std::string body) {
  return [body](http::Request&) -> Result<http::Response> { return http::json_response(200, body); };
}

class ChangeFollowerTest : public ::testing::Test {
 protected:
  // Lets search answer in these ways, one after the other, then stops.
  void follow(std::vector<FakeUpstream::Step> steps) {
    ChangeFollower follower(
        search, [this] { return "token-" + std::to_string(++tokens); }, epochs, settings, clock, timer, metrics);
    bool stopped = false;
    steps.push_back([&](http::Request&) -> Result<http::Response> {
      follower.stop([&stopped] { stopped = true; });
      return fail(ErrorKind::kUnavailable, "stopping", "stopping");
    });
    search->script = {steps.begin(), steps.end()};
    search->seen.clear();
    timer.waits.clear();
    follower.start(loop);
    loop.io().restart();
    loop.io().run();
    EXPECT_TRUE(stopped);
  }
  // What it looks like at that moment; the answer is `body`.
  FakeUpstream::Step look(std::vector<std::optional<std::uint64_t>>& out, std::string body) {
    return [this, &out, body](http::Request&) -> Result<http::Response> {
      out.push_back(epoch());
      return http::json_response(200, body);
    };
  }
  std::optional<std::uint64_t> epoch(std::string_view tenant = "acme") const {
    return epochs.current(tenant, clock.steady_now());
  }
  double count(const std::string& line) const {
    const std::string text = metrics.text();
    const auto at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }

  EventLoop loop{0};
  ManualClock clock;
  testing::InstantTimer timer{clock};
  Metrics metrics;
  TenantEpochs epochs{milliseconds(1'000)};
  ChangeFollowerSettings settings;
  std::shared_ptr<FakeUpstream> search = std::make_shared<FakeUpstream>();
  int tokens = 0;
};

TEST_F(ChangeFollowerTest, AsksOnWhereItLeftOffWithATokenOfItsOwn) {
  const SteadyTime began = clock.steady_now();
  follow({says(R"({"instance":"a b","through":7,"tenants":[]})")});
  ASSERT_EQ(search->seen.size(), 2u);
  EXPECT_EQ(search->seen[0].target, "/internal/changes?after=0&wait_ms=250");
  EXPECT_EQ(search->seen[0].all("Authorization"), std::vector<std::string>{"Bearer token-1"});
  EXPECT_EQ(search->seen[0].deadline, began + milliseconds(750));
  EXPECT_EQ(search->seen[1].target, "/internal/changes?after=7&wait_ms=250&instance=a%20b");
  EXPECT_EQ(search->seen[1].all("Authorization"), std::vector<std::string>{"Bearer token-2"});
}

TEST_F(ChangeFollowerTest, NothingIsTrustedBeforeSearchIsHeard) {
  EXPECT_EQ(epoch(), std::nullopt);
  std::vector<std::optional<std::uint64_t>> seen;
  follow({look(seen, R"({"instance":"i","through":0,"tenants":[]})"),
          look(seen, R"({"instance":"i","through":0,"tenants":[]})")});
  EXPECT_EQ(seen[0], std::nullopt);
  EXPECT_TRUE(seen[1].has_value());
}

TEST_F(ChangeFollowerTest, MovesTheTenantsItIsToldOfAndNoOther) {
  std::vector<std::optional<std::uint64_t>> seen;
  std::optional<std::uint64_t> other_before, other_after;
  follow({says(R"({"instance":"i","through":1,"tenants":[]})"),
          [&](http::Request&) -> Result<http::Response> {
            seen.push_back(epoch());
            other_before = epoch("other");
            return http::json_response(200, R"({"instance":"i","through":3,"tenants":["acme","third"]})");
          },
          look(seen, R"({"instance":"i","through":3,"tenants":[]})"),
          [&](http::Request&) -> Result<http::Response> {
            seen.push_back(epoch());
            other_after = epoch("other");
            return http::json_response(200, R"({"instance":"i","through":3,"tenants":[]})");
          }});
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_EQ(seen[1], seen[2]);
  EXPECT_EQ(other_before, other_after);
  EXPECT_EQ(count(R"(parley_gateway_search_feed_changes_total{of="tenant"})"), 2);
}

TEST_F(ChangeFollowerTest, MovesAllWhenItCannotBeToldWhich) {
  const std::string start = R"({"instance":"i","through":5,"tenants":[]})";
  for (const char* answer : {
           R"({"instance":"i","through":9,"all":true,"tenants":[]})", R"({"instance":"i","through":9,"all":true})",
           R"({"instance":"other","through":9,"tenants":[]})",  // search was started anew
           R"({"instance":"other","through":5,"tenants":["third"]})",
           R"({"instance":"i","through":4,"tenants":[]})",  // it counts back: what else it did nobody knows
       }) {
    std::vector<std::optional<std::uint64_t>> seen;
    follow({says(start), look(seen, answer), look(seen, start)});
    EXPECT_NE(seen[0], seen[1]) << answer;
  }
}

TEST_F(ChangeFollowerTest, AnAnswerSpeaksForTheMomentOfTheQuestion) {
  follow({[this](http::Request&) -> Result<http::Response> {
    clock.advance(milliseconds(250));  // as long as search held the question
    return http::json_response(200, R"({"instance":"i","through":0,"tenants":[]})");
  }});
  clock.advance(milliseconds(749));
  EXPECT_TRUE(epoch().has_value());
  clock.advance(milliseconds(1));
  EXPECT_EQ(epoch(), std::nullopt);
}

TEST_F(ChangeFollowerTest, TheSilenceOfASearchThatIsBehindMeansNothing) {
  std::vector<std::optional<std::uint64_t>> seen;
  follow({says(R"({"instance":"i","through":1,"tenants":[],"behind":true})"),
          look(seen, R"({"instance":"i","through":1,"tenants":[],"behind":false})"),
          look(seen, R"({"instance":"i","through":2,"tenants":["acme"],"behind":true})"),
          look(seen, R"({"instance":"i","through":2,"tenants":[]})")});
  EXPECT_EQ(seen[0], std::nullopt);
  EXPECT_TRUE(seen[1].has_value());
  EXPECT_NE(seen[1], seen[2]);  // what it told of counts, though
}

TEST_F(ChangeFollowerTest, WhatFailsIsAskedAgainAfterAPause) {
  const std::string well = R"({"instance":"i","through":1,"tenants":[]})";
  for (const auto& failure : {FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::error(ErrorKind::kTimeout),
                              FakeUpstream::status(401), FakeUpstream::status(404), FakeUpstream::status(503),
                              FakeUpstream::status(204), says(""), says("[]"), says("{")}) {
    std::vector<std::optional<std::uint64_t>> seen;
    follow({says(well), failure, failure, failure, failure, failure, look(seen, well), look(seen, well)});
    EXPECT_EQ(seen[0], std::nullopt);  // five pauses of 200 ms
    EXPECT_TRUE(seen[1].has_value());
    ASSERT_EQ(timer.waits.size(), 8u);
    EXPECT_EQ(timer.waits[0], settings.pace);
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(timer.waits[i], settings.retry_after);
  }
  EXPECT_EQ(count("parley_gateway_search_feed_up"), 0);  // it stopped on a failure
  EXPECT_GE(count("parley_gateway_search_feed_failures_total"), 45);
}

TEST_F(ChangeFollowerTest, AfterASilenceItKeepsWhatNothingHappenedTo) {
  const std::string well = R"({"instance":"i","through":1,"tenants":[]})";
  std::vector<std::optional<std::uint64_t>> seen;
  follow({says(well), look(seen, well), FakeUpstream::error(ErrorKind::kTimeout), says(well), look(seen, well)});
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(search->seen.back().target, "/internal/changes?after=1&wait_ms=250&instance=i");
}

TEST_F(ChangeFollowerTest, WhatCannotBeReadMayHaveSaidAnything) {
  const std::string well = R"({"instance":"i","through":1,"tenants":[]})";
  std::vector<std::optional<std::uint64_t>> seen;
  follow({says(well), look(seen, well), says(R"({"instance":"i","through":2,"tenants":[7]})"), says(well),
          look(seen, well)});
  EXPECT_NE(seen[0], seen[1]);
}

TEST_F(ChangeFollowerTest, ReadsAnAnswerThatComesInPieces) {
  const std::string body = R"({"instance":"i","through":1,"tenants":["acme"]})";
  std::vector<std::optional<std::uint64_t>> seen;
  const auto in_pieces = [&body](http::Request&) -> Result<http::Response> {
    http::Response response = http::json_response(200, {});
    response.stream =
        std::make_unique<testing::ScriptedBody>(std::vector{body.substr(0, 9), body.substr(9)}, std::nullopt);
    return response;
  };
  follow({in_pieces, look(seen, body)});
  EXPECT_TRUE(seen[0].has_value());
}

TEST_F(ChangeFollowerTest, AnAnswerWithoutEndIsAFailure) {
  const std::string well = R"({"instance":"i","through":1,"tenants":[]})";
  std::vector<std::optional<std::uint64_t>> seen;
  const auto endless = [](http::Request&) -> Result<http::Response> {
    http::Response response = http::json_response(200, {});
    response.stream =
        std::make_unique<testing::ScriptedBody>(std::vector<std::string>(3, std::string(1 << 20, ' ')), std::nullopt);
    return response;
  };
  follow({says(well), look(seen, well), endless, says(well), look(seen, well)});
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_GE(count("parley_gateway_search_feed_failures_total"), 1);
}

TEST(ParseChanges, TakesWhatSearchSays) {
  const auto changes =
      parse_changes(R"({"instance":"i","through":12,"tenants":["a","é"],"all":false,"behind":true,"later":{}})");
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->instance, "i");
  EXPECT_EQ(changes->through, 12);
  EXPECT_EQ(changes->tenants, (std::vector<std::string>{"a", "é"}));
  EXPECT_FALSE(changes->all);
  EXPECT_TRUE(changes->behind);
}

TEST(ParseChanges, RefusesAllElse) {
  for (const std::string& text : std::initializer_list<std::string>{
           "",
           "null",
           "7",
           "[]",
           "{}",
           "{",
           R"({"instance":"i","through":1})",
           R"({"instance":"i","tenants":[]})",
           R"({"through":1,"tenants":[]})",
           R"({"instance":"","through":1,"tenants":[]})",
           R"({"instance":7,"through":1,"tenants":[]})",
           R"({"instance":"i","through":-1,"tenants":[]})",
           R"({"instance":"i","through":1.5,"tenants":[]})",
           R"({"instance":"i","through":"1","tenants":[]})",
           R"({"instance":"i","through":18446744073709551615,"tenants":[]})",
           R"({"instance":"i","through":1,"tenants":{}})",
           R"({"instance":"i","through":1,"tenants":"acme"})",
           R"({"instance":"i","through":1,"tenants":[null]})",
           R"({"instance":"i","through":1,"tenants":[["a"]]})",
           R"({"instance":"i","through":1,"tenants":[],"all":"yes"})",
           R"({"instance":"i","through":1,"tenants":[],"behind":1})",
           R"({"instance":"i","through":1,"tenants":[]} x)",
           R"({"instance":"i","through":1,"tenants":[")" + std::string(129, 't') + R"("]})",
           R"({"instance":")" + std::string(129, 'i') + R"(","through":1,"tenants":[]})"}) {
    EXPECT_FALSE(parse_changes(text)) << text;
  }
}

TEST(TenantEpochs, ADistantTimeOrAnEarlyOneHarmsNothing) {
  TenantEpochs epochs{milliseconds(1'000)};
  EXPECT_EQ(epochs.current("acme", SteadyTime::max()), std::nullopt);
  const SteadyTime now = SteadyTime(std::chrono::hours(1));
  epochs.heard(now);
  EXPECT_TRUE(epochs.current("acme", now - milliseconds(5)));  // another loop read the clock a moment before
  EXPECT_TRUE(epochs.current("acme", now));
  EXPECT_EQ(epochs.current("acme", SteadyTime::max()), std::nullopt);
}

}  // namespace
}  // namespace parley::gateway
