// The client and the server over TLS.
#include "http/tls.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/one_shot.h"
#include "http/http_upstream.h"
#include "http/server.h"
#include "http/testing/certificate.h"

namespace parley::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EchoService final : public Service {
  // Has a file to offer that is not there, so that it must be read.
  struct Readable final : Body {
    bool read_ = false;
    Task<Result<std::string_view>> read() override {
      co_return std::exchange(read_, true) ? std::string_view() : std::string_view("read");
    }
    std::optional<std::uint64_t> size() const override { return 4; }
    std::optional<FileRun> as_file() override { return FileRun{.fd = -1, .offset = 0, .length = 4}; }
  };

 public:
  Task<Response> serve(Request& request) override {
    if (request.path == "/refuse") co_return text_response(413, "text/plain", "too much");
    if (request.path == "/file") {
      Response response = text_response(200, "text/plain", {});
      response.stream = std::make_unique<Readable>();
      co_return response;
    }
    Result<std::string> body = co_await read_all(*request.body, 10'000'000);
    if (!body) co_return text_response(400, "text/plain", body.error().code);
    co_return text_response(200, "text/plain", *body);
  }
};

// Waits `pause` before each piece, so that whatever the peer has to say has come.
class Pieces final : public Body {
 public:
  Pieces(int count, milliseconds pause) : count_(count), pause_(pause) {}
  Task<Result<std::string_view>> read() override {
    if (read_ == count_) co_return std::string_view();
    ++read_;
    auto [promise, future] = make_one_shot<int>(EventLoop::current());
    co_await future.wait(std::chrono::steady_clock::now() + pause_);
    co_return std::string_view("piece");
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  const int count_;
  const milliseconds pause_;
  int read_ = 0;
};

Task<std::string> put(HttpUpstream& upstream, std::string target, int pieces, milliseconds pause) {
  Request request;
  request.method = Method::kPut;
  request.method_text = "PUT";
  request.set_target(target);
  Pieces body(pieces, pause);
  request.body = &body;
  Result<Response> response = co_await upstream.call(request, std::chrono::steady_clock::now() + seconds(5));
  co_return response ? std::to_string(response->status) + " " + response->body : response.error().code;
}

Task<int> rest(milliseconds pause) {
  auto [promise, future] = make_one_shot<int>(EventLoop::current());
  co_await future.wait(std::chrono::steady_clock::now() + pause);
  co_return 0;
}

class TlsTest : public ::testing::Test {
 protected:
  void start(ServerLimits limits = {}) {
    loops.start();
    server.emplace(loops, service,
                   ServerOptions{.role = "test",
                                 .limits = limits,
                                 .tls = *make_server_tls(certificate.certificate_file(), certificate.key_file())});
    ASSERT_TRUE(server->start());
    upstream.emplace(loops, HttpUpstreamOptions{.name = "test",
                                                .url = {.tls = true, .host = "127.0.0.1", .port = server->port()},
                                                .tls = *make_client_tls(certificate.certificate_file())});
  }
  void TearDown() override {
    if (server) server->stop(seconds(20));
    loops.stop();
    upstream.reset();
  }
  template <class T>
  T run(Task<T> task) {
    return asio::co_spawn(loops.at(0).io(), std::move(task), asio::use_future).get();
  }

  http::testing::Certificate certificate;
  EchoService service;
  EventLoops loops{1};
  std::optional<Server> server;
  std::optional<HttpUpstream> upstream;
};

TEST_F(TlsTest, ABodyOfSeveralPiecesGoesOutWhateverTlsSaysMeanwhile) {
  start();
  // On a connection of its own at first: its session tickets come while the body goes out.
  EXPECT_EQ(run(put(*upstream, "/echo", 4, milliseconds(60))), "200 piecepiecepiecepiece");
  EXPECT_EQ(run(put(*upstream, "/echo", 2, milliseconds(0))), "200 piecepiece");
  EXPECT_EQ(upstream->counters().connects, 1U);
}

TEST_F(TlsTest, AnAnswerThatComesBeforeTheBodyIsSentIsHeard) {
  start();
  EXPECT_EQ(run(put(*upstream, "/refuse", 40, milliseconds(60))), "413 too much");
}

TEST_F(TlsTest, AFileIsReadForIt) {
  start();
  EXPECT_EQ(run(put(*upstream, "/file", 1, milliseconds(0))), "200 read");
  EXPECT_EQ(server->counters().sent_file_bytes, 0U);
}

TEST_F(TlsTest, AConnectionThatHasRestedIsUsedAgain) {
  start();
  EXPECT_EQ(run(put(*upstream, "/echo", 1, milliseconds(0))), "200 piece");
  run(rest(milliseconds(700)));
  EXPECT_EQ(run(put(*upstream, "/echo", 1, milliseconds(0))), "200 piece");
  EXPECT_EQ(upstream->counters().connects, 1U);
}

TEST_F(TlsTest, AConnectionBeyondTheLimitIsClosedWithoutPlainText) {
  start({.connections = 1});
  EXPECT_EQ(run(put(*upstream, "/echo", 1, milliseconds(0))), "200 piece");  // keeps its connection
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const timeval limit{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char byte;
  EXPECT_EQ(::recv(fd, &byte, 1, 0), 0);
  ::close(fd);
  EXPECT_EQ(server->counters().refused_connections, 1U);
}

}  // namespace
}  // namespace parley::http
