#include "gateway/proxy.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using std::chrono::seconds;
using testing::CountingObserver;
using testing::FakeUpstream;
using testing::ScriptedBody;

class ProxyTest : public ::testing::Test {
 protected:
  ProxyTest() {
    settings.breaker = {.volume_threshold = 4, .error_share = 0.5, .open_time = seconds(5)};
    client.method = http::Method::kGet;
    client.method_text = "GET";
    client.peer = "10.1.2.3";
    client.fields.add("Host", "chat.example");
    client.body = &empty;
  }
  void to(http::Method method, std::string_view target) {
    client.method = method;
    client.method_text = to_string(method);
    client.set_target(target);
  }
  http::Response forward(PathMapping mapping = PathMapping::kStripVersion, bool honours_key = false,
                         std::chrono::milliseconds more_time = {}) {
    if (!resilient) {
      resilient.emplace(fake, settings, clock, random, timer, observer);
      proxy.emplace(*resilient, rules, clock, random);
    }
    http::Exchange exchange(client);
    exchange.request_id = "rid";
    exchange.deadline = clock.steady_now() + seconds(30);
    return std::move(*testing::run(loop, proxy->forward(exchange, mapping, honours_key, more_time)));
  }
  std::string target_of(std::string_view target, PathMapping mapping = PathMapping::kStripVersion) {
    to(http::Method::kGet, target);
    fake->seen.clear();
    forward(mapping);
    return fake->seen.empty() ? "" : fake->seen[0].target;
  }

  EventLoop loop{0};
  ManualClock clock;
  SeededRandom random{1};
  testing::InstantTimer timer{clock};
  std::shared_ptr<FakeUpstream> fake = std::make_shared<FakeUpstream>(std::vector{FakeUpstream::status(200)});
  std::shared_ptr<CountingObserver> observer = std::make_shared<CountingObserver>();
  ResilienceSettings settings;
  ForwardingRules rules;
  std::optional<ResilientUpstream> resilient;
  std::optional<Proxy> proxy;
  http::TextBody empty{""};
  http::Request client;
};

TEST_F(ProxyTest, StripsTheVersionAndKeepsEveryOtherByteOfTheTarget) {
  EXPECT_EQ(target_of("/v1/messages/abc"), "/messages/abc");
  EXPECT_EQ(target_of("/v1/users/a%2Fb%20%C3%A9%2e%2Fc?x=%2F&y=a+b&&"), "/users/a%2Fb%20%C3%A9%2e%2Fc?x=%2F&y=a+b&&");
  EXPECT_EQ(target_of("/v1/conversations?"), "/conversations?");
  EXPECT_EQ(target_of("/v1/conversations/%2Fv1%2F/members"), "/conversations/%2Fv1%2F/members");
}

TEST_F(ProxyTest, MapsTheMessagesOfAConversation) {
  const auto mapping = PathMapping::kConversationMessages;
  EXPECT_EQ(target_of("/v1/messages/conversations/123", mapping), "/conversations/123/messages");
  EXPECT_EQ(target_of("/v1/messages/conversations/a%2Fb%3F%23?limit=5&cursor=%3D", mapping),
            "/conversations/a%2Fb%3F%23/messages?limit=5&cursor=%3D");
}

TEST_F(ProxyTest, StripsWhatMediaIsBehindAndKeepsTheQueryThatIsSigned) {
  const auto mapping = PathMapping::kStripMedia;
  EXPECT_EQ(target_of("/v1/media/download/1?signature=a%2Bb%3D&tenant=a%20b&", mapping),
            "/download/1?signature=a%2Bb%3D&tenant=a%20b&");
  EXPECT_EQ(target_of("/v1/media/tus", mapping), "/tus");
  EXPECT_EQ(target_of("/v1/media", mapping), "");
  EXPECT_EQ(target_of("/v1/mediax/y", mapping), "");
}

TEST_F(ProxyTest, GivesAServiceMoreTimeWhereTheRouteSaysSo) {
  settings.call_timeout = seconds(5);
  to(http::Method::kPost, "/v1/messages");
  forward();
  EXPECT_EQ(fake->seen.back().deadline, clock.steady_now() + seconds(5));
  forward(PathMapping::kStripVersion, false, seconds(20));
  EXPECT_EQ(fake->seen.back().deadline, clock.steady_now() + seconds(25));
}

