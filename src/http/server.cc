#include "http/server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <list>

#include "base/check.h"
#include "base/task_group.h"
#include "http/session.h"
#include "telemetry/log.h"

namespace parley::http {

namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, LoopExecutor>;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;

constexpr int kBacklog = 1024;

Result<> listen_on(Acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint, bool shared) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && shared) acceptor.set_option(reuse_port(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) {
    return fail(ErrorKind::kUnavailable, "cannot_listen",
                "Cannot listen on " + endpoint.address().to_string() + " port " + std::to_string(endpoint.port()) +
                    ": " + error.message() + ".");
  }
  return {};
}

}  // namespace

struct Server::PerLoop {
  explicit PerLoop(EventLoop& l) : loop(l), acceptor(l.io()), tasks(l) {}

  EventLoop& loop;
  Acceptor acceptor;
  std::list<Session> sessions;
  TaskGroup tasks;
  std::atomic<std::size_t> connections{0};  // those on their way here included; other loops read it
  bool stopping = false;

  Task<> run(std::list<Session>::iterator session, ServerCounters& counters) {
    co_await session->run();
    sessions.erase(session);
    count_closed(counters);
  }
  void count_closed(ServerCounters& counters) {
    connections.fetch_sub(1, std::memory_order_relaxed);
    counters.open_connections.fetch_sub(1, std::memory_order_relaxed);
  }
};

