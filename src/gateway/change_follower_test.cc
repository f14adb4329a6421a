#include "gateway/change_follower.h"

#include <gtest/gtest.h>

#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeUpstream;

FakeUpstream::Step says(std::string body) {
  return [body](http::Request&) -> Result<http::Response> { return http::json_response(200, body); };
}

class ChangeFollowerTest : public ::testing::Test {
 protected:
  // Lets search answer in these ways, one after the other, then stops.
  void follow(std::vector<FakeUpstream::Step> steps) {
    ChangeFollower follower(
        search, [this] { return "token-" + std::to_string(++tokens); }, epochs, settings, clock, timer, metrics,
        &numbers);
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
    const auto standing = epochs.current(tenant, clock.steady_now());
    return standing ? std::optional(standing->epoch) : std::nullopt;
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
  ChangeNumbers numbers;
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

TEST_F(ChangeFollowerTest, PassesOnSearchsNumbersByWhichGatewaysCompare) {
  follow({says(R"({"instance":"i","through":5,"tenants":["acme"]})"),
          says(R"({"instance":"i","through":7,"tenants":["acme"]})"),
          says(R"({"instance":"i","through":9,"tenants":["other"]})")});
  EXPECT_EQ(numbers.current("acme")->heard, 9);
  EXPECT_EQ(numbers.current("acme")->changed, 7);
  EXPECT_EQ(numbers.current("third")->changed, 5);  // of what was before the first answer nobody knows
  follow({says(R"({"instance":"j","through":2,"tenants":[]})")});
  EXPECT_EQ(numbers.current("acme")->instance, "j");
  EXPECT_EQ(numbers.current("acme")->changed, 2);
}

// Whoever sees an epoch move must find the number that moved it, or it would take an older answer for a new one.
TEST_F(ChangeFollowerTest, AWriteIsForOthersOnceItIsIndexedAndItsChangeIsKnown) {
  std::vector<bool> shared;
  follow({says(R"({"instance":"i","through":5,"tenants":[],"log_head":10,"indexed":10})"),
          [&](http::Request&) -> Result<http::Response> {
            numbers.written("acme", clock.steady_now());
            epochs.written("acme", clock.steady_now());
            return http::json_response(200, R"({"instance":"i","through":5,"tenants":[],"log_head":10,"indexed":10})");
          },
          [&](http::Request&) -> Result<http::Response> {
            shared.push_back(numbers.current("acme").has_value());
            return http::json_response(200, R"({"instance":"i","through":5,"tenants":[],"log_head":11,"indexed":10})");
          },
          [&](http::Request&) -> Result<http::Response> {
            clock.advance(seconds(5));
            shared.push_back(numbers.current("acme").has_value());
            return http::json_response(200,
                                       R"({"instance":"i","through":6,"tenants":["acme"],"log_head":11,"indexed":11})");
          },
          [&](http::Request&) -> Result<http::Response> {
            shared.push_back(numbers.current("acme").has_value());
            EXPECT_EQ(numbers.current("acme")->changed, 6);
            return http::json_response(200, R"({"instance":"i","through":6,"tenants":[],"log_head":11,"indexed":11})");
          }});
  EXPECT_EQ(shared, (std::vector<bool>{false, false, true}));
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

// What was written through this gateway is settled once the index is where the log ended after the write.
TEST_F(ChangeFollowerTest, AWriteIsSettledOnceTheIndexIsWhereTheLogEndedAfterIt) {
  std::vector<bool> settled;
  const auto tells = [&](std::string offsets) {
    return [this, &settled, offsets](http::Request&) -> Result<http::Response> {
      settled.push_back(epochs.current("acme", clock.steady_now()).value_or(TenantEpochs::Standing{}).settled);
      return http::json_response(200, R"({"instance":"i","through":1,"tenants":[])" + offsets + "}");
    };
  };
  follow({tells(R"(,"log_head":5,"indexed":5)"),
          [&](http::Request& request) {
            epochs.written("acme", clock.steady_now());  // while the question is held
            return tells(R"(,"log_head":5,"indexed":6)")(request);
          },
          tells(R"(,"log_head":9,"indexed":7)"),   // asked after it; up to 9 may be ours
          tells(R"(,"log_head":12,"indexed":8)"),  // others write on, so that the index is never at the end
          tells(R"(,"log_head":15,"indexed":9)"), tells("")});
  EXPECT_EQ(settled, (std::vector{true, false, false, false, false, true}));
  const std::vector<std::string> waits = {"250", "250", "20", "20", "20", "250", "250"};
  for (std::size_t i = 0; i < waits.size(); ++i) {
    EXPECT_NE(search->seen[i].target.find("&wait_ms=" + waits[i]), std::string::npos) << search->seen[i].target;
  }
}

TEST_F(ChangeFollowerTest, AWriteIsSettledByTimeWhereSearchDoesNotTellHowFarItIs) {
  follow({says(R"({"instance":"i","through":1,"tenants":[]})")});
  const SteadyTime began = clock.steady_now();
  const auto standing = [&] {
    epochs.heard(clock.steady_now());
    return *epochs.current("acme", clock.steady_now());
  };
  const std::uint64_t before = standing().epoch;
  epochs.written("acme", began);
  EXPECT_NE(standing().epoch, before);
  follow({says(R"({"instance":"i","through":1,"tenants":[],"log_head":5})"),
          says(R"({"instance":"i","through":1,"tenants":[],"indexed":5})")});
  clock.advance(std::chrono::duration_cast<milliseconds>(began + milliseconds(999) - clock.steady_now()));
  EXPECT_FALSE(standing().settled);
  EXPECT_TRUE(epochs.is_unsettled(clock.steady_now()));
  clock.advance(milliseconds(1));
  EXPECT_TRUE(standing().settled);
  EXPECT_FALSE(epochs.is_unsettled(clock.steady_now()));
}

TEST_F(ChangeFollowerTest, EndsOfALogThatIsAnotherNowSettleNothing) {
  follow({says(R"({"instance":"i","through":1,"tenants":[]})"),
          [&](http::Request&) -> Result<http::Response> {
            epochs.written("acme", clock.steady_now());
            return http::json_response(200, R"({"instance":"i","through":1,"tenants":[]})");
          },
          says(R"({"instance":"i","through":1,"tenants":[],"log_head":9,"indexed":5})"),
          says(R"({"instance":"j","through":1,"tenants":[],"log_head":30,"indexed":20})")});
  EXPECT_FALSE(epochs.current("acme", clock.steady_now())->settled);
}

TEST(ParseChanges, TakesWhatSearchSays) {
  const auto changes = parse_changes(
      R"({"instance":"i","through":12,"tenants":["a","é"],"all":false,"behind":true,"log_head":8,"indexed":0,"later":{}})");
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->instance, "i");
  EXPECT_EQ(changes->through, 12);
  EXPECT_EQ(changes->tenants, (std::vector<std::string>{"a", "é"}));
  EXPECT_FALSE(changes->all);
  EXPECT_TRUE(changes->behind);
  EXPECT_EQ(changes->log_head, 8);
  EXPECT_EQ(changes->indexed, 0);
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
           R"({"instance":"i","through":1,"tenants":[],"indexed":-1})",
           R"({"instance":"i","through":1,"tenants":[],"indexed":"1"})",
           R"({"instance":"i","through":1,"tenants":[],"log_head":1.5})",
           R"({"instance":"i","through":1,"tenants":[]} x)",
           R"({"instance":"i","through":1,"tenants":[")" + std::string(129, 't') + R"("]})",
           R"({"instance":")" + std::string(129, 'i') + R"(","through":1,"tenants":[]})"}) {
    EXPECT_FALSE(parse_changes(text)) << text;
  }
}