TEST_F(ProxyTest, WithoutATimeoutOfTheUpstreamTheRequestsOwnIsPutOff) {
  settings.call_timeout = seconds(0);
  to(http::Method::kPost, "/v1/messages");
  forward(PathMapping::kStripVersion, false, seconds(20));
  EXPECT_EQ(fake->seen.back().deadline, clock.steady_now() + seconds(50));
}

TEST_F(ProxyTest, ARunOfAFilePassesAsOne) {
  struct File final : http::Body {
    Task<Result<std::string_view>> read() override { co_return std::string_view(); }
    std::optional<std::uint64_t> size() const override { return 9; }
    std::optional<http::FileRun> as_file() override { return http::FileRun{.fd = 7, .offset = 4, .length = 9}; }
  };
  fake->script = {[](http::Request&) -> Result<http::Response> {
    http::Response response = http::text_response(200, "text/plain", {});
    response.stream = std::make_unique<File>();
    return response;
  }};
  to(http::Method::kGet, "/v1/users/me");
  const http::Response answer = forward();
  const std::optional<http::FileRun> run = answer.stream->as_file();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->fd, 7);
  EXPECT_EQ(run->offset, 4u);
  EXPECT_EQ(run->length, 9u);
}

TEST_F(ProxyTest, RefusesSegmentsThatAnIntermediaryMightResolve) {
  for (const char* path : {"/v1/conversations/../x", "/v1/users/.", "/v1/users/%2e%2E", "/v1/users/.%2e/y",
                           "/v1/users/%2E", "/v1/users/..?q=1"}) {
    to(http::Method::kGet, path);
    EXPECT_EQ(forward().status, 400) << path;
  }
  EXPECT_TRUE(fake->seen.empty());
  for (const char* path : {"/v1/users/...", "/v1/users/.a", "/v1/users/a.", "/v1/users/%2e%2f", "/v1/users/a%2e%2e",
                           "/v1/users/x?y=/../z"}) {
    EXPECT_EQ(target_of(path), std::string_view(path).substr(3)) << path;
  }
}

TEST_F(ProxyTest, PassesMethodFieldsAndTokenOn) {
  to(http::Method::kDelete, "/v1/messages/1");
  client.fields.add("Authorization", "Bearer t");
  client.fields.add("X-Forwarded-For", "6.6.6.6");
  client.fields.add("Connection", "close");
  forward();
  const auto& seen = fake->seen.at(0);
  EXPECT_EQ(seen.method, http::Method::kDelete);
  EXPECT_EQ(seen.all("Authorization"), std::vector<std::string>{"Bearer t"});
  EXPECT_EQ(seen.all("X-Forwarded-For"), std::vector<std::string>{"10.1.2.3"});
  EXPECT_EQ(seen.all("X-Forwarded-Host"), std::vector<std::string>{"chat.example"});
  EXPECT_EQ(seen.all("X-Request-Id"), std::vector<std::string>{"rid"});
  EXPECT_TRUE(seen.all("Connection").empty());
  EXPECT_TRUE(seen.all("Idempotency-Key").empty());
}

TEST_F(ProxyTest, AppendsToTheListOfATrustedProxy) {
  rules.trusted_proxies = *IpNetworks::parse(std::vector<std::string>{"10.0.0.0/8"});
  client.fields.add("X-Forwarded-For", std::string_view("6.6.6.6"));
  client.fields.add("X-Forwarded-For", std::string_view("1.2.3.4"));
  to(http::Method::kGet, "/v1/users/me");
  forward();
  EXPECT_EQ(fake->seen.at(0).all("X-Forwarded-For"), std::vector<std::string>{"6.6.6.6, 1.2.3.4, 10.1.2.3"});
}

