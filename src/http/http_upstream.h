// An upstream over HTTP/1.1: keep-alive connections in a pool per loop, so that a request never changes cores. Also the
// client for whatever else speaks HTTP (JWKS, S3, the importer). Must be destroyed after the loops have stopped, or
// with no connection left: close_idle() on each.
#pragma once
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "http/body_framing.h"
#include "http/tls.h"
#include "http/upstream.h"
#include "http/url.h"

namespace parley::http {

struct HttpUpstreamOptions {
  std::string name;
  Url url;
  std::chrono::milliseconds connect_timeout{1'000};
  std::chrono::milliseconds idle_timeout{30'000};       // an unused connection is closed after that; below the server's
  std::chrono::milliseconds body_idle_timeout{30'000};  // between two pieces of a body, either way
  std::size_t connections_per_loop = 256;               // beyond it: kUnavailable, code upstream_busy
  std::size_t header_bytes = 32 * 1024;                 // of an answer
  std::size_t body_buffer = 64 * 1024;
  std::shared_ptr<asio::ssl::context> tls;  // needed when url.tls
};

struct HttpUpstreamCounters {
  std::atomic<std::int64_t> open_connections{0};
  std::atomic<std::int64_t> idle_connections{0};
  std::atomic<std::uint64_t> connects{0};
  std::atomic<std::uint64_t> connect_failures{0};
};

class HttpUpstream final : public Upstream {
 public:
  HttpUpstream(EventLoops& loops, HttpUpstreamOptions options);
  ~HttpUpstream() override;

  std::string_view name() const override { return options_.name; }
  // Leaves out of `request` what belongs to one connection (Host, framing, Connection, Expect): it writes its own. A
  // body whose sender waits to be asked for it is asked for once the upstream asks, or says nothing for a second. The
  // answer's own hop-by-hop fields (RFC 9110 section 7.6.1), framing and Date are left out likewise. A request without
  // a body that met a connection closed meanwhile is sent once more if its method is idempotent.
  Task<Result<Response>> call(Request& request, SteadyTime deadline) override;

  void close_idle() override;

  const HttpUpstreamCounters& counters() const { return counters_; }

 private:
  struct Link;
  struct PerLoop;
  class LinkBody;

  PerLoop& here();
  // An idle connection of this loop that may be used; null when there is none, or a fresh one is asked for.
  // `sure`: look whether it is still open, however short it has rested: a long body cannot be sent twice.
  std::unique_ptr<Link> take_idle(bool fresh, bool sure);
  Task<Result<std::unique_ptr<Link>>> connect(SteadyTime deadline);
  Task<Result<std::vector<asio::ip::tcp::endpoint>>> resolve(SteadyTime deadline);
  void release(std::unique_ptr<Link> link);

  void write_head(Link& link, const Request& request, std::optional<std::uint64_t> size) const;
  // Head and body. False: not all of it went; the upstream may have answered before. An error: the body failed.
  Task<Result<bool>> send_with_body(Link& link, Request& request, std::optional<std::uint64_t> size);
  // With `Expect: 100-continue`: sends the head. True: the body is wanted, or nothing was heard in time. False: there
  // is an answer already, or the end.
  Task<bool> ask_for_body(Link& link, Method method);
  // kClosed: not a byte of an answer came. What is awaited may also be "100 Continue"; then the head of an answer is
  // left in the buffer.
  enum class Received { kHead, kContinue, kClosed, kBroken, kTimedOut, kMalformed };
  enum class Awaited { kAnswer, kContinue };
  Task<Received> receive_head(Link& link, Method method, Awaited what, std::string_view& text, SteadyTime deadline);

  const HttpUpstreamOptions options_;
  const std::string authority_;
  HttpUpstreamCounters counters_;
  std::vector<std::unique_ptr<PerLoop>> per_loop_;
};

}  // namespace parley::http
