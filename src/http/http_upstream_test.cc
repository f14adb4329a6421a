// The client against our own server.
#include "http/http_upstream.h"

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <thread>

#include "http/testing/server_fixture.h"
#include "http/upstream_question.h"

namespace parley::http {
namespace {

using std::chrono::seconds;

struct Called {
  int status = 0;
  std::string body, error;
};

Task<Called> call(HttpUpstream& upstream, std::string method, std::string target, std::string body,
                  SteadyTime deadline) {
  Request request;
  request.method_text = method;
  request.method = parse_method(method);
  request.set_target(target);
  request.fields.add("X-Test", "v");
  request.fields.add("Connection", "close");
  TextBody text(body);
  request.body = &text;
  Result<Response> response = co_await upstream.call(request, deadline);
  if (!response) co_return Called{0, {}, response.error().code};
  if (!response->stream) co_return Called{response->status, response->body, {}};
  Result<std::string> all = co_await read_all(*response->stream, 100'000'000);
  co_return all ? Called{response->status, *all, {}} : Called{response->status, {}, all.error().code};
}

class UpstreamTest : public testing::ServerFixture {
 protected:
  void start_both(ServerLimits limits = {}) {
    start(limits);
    connect_to(server->port());
  }
  void connect_to(std::uint16_t port) {
    upstream.emplace(loops, HttpUpstreamOptions{.name = "test", .url = {.host = "127.0.0.1", .port = port}});
  }
  void TearDown() override {
    ServerFixture::TearDown();
    upstream.reset();
  }
  Called ask(std::string method, std::string target, std::string body = {},
             SteadyTime deadline = std::chrono::steady_clock::now() + seconds(30)) {
    return asio::co_spawn(loops.at(0).io(), call(*upstream, method, target, body, deadline), asio::use_future).get();
  }
  std::optional<HttpUpstream> upstream;
};

TEST_F(UpstreamTest, AsksAndReusesTheConnection) {
  start_both();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask("POST", "/echo", "body").body, "body");
  EXPECT_EQ(ask("GET", "/peer?a=b").body, "GET /peer?a=b v");
  EXPECT_EQ(ask("GET", "/stream").body, "piece0piece1piece2");
  EXPECT_EQ(ask("HEAD", "/size/100").body, "");
  EXPECT_EQ(ask("GET", "/none").status, 404);
  EXPECT_EQ(upstream->counters().connects, 1U);
  EXPECT_EQ(upstream->counters().idle_connections, 1);
}

TEST_F(UpstreamTest, StreamsLargeBodiesBothWays) {
  start_both();
  EXPECT_EQ(ask("GET", "/size/3000000").body.size(), 3'000'000U);
  const std::string large(5'000'000, 'y');
  EXPECT_EQ(ask("POST", "/echo", large).body, large);
}

TEST_F(UpstreamTest, SaysWhenTheAnswerIsCut) {
  start_both();
  const Called called = ask("GET", "/broken");
  EXPECT_EQ(called.status, 200);
  EXPECT_EQ(called.error, "bad_request");
}

TEST_F(UpstreamTest, AnswersUnavailableWhenNobodyListens) {
  start();
  const std::uint16_t port = server->port();
  server->stop(seconds(1));
  connect_to(port);
  EXPECT_EQ(ask("GET", "/").error, "upstream_unavailable");
  EXPECT_EQ(upstream->counters().open_connections, 0);
}

TEST_F(UpstreamTest, AnswersTimeoutWhenTheDeadlinePasses) {
  start_both();
  EXPECT_EQ(ask("GET", "/size/1").status, 200);  // so that a connection is there: what is late is the answer
  EXPECT_EQ(ask("GET", "/slow", {}, std::chrono::steady_clock::now()).error, "deadline_exceeded");
  service.release_slow.set_value();
}

// Gives its second piece only when `late` has passed.
class LateBody final : public Body {
 public:
  explicit LateBody(std::chrono::milliseconds late) : late_(late) {}
  Task<Result<std::string_view>> read() override {
    if (++reads_ == 2) {
      auto [promise, future] = make_one_shot<int>(EventLoop::current());
      co_await future.wait(std::chrono::steady_clock::now() + late_);
    }
    co_return reads_ > 2 ? std::string_view() : std::string_view("piece");
  }
  std::optional<std::uint64_t> size() const override { return 10; }

 private:
  const std::chrono::milliseconds late_;
  int reads_ = 0;
};

Task<Called> put_late(HttpUpstream& upstream, std::chrono::milliseconds late, std::chrono::milliseconds deadline) {
  Request request;
  request.method = Method::kPut;
  request.method_text = "PUT";
  request.set_target("/echo");
  LateBody body(late);
  request.body = &body;
  Result<Response> response = co_await upstream.call(request, std::chrono::steady_clock::now() + deadline);
  if (!response) co_return Called{0, {}, response.error().code};
  co_return Called{response->status, response->body, {}};
}

TEST_F(UpstreamTest, TheDeadlineIsForTheAnswerAndBeginsWhenTheBodyIsSent) {
  start_both();
  auto called = asio::co_spawn(loops.at(0).io(),
                               put_late(*upstream, std::chrono::milliseconds(1'500), std::chrono::milliseconds(1'000)),
                               asio::use_future);
  EXPECT_EQ(called.get().body, "piecepiece");
}

// Says ten bytes and has another number.
class WrongLength final : public Body {
 public:
  explicit WrongLength(std::string text) : text_(std::move(text)) {}
  Task<Result<std::string_view>> read() override {
    if (std::exchange(read_, true)) co_return std::string_view();
    co_return std::string_view(text_);
  }
  std::optional<std::uint64_t> size() const override { return 10; }

