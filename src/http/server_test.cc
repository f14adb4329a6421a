// The server and the client against raw sockets and each other.
#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <future>
#include <list>

#include "base/one_shot.h"
#include "http/http_upstream.h"

namespace parley::http {
namespace {

using std::chrono::seconds;

// Answers what a path says: /echo the body back, /stream in pieces of unknown length, /size/N that many bytes, …
class TestService final : public Service {
 public:
  std::atomic<int> served{0};
  std::promise<void> release_slow;
  std::shared_future<void> slow_released = release_slow.get_future().share();
  std::atomic<bool> slow_started{false};

  Task<Response> serve(Request& request) override {
    served.fetch_add(1);
    if (request.path == "/echo") {
      Result<std::string> body = co_await read_all(*request.body, 10'000'000);
      if (!body) co_return text_response(400, "text/plain", body.error().code);
      co_return text_response(200, "text/plain", *body);
    }
    if (request.path == "/stream") {
      Response response = text_response(200, "text/plain", {});
      response.stream = std::make_unique<Pieces>();
      co_return response;
    }
    if (request.path == "/endless") {
      Response response = text_response(200, "text/plain", {});
      response.stream = std::make_unique<Endless>();
      co_return response;
    }
    if (request.path == "/broken") {
      Response response = text_response(200, "text/plain", {});
      auto pieces = std::make_unique<Pieces>();
      pieces->fail_at = 2;
      response.stream = std::move(pieces);
      co_return response;
    }
    if (request.path.starts_with("/size/")) {
      co_return text_response(200, "text/plain", std::string(std::stoul(std::string(request.path.substr(6))), 'x'));
    }
    if (request.path == "/slow") {
      auto [promise, future] = make_one_shot<int>(EventLoop::current());
      slow_started = true;
      waiter_ = std::thread([p = std::move(promise), released = slow_released]() mutable {
        released.wait();
        p.deliver(1);
      });
      waiter_.detach();
      co_await future.wait(SteadyTime::max());
      co_return text_response(200, "text/plain", "slow");
    }
    if (request.path == "/loop") {
      co_return text_response(200, "text/plain", "on loop " + std::to_string(EventLoop::current().index()) + "$");
    }
    if (request.path == "/peer") {
      const auto field = request.fields.find("X-Test");
      co_return text_response(200, "text/plain",
                              std::string(request.method_text) + " " + std::string(request.target) + " " +
                                  std::string(field.value_or("-")));
    }
    co_return text_response(404, "text/plain", "no");
  }

