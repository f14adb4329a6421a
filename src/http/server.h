// Server: accepts connections on every loop (SO_REUSEPORT), evens out how many each has, and keeps a connection on its
// loop from then on; reads requests, asks one Service, writes the answers. Every dimension has a limit. Made and
// stopped by the thread that owns the process's life; it must outlive the loops' work and be stopped before the Service
// is destroyed.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "http/connection.h"
#include "http/service.h"
#include "http/tls.h"

namespace parley::http {

struct ServerLimits {
  std::size_t header_bytes = 16 * 1024;                 // request line and fields together; 431 beyond
  std::chrono::milliseconds header_timeout{10'000};     // from a head's first byte to its last; 408
  std::chrono::milliseconds idle_timeout{75'000};       // between requests
  std::chrono::milliseconds body_idle_timeout{30'000};  // between two pieces of a request's body
  std::uint32_t least_body_rate = 1024;                 // bytes per second of a request's body, on average; 408 below
  std::chrono::milliseconds write_timeout{30'000};      // for the peer to take the next piece of an answer
  std::size_t body_buffer = 64 * 1024;                  // read ahead of a large body
  std::uint64_t drained_body_bytes = 64 * 1024;         // unread body that is read and dropped to keep a connection
  std::size_t connections = 4096;                       // over all loops; beyond it: 503 (plain HTTP) and close
};

struct ServerOptions {
  std::string role;  // for logs and metrics
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one, see Server::port()
  ServerLimits limits;
  std::shared_ptr<asio::ssl::context> tls;  // null: plain HTTP
};

// Counted by every loop, read by /metrics.
struct ServerCounters {
  std::atomic<std::int64_t> open_connections{0};
  std::atomic<std::uint64_t> accepted_connections{0};
  std::atomic<std::uint64_t> refused_connections{0};  // over the limit
  std::atomic<std::uint64_t> malformed_requests{0};   // answered 400, 408 or 431 before any route
  std::atomic<std::uint64_t> sent_file_bytes{0};      // of answers that the kernel sent from a file
};

class Session;

class Server {
 public:
  Server(EventLoops& loops, Service& service, ServerOptions options);
  // CHECK-fails unless stopped (or never started).
  ~Server();

  // Binds: once alone, so that a second server on this port fails here, then on every loop. The loops may run already.
  Result<> start();
  std::uint16_t port() const { return port_; }
  const ServerCounters& counters() const { return counters_; }

  // Not on a loop's thread. Stops accepting, closes idle connections, lets what is in flight finish within `grace`,
  // then closes the rest. Returns when no session is left.
  void stop(std::chrono::milliseconds grace);
  // The same for several servers at once, within one grace. Those not running are passed over.
  static void stop_together(std::span<Server* const> servers, std::chrono::milliseconds grace);

 private:
  friend class Session;
  struct PerLoop;

  Task<> accept_forever(PerLoop& here);
  // `here` unless another loop has noticeably fewer connections.
  PerLoop& loop_for_one_more(PerLoop& here);
  void hand_over(TcpSocket socket, asio::ip::tcp::endpoint peer, PerLoop& to);
  void begin_session(PerLoop& here, TcpSocket socket, std::string peer);

  // The steps of stopping. Each but the last adds what is to be waited for, one for each loop, and returns at once.
  void begin_stop(std::vector<std::future<void>>& drained);
  void cut_off(std::vector<std::future<void>>& aborted);
  void settle();

  EventLoops& loops_;
  Service& service_;
  const ServerOptions options_;
  std::uint16_t port_ = 0;
  ServerCounters counters_;
  std::vector<std::unique_ptr<PerLoop>> per_loop_;
  bool running_ = false;
};

}  // namespace parley::http