TEST(TenantEpochs, AWriteIsOfItsTenantAndANewerOneCounts) {
  TenantEpochs epochs{milliseconds(1'000)};
  const SteadyTime start = SteadyTime(std::chrono::hours(1));
  const auto settled = [&](std::string_view tenant, SteadyTime now) { return epochs.current(tenant, now)->settled; };
  epochs.heard(start);
  EXPECT_TRUE(settled("acme", start));
  epochs.written("acme", start + milliseconds(20));
  epochs.written("acme", start + milliseconds(10));  // another loop read the clock a moment before
  EXPECT_FALSE(settled("acme", start + milliseconds(20)));
  EXPECT_TRUE(settled("other", start + milliseconds(20)));
  epochs.settled(start + milliseconds(20));  // asked at that very moment: who knows which was first
  EXPECT_FALSE(settled("acme", start + milliseconds(21)));
  epochs.settled(start + milliseconds(21));
  EXPECT_TRUE(settled("acme", start + milliseconds(21)));
  epochs.settled(start);
  EXPECT_TRUE(settled("acme", start + milliseconds(21)));
}

TEST(TenantEpochs, ADistantTimeOrAnEarlyOneHarmsNothing) {
  TenantEpochs epochs{milliseconds(1'000)};
  EXPECT_FALSE(epochs.current("acme", SteadyTime::max()));
  const SteadyTime now = SteadyTime(std::chrono::hours(1));
  epochs.heard(now);
  EXPECT_TRUE(epochs.current("acme", now - milliseconds(5)));  // another loop read the clock a moment before
  EXPECT_TRUE(epochs.current("acme", now));
  EXPECT_FALSE(epochs.current("acme", SteadyTime::max()));
}

}  // namespace
}  // namespace parley::gateway