TEST_F(ProxyTest, AProblemOfTheServiceComesThroughUnchanged) {
  const std::string problem = R"({"type":"about:blank","status":409,"code":"conversation_exists","request_id":"rid"})";
  fake->script = {[&problem](http::Request&) -> Result<http::Response> {
    http::Response response = http::text_response(409, "application/problem+json", problem);
    response.headers.add("RateLimit-Remaining", "3");
    response.headers.add("X-Request-Id", "rid");
    return response;
  }};
  to(http::Method::kPost, "/v1/conversations");
  const http::Response answer = forward();
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, problem);
  EXPECT_EQ(answer.headers.text(),
            "Content-Type: application/problem+json\r\nRateLimit-Remaining: 3\r\nX-Request-Id: rid\r\n");
}

// Says that the client was waited for, as a connection's body does.
class LateBody final : public http::Body {
 public:
  LateBody(ManualClock& clock, seconds late) : clock_(clock), late_(late) {}
  Task<Result<std::string_view>> read() override {
    if (waited_ != SteadyTime::duration::zero()) co_return std::string_view();
    clock_.advance(late_);
    waited_ = late_;
    co_return std::string_view("{}");
  }
  std::optional<std::uint64_t> size() const override { return 2; }
  SteadyTime::duration waited() const override { return waited_; }

 private:
  ManualClock& clock_;
  const seconds late_;
  SteadyTime::duration waited_{};
};

TEST_F(ProxyTest, TheTimeOfASlowBodyIsNotTheUpstreams) {
  settings.call_timeout = seconds(5);
  LateBody body(clock, seconds(60));  // longer than any deadline here
  client.body = &body;
  to(http::Method::kPost, "/v1/messages");
  EXPECT_EQ(forward(PathMapping::kStripVersion, true).status, 200);
  EXPECT_EQ(fake->seen.at(0).deadline, clock.steady_now() + seconds(5));
}

TEST_F(ProxyTest, TheServiceSeesHowLongTheClientTookAfterItWasAsked) {
  SteadyTime::duration seen{};
  fake->script = {[&seen](http::Request& request) -> Result<http::Response> {
    seen = request.body->waited();
    return http::json_response(200, "{}");
  }};
  for (const bool held : {false, true}) {
    LateBody body(clock, seconds(7));
    client.body = &body;
    to(http::Method::kPost, "/v1/messages");
    EXPECT_EQ(forward(PathMapping::kStripVersion, held).status, 200);
    EXPECT_EQ(seen, held ? seconds(0) : seconds(7));
  }
}