namespace {

// Keeps an accepted connection open on its way from one loop to another.
class OwnedSocket {
 public:
  explicit OwnedSocket(int fd) : fd_(fd) {}
  OwnedSocket(OwnedSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedSocket& operator=(OwnedSocket&&) = delete;
  ~OwnedSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  // False when the loop cannot watch it.
  bool give_to(TcpSocket& socket, const asio::ip::tcp& protocol) {
    boost::system::error_code error;
    socket.assign(protocol, fd_, error);
    if (!error) fd_ = -1;
    return !error;
  }

 private:
  int fd_;
};

}  // namespace

Server::Server(EventLoops& loops, Service& service, ServerOptions options)
    : loops_(loops), service_(service), options_(std::move(options)) {}

Server::~Server() {
  CHECK(!running_);
}

Result<> Server::start() {
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(options_.address, error);
  if (error) return invalid_field("BIND_ADDRESS", "is not an IP address: " + options_.address);
  asio::ip::tcp::endpoint endpoint(address, options_.port);

  for (std::size_t i = 0; i < loops_.size(); ++i) per_loop_.push_back(std::make_unique<PerLoop>(loops_.at(i)));
  {
    // Alone first: SO_REUSEPORT alone would let a second server of the same user share the port in silence.
    asio::io_context probe_context;
    Acceptor probe(probe_context);
    if (Result<> bound = listen_on(probe, endpoint, false); !bound) return bound;
    endpoint = probe.local_endpoint();
  }
  for (auto& here : per_loop_) {
    if (Result<> bound = listen_on(here->acceptor, endpoint, true); !bound) return bound;
  }
  port_ = endpoint.port();
  running_ = true;
  for (auto& here : per_loop_) {
    here->loop.post([this, at = here.get()] { at->tasks.spawn(accept_forever(*at)); });
  }
  return {};
}

Task<> Server::accept_forever(PerLoop& here) {
  Timer pause(here.loop.io());
  while (!here.stopping) {
    asio::ip::tcp::endpoint peer;
    auto [error, socket] = co_await here.acceptor.async_accept(peer, kAwait);
    if (here.stopping) break;
    if (error) {
      // Out of file descriptors or a connection that died in the queue: the former lasts, so do not spin on it.
      log_warn("accept failed", {{"role", options_.role}, {"error", error.message()}});
      pause.expires_after(std::chrono::milliseconds(50));
      co_await pause.async_wait(kAwait);
      continue;
    }
    counters_.accepted_connections.fetch_add(1, std::memory_order_relaxed);
    if (counters_.open_connections.fetch_add(1, std::memory_order_relaxed) >=
        static_cast<std::int64_t>(options_.limits.connections)) {
      counters_.open_connections.fetch_sub(1, std::memory_order_relaxed);
      counters_.refused_connections.fetch_add(1, std::memory_order_relaxed);
      static constexpr std::string_view kBusy =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      // Over TLS an answer would cost the handshake that there is no room for: closed, then.
      if (options_.tls) continue;
      socket.native_non_blocking(true, error);
      ::send(socket.native_handle(), kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      continue;
    }
    PerLoop& to = loop_for_one_more(here);
    to.connections.fetch_add(1, std::memory_order_relaxed);
    if (&to == &here) {
      begin_session(here, std::move(socket), peer.address().to_string());
    } else {
      hand_over(std::move(socket), peer, to);
    }
  }
}

void Server::begin_session(PerLoop& here, TcpSocket socket, std::string peer) {
  here.sessions.emplace_front(*this, here.loop, std::move(socket), std::move(peer));
  here.tasks.spawn(here.run(here.sessions.begin(), counters_));
}

// The kernel deals connections out by a hash: of 64, one of two loops may get 40, and for as long as the connections
// live its requests wait while the other loop idles.
Server::PerLoop& Server::loop_for_one_more(PerLoop& here) {
  PerLoop* least = &here;
  for (const auto& other : per_loop_) {
    if (other->connections.load(std::memory_order_relaxed) < least->connections.load(std::memory_order_relaxed)) {
      least = other.get();
    }
  }
  // A little unevenness is cheaper than handing over.
  const std::size_t fewest = least->connections.load(std::memory_order_relaxed);
  const std::size_t tolerated = fewest + 1 + fewest / 8;
  return here.connections.load(std::memory_order_relaxed) < tolerated ? here : *least;
}

void Server::hand_over(TcpSocket socket, asio::ip::tcp::endpoint peer, PerLoop& to) {
  boost::system::error_code error;
  OwnedSocket owned(socket.release(error));
  to.loop.post([this, owned = std::move(owned), peer, at = &to]() mutable {
    TcpSocket here(at->loop.io());
    if (at->stopping || !owned.give_to(here, peer.protocol())) return at->count_closed(counters_);
    begin_session(*at, std::move(here), peer.address().to_string());
  });
}

void Server::stop(std::chrono::milliseconds grace) {
  Server* const only = this;
  stop_together({&only, 1}, grace);
}

void Server::stop_together(std::span<Server* const> servers, std::chrono::milliseconds grace) {
  CHECK(EventLoop::current_or_null() == nullptr);
  const auto limit = std::chrono::steady_clock::now() + grace;
  std::vector<std::future<void>> drained, aborted;
  for (Server* const server : servers) {
    if (server->running_) server->begin_stop(drained);
  }
  for (auto& future : drained) future.wait_until(limit);
  for (Server* const server : servers) {
    if (server->running_) server->cut_off(aborted);
  }
  // What is left now waits for a service, and every such wait has its deadline. Both kinds of answer are awaited: after
  // this nothing on a loop refers to a server any more.
  for (auto& future : aborted) future.wait();
  for (auto& future : drained) future.wait();
  for (Server* const server : servers) {
    if (server->running_) server->settle();
  }
}

void Server::begin_stop(std::vector<std::future<void>>& drained) {
  for (auto& here : per_loop_) {
    auto done = std::make_shared<std::promise<void>>();
    drained.push_back(done->get_future());
    here->loop.post([at = here.get(), done] {
      at->stopping = true;
      boost::system::error_code ignored;
      at->acceptor.close(ignored);
      for (Session& session : at->sessions) session.finish();
      at->tasks.drain([done] { done->set_value(); });
    });
  }
}

void Server::cut_off(std::vector<std::future<void>>& aborted) {
  for (auto& here : per_loop_) {
    auto done = std::make_shared<std::promise<void>>();
    aborted.push_back(done->get_future());
    here->loop.post([at = here.get(), done] {
      for (Session& session : at->sessions) session.abort();
      done->set_value();
    });
  }
}

// No loop accepts any more, so what one handed over to another comes before this.
void Server::settle() {
  for (auto& here : per_loop_) {
    // Shared: the waiting thread may be gone before set_value() has quite returned.
    auto done = std::make_shared<std::promise<void>>();
    here->loop.post([done] { done->set_value(); });
    done->get_future().wait();
  }
  running_ = false;
}

}  // namespace parley::http
