// ServerFixture: a server on a free port over a service whose paths say what to answer, and a client that sends bytes
// as they are. For tests of the server and of the client; everything but the service runs on the test's own thread.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "base/one_shot.h"
#include "http/server.h"

namespace parley::http::testing {

// Answers what a path says: /echo the body back, /stream in pieces of unknown length, /size/N that many bytes, /made
// the stream that the test makes, …
class TestService final : public Service {
 public:
  std::atomic<int> served{0};
  std::promise<void> release_slow;
  std::shared_future<void> slow_released = release_slow.get_future().share();
  std::atomic<bool> slow_started{false};
  std::function<std::unique_ptr<Body>()> make_stream;                   // of /made
  std::function<void(std::uint64_t sent, bool complete)> on_made_sent;  // on its loop

  Task<Response> serve(Request& request) override {
    served.fetch_add(1);
    if (request.path == "/echo") {
      Result<std::string> body = co_await read_all(*request.body, 10'000'000);
      if (!body) co_return text_response(400, "text/plain", body.error().code);
      co_return text_response(200, "text/plain", *body);
    }
    if (request.path == "/interrupted") {
      Result<std::string_view> piece = co_await request.body->read();
      EventLoop::current().post([body = request.body] { body->interrupt(); });
      while (piece && !piece->empty()) piece = co_await request.body->read();
      co_return text_response(409, "text/plain", "interrupted");
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
    if (request.path == "/made") {
      Response response = text_response(200, "text/plain", {});
      response.stream = make_stream();
      response.on_sent = on_made_sent;
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
  // False once the server wants nothing more.
  bool send(std::string_view text) { return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) > 0; }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  // Reads until `mark` has come (it stays in the answer), or the end.
  std::string read_until(std::string_view mark) {
    std::string text;
    char c;
    while (text.find(mark) == std::string::npos && ::recv(fd_, &c, 1, 0) == 1) text += c;
    return text;
  }
  // As many bytes, or fewer when the end comes first.
  std::string read(std::size_t size) {
    std::string text(size, '\0');
    std::size_t got = 0;
    for (ssize_t n = 0; got < size && (n = ::recv(fd_, text.data() + got, size - got, 0)) > 0;) {
      got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return text;
  }
  std::string read_to_end() { return read_until(std::string_view("\0never\0", 7)); }

  bool connected = false;

 private:
  int fd_;
};

// A server with two loops and the TestService behind it.
class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture() { std::signal(SIGPIPE, SIG_IGN); }  // as the program does
  void start(ServerLimits limits = {}) {
    loops.start();
    server.emplace(loops, service, ServerOptions{.role = "test", .limits = limits});
    ASSERT_TRUE(server->start());
  }
  void TearDown() override {
    if (server) server->stop(std::chrono::seconds(20));
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

}  // namespace parley::http::testing