TEST_F(ProxyTest, PassesTheLengthOfAHeadAnswerOn) {
  fake->script = {[](http::Request&) -> Result<http::Response> {
    http::Response response = http::json_response(200, {});
    response.head_length = 1'234;
    return response;
  }};
  to(http::Method::kHead, "/v1/users/me");
  EXPECT_EQ(forward().head_length, 1'234u);
  EXPECT_EQ(fake->seen.at(0).method, http::Method::kHead);
}

TEST_F(ProxyTest, RepeatsAPostWithOneKeyWhereTheServiceHonoursIt) {
  fake->script = {FakeUpstream::status(503), FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::status(201)};
  ScriptedBody body({"{\"a\"", ":1}"}, 7);
  client.body = &body;
  to(http::Method::kPost, "/v1/messages");
  EXPECT_EQ(forward(PathMapping::kStripVersion, true).status, 201);
  ASSERT_EQ(fake->seen.size(), 3u);
  const auto keys = fake->seen[0].all("Idempotency-Key");
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_TRUE(is_uuid(keys[0]));
  for (const auto& seen : fake->seen) {
    EXPECT_EQ(seen.body, "{\"a\":1}");
    EXPECT_EQ(seen.all("Idempotency-Key"), keys);
  }
}

// Connection may name any field, and then it stays behind: a request sent again without its key would be done twice.
TEST_F(ProxyTest, AddsAKeyWhenConnectionTakesTheClientsAway) {
  fake->script = {FakeUpstream::error(ErrorKind::kUnavailable), FakeUpstream::status(201)};
  client.fields.add("Idempotency-Key", "mine");
  client.fields.add("Connection", "Idempotency-Key");
  ScriptedBody body({"{}"}, 2);
  client.body = &body;
  to(http::Method::kPost, "/v1/messages");
  EXPECT_EQ(forward(PathMapping::kStripVersion, true).status, 201);
  ASSERT_EQ(fake->seen.size(), 2u);
  const auto keys = fake->seen[0].all("Idempotency-Key");
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(fake->seen[1].all("Idempotency-Key"), keys);
}

TEST_F(ProxyTest, KeepsTheClientsOwnKey) {
  client.fields.add("idempotency-key", "mine");
  ScriptedBody body({"{}"}, 2);
  client.body = &body;
  to(http::Method::kPost, "/v1/messages");
  forward(PathMapping::kStripVersion, true);
  EXPECT_EQ(fake->seen.at(0).all("idempotency-key"), std::vector<std::string>{"mine"});
  EXPECT_TRUE(fake->seen.at(0).all("Idempotency-Key").empty());
}

TEST_F(ProxyTest, EachPostGetsAKeyOfItsOwn) {
  for (int i = 0; i < 2; ++i) {
    http::TextBody body("{}");
    client.body = &body;
    to(http::Method::kPost, "/v1/messages");
    forward(PathMapping::kStripVersion, true);
  }
  EXPECT_NE(fake->seen.at(0).all("Idempotency-Key"), fake->seen.at(1).all("Idempotency-Key"));
}

TEST_F(ProxyTest, DoesNotRepeatWhatItCannotHoldOrTheServiceDoesNotHonour) {
  settings.breaker.volume_threshold = 100;
  struct Case {
    std::string text;
    std::optional<std::uint64_t> size;
    bool honours_key;
  };
  const std::string large(ForwardedBody::kMaxHeldBytes + 1, 'x');
  for (const Case& one : {Case{large, large.size(), true}, Case{"{}", std::nullopt, true}, Case{"{}", 2, false}}) {
    fake->seen.clear();
    fake->script = {FakeUpstream::status(503), FakeUpstream::status(201)};
    ScriptedBody body({one.text}, one.size);
    client.body = &body;
    to(http::Method::kPost, "/v1/messages");
    EXPECT_EQ(forward(PathMapping::kStripVersion, one.honours_key).status, 503);
    ASSERT_EQ(fake->seen.size(), 1u);
    EXPECT_EQ(fake->seen[0].body, one.text);
  }
}

TEST_F(ProxyTest, HoldsABodyOfExactlyTheLargestSize) {
  fake->script = {FakeUpstream::status(503), FakeUpstream::status(201)};
  const std::string half(ForwardedBody::kMaxHeldBytes / 2, 'x');
  ScriptedBody body({half, half}, 2 * half.size());
  client.body = &body;
  to(http::Method::kPost, "/v1/messages");
  EXPECT_EQ(forward(PathMapping::kStripVersion, true).status, 201);
  EXPECT_EQ(fake->seen.at(1).body, half + half);
}

TEST_F(ProxyTest, WhileOpenAnswers503WithoutReadingTheBody) {
  fake->script = {FakeUpstream::status(500)};
  to(http::Method::kGet, "/v1/users/me");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(forward().status, 500);
  class Unread final : public http::Body {
   public:
    Task<Result<std::string_view>> read() override { ADD_FAILURE(), std::abort(); }
    std::optional<std::uint64_t> size() const override { return 5; }
  } unread;
  client.body = &unread;
  to(http::Method::kPost, "/v1/messages");
  for (const bool honours_key : {true, false}) {
    const http::Response answer = forward(PathMapping::kStripVersion, honours_key);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.headers.find("Retry-After"), "5");
    EXPECT_EQ(answer.headers.find("Content-Type"), "application/problem+json");
    EXPECT_NE(answer.body.find("\"circuit_open\""), std::string::npos);
    EXPECT_NE(answer.body.find("\"request_id\":\"rid\""), std::string::npos);
  }
  EXPECT_EQ(fake->seen.size(), 4u);
}

TEST_F(ProxyTest, TellsUnreachableAndTooSlowInTheContractsWords) {
  settings.retry.max_attempts = 1;
  fake->script = {FakeUpstream::error(ErrorKind::kUnavailable, "upstream_busy")};
  to(http::Method::kGet, "/v1/users/me");
  const http::Response gone = forward();
  EXPECT_EQ(gone.status, 503);
  EXPECT_NE(gone.body.find("\"upstream_unavailable\""), std::string::npos);
  EXPECT_EQ(gone.headers.find("Retry-After"), "1");
  fake->script = {FakeUpstream::error(ErrorKind::kTimeout, "whatever")};
  const http::Response slow = forward();
  EXPECT_EQ(slow.status, 504);
  EXPECT_NE(slow.body.find("\"deadline_exceeded\""), std::string::npos);
  fake->script = {FakeUpstream::error(ErrorKind::kInternal, "secret_name")};
  const http::Response broken = forward();
  EXPECT_EQ(broken.status, 503);
  EXPECT_EQ(broken.body.find("secret_name"), std::string::npos);
}