 private:
  struct Pieces final : Body {
    int n = 0, fail_at = -1;
    std::string piece;
    Task<Result<std::string_view>> read() override {
      if (n == fail_at) co_return fail(ErrorKind::kInternal, "x", "x");
      if (n == 3) co_return std::string_view();
      piece = "piece" + std::to_string(n++);
      co_return std::string_view(piece);
    }
    std::optional<std::uint64_t> size() const override { return std::nullopt; }
  };
  struct Endless final : Body {
    const std::string piece = "more" + std::string(64 * 1024, 'x');
    Task<Result<std::string_view>> read() override { co_return std::string_view(piece); }
    std::optional<std::uint64_t> size() const override { return std::nullopt; }
  };
  std::thread waiter_;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~RawClient() { ::close(fd_); }
  void send(std::string_view text) { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  // Reads until `mark` has come (it stays in the answer), or the end.
  std::string read_until(std::string_view mark) {
    std::string text;
    char c;
    while (text.find(mark) == std::string::npos && ::recv(fd_, &c, 1, 0) == 1) text += c;
    return text;
  }
  std::string read_to_end() { return read_until(std::string_view("\0never\0", 7)); }

  bool connected = false;

 private:
  int fd_;
};

class ServerTest : public testing::Test {
 protected:
  void start(ServerLimits limits = {}) {
    loops.start();
    server.emplace(loops, service, ServerOptions{.role = "test", .limits = limits});
    ASSERT_TRUE(server->start());
  }
  void TearDown() override {
    if (server) server->stop(seconds(20));
    loops.stop();
  }
  std::string once(const std::string& request) {
    RawClient client(server->port());
    client.send(request);
    return client.read_to_end();
  }
  // Lets every armed deadline of the loops run out.
  void pass_time(std::chrono::milliseconds by) {
    for (std::size_t i = 0; i < loops.size(); ++i) {
      EventLoop& loop = loops.at(i);
      std::promise<void> done;
      loop.post([&] {
        loop.sweep(loop.coarse_now() + by);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  TestService service;
  EventLoops loops{2};
  std::optional<Server> server;
};

const std::string kClose = "Connection: close\r\n";

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    const std::string answer = client.read_until("hello");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
    EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(server->counters().accepted_connections, 1U);
}

TEST_F(ServerTest, SharesConnectionsEvenlyAmongTheLoops) {
  start();
  std::list<RawClient> clients;
  std::array<int, 2> on_loop{};
  for (int i = 0; i < 40; ++i) {
    RawClient& client = clients.emplace_back(server->port());
    client.send("GET /loop HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = client.read_until("$");
    ++on_loop[answer.ends_with("on loop 0$") ? 0 : 1];
  }
  EXPECT_GE(on_loop[0], 17);
  EXPECT_GE(on_loop[1], 17);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  const std::string answer = once(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nonePOST /echo HTTP/1.1\r\nHost: h\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n\r\nGET /size/1 HTTP/1.1\r\nHost: h\r\n" +
      kClose + "\r\n");
  const std::size_t one = answer.find("\r\n\r\none"), two = answer.find("\r\n\r\ntwo"), x = answer.find("\r\n\r\nx");
  EXPECT_LT(one, two);
  EXPECT_LT(two, x);
  EXPECT_NE(x, std::string::npos);
}

TEST_F(ServerTest, TakesARequestByteByByte) {
  start();
  RawClient client(server->port());
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")) {
    client.send(std::string_view(&c, 1));
  }
  EXPECT_NE(client.read_until("\r\n\r\nab").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, StreamsUnknownLengthsInChunksAndByCloseForHttp10) {
  start();
  const std::string chunked = once("GET /stream HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
  EXPECT_NE(chunked.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_TRUE(chunked.ends_with("6\r\npiece0\r\n6\r\npiece1\r\n6\r\npiece2\r\n0\r\n\r\n")) << chunked;
  const std::string plain = once("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_EQ(plain.find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(plain.ends_with("\r\n\r\npiece0piece1piece2")) << plain;
  // Asked to keep the connection: but its end is the only end that this answer has.
  const std::string kept = once("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.find("Connection: close\r\n"), std::string::npos) << kept;
  EXPECT_TRUE(kept.ends_with("\r\n\r\npiece0piece1piece2")) << kept;
}

TEST_F(ServerTest, CutsAnAnswerWhoseStreamFails) {
  start();
  const std::string answer = once("GET /broken HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("piece1\r\n")) << answer;
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  start();
  const std::string answer = once("HEAD /size/5 HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, SaysNoLengthToHeadWhenNobodyKnowsIt) {
  start();
  const std::string answer = once("HEAD /size/0 HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << answer;
}

TEST_F(ServerTest, SendsContinueOnlyWhenTheBodyIsWanted) {
  start();
  RawClient wanted(server->port());
  wanted.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wanted.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("ab");
  EXPECT_NE(wanted.read_until("\r\n\r\nab").find("200 OK"), std::string::npos);

  const std::string unwanted =
      once("POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(unwanted.starts_with("HTTP/1.1 404")) << unwanted;
  EXPECT_NE(unwanted.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, RefusesAmbiguousFramingAndCloses) {
  start();
  const std::string answer = once(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      "GET /size/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_EQ(service.served, 0);
}

TEST_F(ServerTest, ClosesAfterAMalformedChunk) {
  start();
  const std::string answer =
      once("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /size/1 HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(service.served, 1);
}

// A head that fills the read buffer to its last byte leaves no room behind it, where the body is to go.
TEST_F(ServerTest, TakesABodyBehindAHeadThatFillsTheBuffer) {
  start();
  const std::string begin = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX: ";
  for (const std::size_t size : {8 * 1024 - 1, 8 * 1024, 8 * 1024 + 1, 16 * 1024 - 1, 16 * 1024}) {
    RawClient client(server->port());
    client.send(begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n");
    while (service.served == 0) std::this_thread::yield();
    service.served = 0;
    client.send("hello");
    EXPECT_TRUE(client.read_until("hello").starts_with("HTTP/1.1 200 OK\r\n")) << size;
  }
}

TEST_F(ServerTest, TakesABodyBehindAPipelinedHeadAtTheEndOfTheBuffer) {
  start();
  RawClient client(server->port());
  const std::string second = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
  const std::string begin = "GET /size/1 HTTP/1.1\r\nHost: h\r\nX: ";
  client.send(begin + std::string(8 * 1024 - second.size() - begin.size() - 4, 'x') + "\r\n\r\n" + second);
  EXPECT_NE(client.read_until("\r\n\r\nx").find("200 OK"), std::string::npos);
  while (service.served < 2) std::this_thread::yield();
  client.send("hello");
  EXPECT_TRUE(client.read_until("hello").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, AConnectionThatHasRestedServesOn) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(client.read_until("hello").starts_with("HTTP/1.1 200 OK\r\n"));
    pass_time(seconds(2));
  }
  EXPECT_EQ(server->counters().accepted_connections, 1U);
}

TEST_F(ServerTest, StopCutsAStreamThatDoesNotEndWithinTheGrace) {
  start();
  RawClient client(server->port());
  client.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.read_until("more").find("200 OK"), std::string::npos);
  server->stop(std::chrono::milliseconds(1));  // returns, though the client takes nothing: that is the test
  EXPECT_EQ(server->counters().open_connections, 0);
}

TEST_F(ServerTest, Answers431ForALargeHead) {
  start();
  const std::string answer = once("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
}

TEST_F(ServerTest, TellsAHandlerThatABodyWasCutOff) {
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  client.half_close();
  EXPECT_TRUE(client.read_to_end().ends_with("bad_request"));
}

TEST_F(ServerTest, DrainsASmallUnreadBodyAndGoesOn) {
  start();
  const std::string answer = once(
      "POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /size/1 HTTP/1.1\r\n"
      "Host: h\r\n" +
      kClose + "\r\n");
  EXPECT_NE(answer.find("HTTP/1.1 404"), std::string::npos);
  EXPECT_NE(answer.find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(ServerTest, ClosesRatherThanDrainALargeUnreadBody) {
  start();
  RawClient client(server->port());
  client.send("POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc");
  const std::string answer = client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, GivesUpOnASlowHeadWith408AndOnAnIdleConnectionInSilence) {
  start();
  RawClient slow(server->port()), idle(server->port());
  slow.send("GET / HT");
  // The server counts a connection when it accepted it; only then is its deadline armed.
  while (server->counters().accepted_connections < 2) std::this_thread::yield();
  std::string answer;
  auto reading = std::async(std::launch::async, [&] { return slow.read_to_end(); });
  while (reading.wait_for(seconds(0)) != std::future_status::ready) pass_time(seconds(100));
  answer = reading.get();
  // Before its first bytes were seen it was an idle connection, which is closed without a word.
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 408 ")) << answer;
  pass_time(seconds(100));  // it had begun to rest
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(ServerTest, RefusesConnectionsBeyondItsLimitWith503) {
  ServerLimits limits;
  limits.connections = 1;
  start(limits);
  RawClient first(server->port());
  first.send("GET /size/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(first.read_until("\r\n\r\nx").find("200 OK"), std::string::npos);
  RawClient second(server->port());
  const std::string answer = second.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: 1"), std::string::npos);
}

TEST_F(ServerTest, ASecondServerOnThePortFailsLoudly) {
  start();
  Server second(loops, service, ServerOptions{.role = "test", .port = server->port()});
  const Result<> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "cannot_listen");
}

TEST_F(ServerTest, StopAnswersWhatIsInFlightAndClosesTheIdle) {
  start();
  RawClient busy(server->port()), idle(server->port());
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  while (!service.slow_started) std::this_thread::yield();
  auto stopping = std::async(std::launch::async, [&] { server->stop(seconds(20)); });
  EXPECT_EQ(idle.read_to_end(), "");  // closed at once, while the other is still being served
  service.release_slow.set_value();
  const std::string answer = busy.read_to_end();
  EXPECT_NE(answer.find("\r\n\r\nslow"), std::string::npos) << answer;
  stopping.wait();
  EXPECT_FALSE(RawClient(server->port()).connected);
}

TEST_F(ServerTest, ServersStoppedTogetherShareOneGrace) {
  start();
  Server second(loops, service, ServerOptions{.role = "second"});
  ASSERT_TRUE(second.start());
  RawClient busy(server->port()), idle(second.port());
  idle.send("GET /size/3 HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.read_until("xxx");
  busy.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
  while (service.served != 2) std::this_thread::yield();
  Server* const both[] = {&*server, &second};
  auto stopping = std::async(std::launch::async, [&] { Server::stop_together(both, seconds(20)); });
  // The second begins to stop while the first still has a request in flight, which goes on all the same.
  EXPECT_EQ(idle.read_to_end(), "");
  busy.send("cd");
  EXPECT_NE(busy.read_to_end().find("\r\n\r\nabcd"), std::string::npos);
  stopping.wait();
  EXPECT_FALSE(RawClient(second.port()).connected);
}

TEST_F(ServerTest, ServersStoppedTogetherAreCutOffTogether) {
  start();
  Server second(loops, service, ServerOptions{.role = "second"});
  ASSERT_TRUE(second.start());
  RawClient one(server->port()), other(second.port());
  for (RawClient* client : {&one, &other}) {
    client->send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
  }
  while (service.served != 2) std::this_thread::yield();
  Server* const both[] = {&*server, &second};
  Server::stop_together(both, std::chrono::milliseconds(1));
  EXPECT_EQ(one.read_to_end(), "");
  EXPECT_EQ(other.read_to_end(), "");
}

// ---- the client ----

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

class UpstreamTest : public ServerTest {
 protected:
  void start_both(ServerLimits limits = {}) {
    start(limits);
    connect_to(server->port());
  }
  void connect_to(std::uint16_t port) {
    upstream.emplace(loops, HttpUpstreamOptions{.name = "test", .url = {.host = "127.0.0.1", .port = port}});
  }
  void TearDown() override {
    ServerTest::TearDown();
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