 private:
  const std::string text_;
  bool read_ = false;
};

Task<Called> put_wrong(HttpUpstream& upstream, std::string text) {
  Request request;
  request.method = Method::kPut;
  request.method_text = "PUT";
  request.set_target("/echo");
  WrongLength body(std::move(text));
  request.body = &body;
  Result<Response> response = co_await upstream.call(request, std::chrono::steady_clock::now() + seconds(30));
  if (!response) co_return Called{0, {}, response.error().code};
  co_return Called{response->status, response->body, {}};
}

TEST_F(UpstreamTest, ABodyThatIsNotAsLongAsItSaidIsTheCallersFaultAtOnce) {
  start_both();
  for (const char* text : {"short", "much too long"}) {
    EXPECT_EQ(asio::co_spawn(loops.at(0).io(), put_wrong(*upstream, text), asio::use_future).get().error,
              "bad_request");
  }
  EXPECT_EQ(ask("PUT", "/echo", "as it says").body, "as it says");
}

// Its sender waits to be asked, as with `Expect: 100-continue`.
class AskedBody final : public Body {
 public:
  explicit AskedBody(std::atomic<int>& asked) : asked_(asked) {}
  Task<Result<std::string_view>> read() override {
    co_return ++asked_ > 1 ? std::string_view() : std::string_view("the body");
  }
  std::optional<std::uint64_t> size() const override { return 8; }
  bool awaits_continue() const override { return asked_ == 0; }

 private:
  std::atomic<int>& asked_;
};

Task<Called> post_when_asked(HttpUpstream& upstream, std::string target, std::atomic<int>& asked) {
  Request request;
  request.method = Method::kPost;
  request.method_text = "POST";
  request.set_target(target);
  AskedBody body(asked);
  request.body = &body;
  Result<Response> response = co_await upstream.call(request, std::chrono::steady_clock::now() + seconds(30));
  if (!response) co_return Called{0, {}, response.error().code};
  co_return Called{response->status, response->body, {}};
}

TEST_F(UpstreamTest, ABodyIsAskedForOnlyWhenTheUpstreamWantsIt) {
  start_both();
  for (int i = 0; i < 2; ++i) {
    std::atomic<int> asked = 0;
    EXPECT_EQ(
        asio::co_spawn(loops.at(0).io(), post_when_asked(*upstream, "/none", asked), asio::use_future).get().status,
        404);
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(asio::co_spawn(loops.at(0).io(), post_when_asked(*upstream, "/echo", asked), asio::use_future).get().body,
              "the body");
    EXPECT_GE(asked, 1);
  }
  // What answered without the body is closed, for nobody could tell what would come next on it.
  EXPECT_EQ(upstream->counters().connects, 3U);
}

// One request, and what the test says to it.
class RawUpstream {
 public:
  explicit RawUpstream(std::function<void(asio::ip::tcp::socket&)> serve)
      : serving_([this, serve = std::move(serve)] {
          asio::ip::tcp::socket socket = acceptor_.accept();
          serve(socket);
        }) {}
  ~RawUpstream() { serving_.join(); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::thread serving_;
};

TEST_F(UpstreamTest, AnUpstreamThatSaysNothingToTheQuestionGetsTheBodyAllTheSame) {
  loops.start();
  RawUpstream silent([](asio::ip::tcp::socket& socket) {
    std::string text;
    asio::read_until(socket, asio::dynamic_buffer(text), "the body");
    EXPECT_NE(text.find("Expect: 100-continue\r\n"), std::string::npos);
    EXPECT_NE(text.find("Content-Length: 8\r\n"), std::string::npos);
    asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 204 x\r\n\r\n")));
  });
  connect_to(silent.port());
  std::atomic<int> asked = 0;
  EXPECT_EQ(asio::co_spawn(loops.at(0).io(), post_when_asked(*upstream, "/x", asked), asio::use_future).get().status,
            204);
}

TEST_F(UpstreamTest, AnAnswerThatCameWhileTheBodyWasOnItsWayIsHeardThoughTheConnectionWasReset) {
  loops.start();
  RawUpstream refusing([](asio::ip::tcp::socket& socket) {
    std::string text;
    asio::read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n");
    asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 413 x\r\nContent-Length: 3\r\n\r\nbig")));
    // Closed with bytes unread: the peer gets a reset.
  });
  connect_to(refusing.port());
  const Called called = ask("POST", "/x", std::string(50'000'000, 'x'));
  EXPECT_EQ(called.status, 413) << called.error;
  EXPECT_EQ(called.body, "big");
}

TEST_F(UpstreamTest, TheDeadlineOfAQuestionHoldsForAllOfItsAnswer) {
  loops.start();
  RawUpstream halting([](asio::ip::tcp::socket& socket) {
    std::string text;
    asio::read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n");
    asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\nsome")));
    boost::system::error_code ended;
    asio::read_until(socket, asio::dynamic_buffer(text), "never", ended);
  });
  connect_to(halting.port());
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  const auto answer = asio::co_spawn(loops.at(0).io(), http::ask(*upstream, {Method::kGet, "/x", {}, {}}, soon, 1'000),
                                     asio::use_future)
                          .get();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "deadline_exceeded");
}

TEST_F(UpstreamTest, TriesOnceMoreOnAConnectionThatWasClosedMeanwhile) {
  start_both();
  EXPECT_EQ(ask("GET", "/size/1").status, 200);
  const std::uint16_t port = server->port();
  server->stop(seconds(1));
  server.emplace(loops, service, ServerOptions{.role = "test", .port = port});
  ASSERT_TRUE(server->start());
  EXPECT_EQ(ask("GET", "/size/1").status, 200);
  EXPECT_EQ(upstream->counters().connects, 2U);
}

}  // namespace
}  // namespace parley::http