TEST_F(ProxyTest, AnswersAClientsBrokenBodyAsTheClientsFault) {
  for (const bool honours_key : {true, false}) {
    ScriptedBody broken({"ab"}, 5, Error{ErrorKind::kInvalid, "bad_request", "gone", {}, {}});
    client.body = &broken;
    to(http::Method::kPost, "/v1/messages");
    EXPECT_EQ(forward(PathMapping::kStripVersion, honours_key).status, 400);
  }
  EXPECT_EQ(resilient->breaker().snapshot().outcomes, 0u);
}

TEST_F(ProxyTest, RefusesWhatHasTooManyFieldsToAddItsOwn) {
  while (client.fields.add("X-Filler", "x")) {
  }
  to(http::Method::kGet, "/v1/users/me");
  EXPECT_EQ(forward().status, 431);
  EXPECT_TRUE(fake->seen.empty());
}

// 100 MB in, the same 100 MB back, a piece at a time: what is read from the client but not yet taken by the reader of
// the answer never exceeds a piece.
class Source final : public http::Body {
 public:
  static constexpr std::size_t kPiece = 64 * 1024;
  static constexpr std::uint64_t kTotal = 100 * 1024 * 1024;
  Task<Result<std::string_view>> read() override {
    if (produced == kTotal) co_return std::string_view();
    produced += kPiece;
    piece_.assign(kPiece, static_cast<char>('a' + produced / kPiece % 26));
    co_return std::string_view(piece_);
  }
  std::optional<std::uint64_t> size() const override { return kTotal; }
  std::uint64_t produced = 0;

 private:
  std::string piece_;
};

class Echo final : public http::Body {
 public:
  explicit Echo(http::Request& request) : request_(request) {}
  Task<Result<std::string_view>> read() override { return request_.body->read(); }
  std::optional<std::uint64_t> size() const override { return request_.body->size(); }

 private:
  http::Request& request_;  // lives until the answer is done with, as the port says
};

TEST_F(ProxyTest, StreamsBothWaysAtThePaceOfTheReader) {
  fake->reads_body = false;
  fake->script = {[](http::Request& request) -> Result<http::Response> {
    http::Response response = http::text_response(200, "application/octet-stream", {});
    response.stream = std::make_unique<Echo>(request);
    return response;
  }};
  Source source;
  client.body = &source;
  to(http::Method::kPut, "/v1/conversations/1");
  http::Response answer = forward();
  ASSERT_TRUE(answer.stream);
  EXPECT_EQ(answer.stream->size(), Source::kTotal);
  std::uint64_t taken = 0;
  for (;;) {
    const Result<std::string_view> piece = *testing::run(loop, answer.stream->read());
    ASSERT_TRUE(piece);
    if (piece->empty()) break;
    ASSERT_LE(source.produced - taken, Source::kPiece);
    taken += piece->size();
  }
  EXPECT_EQ(taken, Source::kTotal);
}

TEST_F(ProxyTest, PassesOnThatTheAnswersStreamFailedAndDoesNotRepeat) {
  fake->script = {[](http::Request&) -> Result<http::Response> {
    http::Response response = http::text_response(200, "text/plain", {});
    response.stream = std::make_unique<ScriptedBody>(std::vector<std::string>{"part"}, 9,
                                                     Error{ErrorKind::kUnavailable, "lost", "lost", {}, {}});
    return response;
  }};
  to(http::Method::kGet, "/v1/users/me");
  http::Response answer = forward();
  EXPECT_EQ(**testing::run(loop, answer.stream->read()), "part");
  EXPECT_FALSE(testing::run(loop, answer.stream->read())->has_value());
  EXPECT_EQ(fake->seen.size(), 1u);
}

}  // namespace
}  // namespace parley::gateway
