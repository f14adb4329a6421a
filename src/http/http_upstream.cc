#include "http/http_upstream.h"

#include <sys/socket.h>

#include <array>

#include "base/check.h"
#include "base/one_shot.h"
#include "base/text.h"

namespace parley::http {

// One connection of the pool. Counts itself open as long as it lives.
struct HttpUpstream::Link {
  Link(HttpUpstream& owner, EventLoop& loop, TcpSocket socket) : upstream(owner), connection(loop, std::move(socket)) {
    upstream.counters_.open_connections.fetch_add(1, std::memory_order_relaxed);
  }
  ~Link();

  HttpUpstream& upstream;
  Connection connection;
  SteadyTime idle_since{};
  bool reused = false;
  std::string out;    // the head of the request being sent; kept for its memory
  ResponseHead head;  // of its answer; here because it is large for a coroutine's frame
};

struct HttpUpstream::PerLoop {
  std::vector<std::unique_ptr<Link>> idle;  // the last used at the back
  std::size_t open = 0;
  std::vector<asio::ip::tcp::endpoint> endpoints;  // as last resolved
  SteadyTime resolved_at{};
};

HttpUpstream::Link::~Link() {
  --upstream.per_loop_[connection.loop().index()]->open;
  upstream.counters_.open_connections.fetch_sub(1, std::memory_order_relaxed);
}

// The rest of an answer. Gives its connection back when all of it was read, closes it otherwise.
class HttpUpstream::LinkBody final : public Body {
 public:
  LinkBody(HttpUpstream& upstream, std::unique_ptr<Link> link, Framing framing, bool keep_alive)
      : upstream_(upstream),
        link_(std::move(link)),
        body_(link_->connection, framing, upstream.options_.body_buffer, upstream.options_.body_idle_timeout),
        keep_alive_(keep_alive) {}

  ~LinkBody() override {
    if (!body_.complete() || !keep_alive_) return;
    link_->connection.buffer().release_if_empty();  // what it grew to is not kept for an idle connection
    upstream_.release(std::move(link_));
  }

  Task<Result<std::string_view>> read() override {
    Result<std::string_view> piece = co_await body_.read();
    if (!piece) {
      piece.error().kind =
          piece.error().kind == ErrorKind::kRequestTimeout ? ErrorKind::kTimeout : ErrorKind::kUnavailable;
    }
    co_return piece;
  }
  std::optional<std::uint64_t> size() const override { return body_.size(); }
  void interrupt() override { body_.interrupt(); }

 private:
  HttpUpstream& upstream_;
  std::unique_ptr<Link> link_;
  ConnectionBody body_;
  const bool keep_alive_;
};

namespace {

constexpr std::chrono::seconds kResolvedFor{30};
// For an upstream to say whether it wants a body; RFC 9110 section 10.1.1 wants no sender to wait for ever.
constexpr std::chrono::seconds kContinueWait{1};
// A body up to this is soon sent again, and then by a caller that holds it.
constexpr std::uint64_t kSmallBody = 64 * 1024;
// What the kernel takes in before it is read. Left to itself it grows to megabytes, and who reads slowly then asks the
// upstream for more once in minutes, in lumps: to the upstream it looks as if nobody read. Ample within one network.
constexpr int kReceiveBuffer = 256 * 1024;

bool belongs_to_connection(FieldId id) {
  switch (id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
    case FieldId::content_length:
      return true;
    default:
      return false;
  }
}

// Whether `list` ("close, X-Foo") names `name`.
bool names_field(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view token = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (token.starts_with(' ') || token.starts_with('\t')) token.remove_prefix(1);
    while (token.ends_with(' ') || token.ends_with('\t')) token.remove_suffix(1);
    if (equals_ignoring_ascii_case(token, name)) return true;
  }
  return false;
}

void copy_response_fields(const Fields& fields, HeaderText& headers, std::size_t size_hint) {
  headers.reserve(size_hint);
  const auto connection = fields.find(FieldId::connection);
  for (const Field& field : fields) {
    if (belongs_to_connection(field.id) || field.id == FieldId::date) continue;
    if (connection && names_field(*connection, field.name)) continue;
    headers.add(field.name, field.value);
  }
}

std::unexpected<Error> lost(std::string_view name) {
  return unavailable("upstream_unavailable",
                     std::string(name) + " cannot be reached at the moment; try again shortly.");
}

std::unexpected<Error> timed_out(std::string_view name) {
  return fail(ErrorKind::kTimeout, "deadline_exceeded", std::string(name) + " did not answer in time.");
}

}  // namespace

HttpUpstream::HttpUpstream(EventLoops& loops, HttpUpstreamOptions options)
    : options_(std::move(options)), authority_(options_.url.authority()) {
  CHECK(!options_.url.tls || options_.tls);
  for (std::size_t i = 0; i < loops.size(); ++i) per_loop_.push_back(std::make_unique<PerLoop>());
}

HttpUpstream::~HttpUpstream() {
  for (auto& here : per_loop_) here->idle.clear();
}

void HttpUpstream::close_idle() {
  PerLoop& at = here();
  counters_.idle_connections.fetch_sub(static_cast<std::int64_t>(at.idle.size()), std::memory_order_relaxed);
  at.idle.clear();
}

HttpUpstream::PerLoop& HttpUpstream::here() {
  return *per_loop_[EventLoop::current().index()];
}

void HttpUpstream::release(std::unique_ptr<Link> link) {
  Connection& connection = link->connection;
  connection.clear_deadline();
  connection.buffer().unpin();
  // Bytes after a complete answer belong to no request: such a connection is not to be trusted.
  if (!connection.buffer().data().empty() || connection.timed_out()) return;
  PerLoop& at = *per_loop_[connection.loop().index()];
  const SteadyTime now = connection.loop().coarse_now();
  while (!at.idle.empty() && now - at.idle.front()->idle_since > options_.idle_timeout) {
    at.idle.erase(at.idle.begin());
    counters_.idle_connections.fetch_sub(1, std::memory_order_relaxed);
  }
  link->idle_since = now;
  link->reused = true;
  counters_.idle_connections.fetch_add(1, std::memory_order_relaxed);
  at.idle.push_back(std::move(link));
}

std::unique_ptr<HttpUpstream::Link> HttpUpstream::take_idle(bool fresh, bool sure) {
  PerLoop& at = here();
  while (!at.idle.empty()) {
    std::unique_ptr<Link> link = std::move(at.idle.back());
    at.idle.pop_back();
    counters_.idle_connections.fetch_sub(1, std::memory_order_relaxed);
    const auto idle_for = link->connection.loop().coarse_now() - link->idle_since;
    if (fresh || idle_for > options_.idle_timeout) continue;
    // A look at the socket costs a system call: worth it only for one that has rested.
    if ((sure || idle_for > std::chrono::milliseconds(500)) && link->connection.is_stale()) continue;
    return link;
  }
  return nullptr;
}

Task<Result<std::vector<asio::ip::tcp::endpoint>>> HttpUpstream::resolve(SteadyTime deadline) {
  PerLoop& at = here();
  EventLoop& loop = EventLoop::current();
  boost::system::error_code error;
  if (const auto address = asio::ip::make_address(options_.url.host, error); !error) {
    co_return std::vector<asio::ip::tcp::endpoint>{{address, options_.url.port}};
  }
  if (!at.endpoints.empty() && loop.coarse_now() - at.resolved_at < kResolvedFor) co_return at.endpoints;

  using Endpoints = std::vector<asio::ip::tcp::endpoint>;
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, LoopExecutor>;
  auto answer = make_one_shot<Endpoints>(loop);
  auto resolver = std::make_shared<Resolver>(loop.io());
  auto promise = std::make_shared<OneShotPromise<Endpoints>>(std::move(answer.first));
  resolver->async_resolve(options_.url.host, std::to_string(options_.url.port),
                          [resolver, promise](boost::system::error_code failed, Resolver::results_type results) {
                            Endpoints endpoints;
                            for (const auto& entry : results) endpoints.push_back(entry.endpoint());
                            if (failed || endpoints.empty()) {
                              promise->deliver(unavailable("upstream_unavailable", "The name does not resolve."));
                            } else {
                              promise->deliver(std::move(endpoints));
                            }
                          });
  Result<Endpoints> endpoints = co_await answer.second.wait(deadline);
  if (endpoints) {
    at.endpoints = *endpoints;
    at.resolved_at = loop.coarse_now();
  } else if (!at.endpoints.empty()) {
    co_return at.endpoints;  // the name server is down, the upstream may not be
  }
  co_return endpoints;
}

Task<Result<std::unique_ptr<HttpUpstream::Link>>> HttpUpstream::connect(SteadyTime deadline) {
  PerLoop& at = here();
  EventLoop& loop = EventLoop::current();
  if (at.open >= options_.connections_per_loop) {
    co_return unavailable("upstream_busy", options_.name + " has as many requests as it may have; try again shortly.");
  }
  ++at.open;  // taken while connecting, so that the limit holds; handed over to the Link or given back
  counters_.connects.fetch_add(1, std::memory_order_relaxed);
  const SteadyTime until = std::min(deadline, std::chrono::steady_clock::now() + options_.connect_timeout);
  const Result<std::vector<asio::ip::tcp::endpoint>> endpoints = co_await resolve(until);
  std::string cause = "its name does not resolve";
  if (endpoints) {
    for (const auto& endpoint : *endpoints) {
      TcpSocket socket(loop.io());
      bool expired = false;
      Deadline expiry(loop, [&socket, &expired] {
        boost::system::error_code ignored;
        expired = true;
        socket.close(ignored);
      });
      expiry.arm(until);
      boost::system::error_code ignored;
      socket.open(endpoint.protocol(), ignored);
      socket.set_option(asio::socket_base::receive_buffer_size(kReceiveBuffer), ignored);
      const auto [error] = co_await socket.async_connect(endpoint, kAwait);
      if (error || expired) {
        cause = expired ? "no connection in time" : error.message();
        if (expired) break;
        continue;
      }
      auto link = std::make_unique<Link>(*this, loop, std::move(socket));
      if (options_.url.tls) {
        link->connection.set_deadline(until);
        if (const auto refused = co_await link->connection.connect_tls(*options_.tls, options_.url.host)) {
          cause = "TLS: " + refused.message();
          ++at.open;  // the Link gives back what it was handed; the loop goes on with its own
          continue;
        }
        link->connection.clear_deadline();
      }
      co_return link;
    }
  }
  --at.open;
  counters_.connect_failures.fetch_add(1, std::memory_order_relaxed);
  co_return because(lost(options_.name), std::move(cause));
}

void HttpUpstream::write_head(Link& link, const Request& request, std::optional<std::uint64_t> size) const {
  std::string& out = link.out;
  out.clear();
  out.append(request.method_text).append(" ").append(options_.url.path).append(request.target);
  out.append(" HTTP/1.1\r\nHost: ").append(authority_).append("\r\n");
  for (const Field& field : request.fields) {
    if (belongs_to_connection(field.id) || field.id == FieldId::host || field.id == FieldId::expect) continue;
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (request.body && request.body->awaits_continue()) out.append("Expect: 100-continue\r\n");
  if (!size) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (*size > 0 || request.method == Method::kPost || request.method == Method::kPut ||
             request.method == Method::kPatch) {
    out.append("Content-Length: ").append(std::to_string(*size)).append("\r\n");
  }
  out.append("\r\n");
}

Task<HttpUpstream::Received> HttpUpstream::receive_head(Link& link, Method method, Awaited what, std::string_view& text,
                                                        SteadyTime deadline) {
  Connection& connection = link.connection;
  ResponseHead& head = link.head;
  ReadBuffer& buffer = connection.buffer();
  connection.set_deadline(deadline);
  for (;;) {
    std::optional<std::size_t> end;
    while (!(end = find_head_end(buffer.data()))) {
      const bool any = !buffer.data().empty();
      if (!co_await connection.fill(options_.header_bytes)) {
        if (connection.timed_out()) co_return Received::kTimedOut;
        if (buffer.data().size() >= options_.header_bytes) co_return Received::kMalformed;
        co_return any ? Received::kBroken : Received::kClosed;
      }
    }
    if (!parse_response_head(buffer.data().substr(0, *end), method, head)) co_return Received::kMalformed;
    if (head.status >= 200 && what == Awaited::kContinue) {
      connection.clear_deadline();
      co_return Received::kHead;  // which stays where it is
    }
    if (head.status >= 200) {
      text = buffer.consume_pinned(*end);
      connection.clear_deadline();
      co_return Received::kHead;
    }
    if (head.status == 101) co_return Received::kMalformed;  // nobody asked for another protocol
    buffer.consume(*end);
    if (head.status == 100 && what == Awaited::kContinue) {
      connection.clear_deadline();
      co_return Received::kContinue;
    }
  }
}

Task<bool> HttpUpstream::ask_for_body(Link& link, Method method) {
  Connection& connection = link.connection;
  std::array<iovec, 1> parts = {part(link.out)};
  connection.set_write_timeout(options_.body_idle_timeout);
  if (!co_await connection.write(parts)) co_return false;
  std::string_view text;
  const SteadyTime until = std::chrono::steady_clock::now() + kContinueWait;
  switch (co_await receive_head(link, method, Awaited::kContinue, text, until)) {
    case Received::kContinue:
      co_return true;
    case Received::kTimedOut:
      co_return connection.forget_timeout();
    default:
      co_return false;
  }
}

Task<Result<bool>> HttpUpstream::send_with_body(Link& link, Request& request, std::optional<std::uint64_t> size) {
  std::string_view head = link.out;
  if (request.body->awaits_continue()) {
    if (!co_await ask_for_body(link, request.method)) co_return false;
    head = {};
  }
  WrittenMessage written =
      co_await write_message(link.connection, head, *request.body,
                             {.chunked = !size, .timeout = options_.body_idle_timeout, .until_answered = true});
  if (written.end == WrittenMessage::End::kBodyFailed) {
    if (!written.error) co_return fail(ErrorKind::kInvalid, "bad_request", "The body is not as long as it said.");
    co_return std::unexpected(std::move(*written.error));
  }
  // Else the upstream may have answered before it took everything: its answer is heard all the same.
  co_return written.end == WrittenMessage::End::kComplete;
}

Task<Result<Response>> HttpUpstream::call(Request& request, SteadyTime deadline) {
  const std::optional<std::uint64_t> size = request.body ? request.body->size() : 0;
  const bool bodiless = size == std::optional<std::uint64_t>(0);
  bool fresh = false;
  for (;;) {
    std::unique_ptr<Link> link = take_idle(fresh, !size || *size > kSmallBody);
    if (!link) {
      Result<std::unique_ptr<Link>> connected = co_await connect(deadline);
      if (!connected) co_return std::unexpected(std::move(connected.error()));
      link = std::move(*connected);
    }

    write_head(*link, request, size);
    bool sent_all = true;
    if (bodiless) {
      // The common case takes no coroutine: the kernel has room for the whole head.
      std::array<iovec, 1> parts = {part(link->out)};
      const std::ptrdiff_t written = link->connection.write_some_now(parts);
      if (written < 0) {
        sent_all = false;
      } else if (static_cast<std::size_t>(written) < link->out.size()) {
        link->connection.set_deadline(deadline);
        sent_all = co_await link->connection.write_rest(parts, static_cast<std::size_t>(written));
      }
    } else {
      const SteadyTime began = std::chrono::steady_clock::now();
      const Result<bool> sent = co_await send_with_body(*link, request, size);
      if (!sent) co_return std::unexpected(sent.error());
      sent_all = *sent;
      if (deadline != SteadyTime::max()) deadline += std::chrono::steady_clock::now() - began;
    }

    ResponseHead& head = link->head;
    std::string_view text;
    const Received received = co_await receive_head(*link, request.method, Awaited::kAnswer, text, deadline);
    if (received == Received::kClosed && link->reused && bodiless && is_idempotent(request.method) && !fresh) {
      fresh = true;
      continue;
    }
    if (received == Received::kTimedOut) co_return timed_out(options_.name);
    if (received != Received::kHead) co_return lost(options_.name);

    Response response;
    response.status = head.status;
    copy_response_fields(head.fields, response.headers, text.size());
    if (request.method == Method::kHead) {
      if (const auto length = head.fields.find(FieldId::content_length)) response.head_length = parse_u64(*length);
    }
    const bool keep_alive = head.keep_alive && sent_all;
    ReadBuffer& buffer = link->connection.buffer();
    const bool all_here = head.framing.kind == Framing::Kind::kNone ||
                          (head.framing.kind == Framing::Kind::kLength && head.framing.length <= buffer.data().size());
    if (all_here) {
      const auto length = static_cast<std::size_t>(head.framing.length);
      response.body.assign(buffer.data().substr(0, length));
      buffer.consume(length);
      if (keep_alive) release(std::move(link));
    } else {
      // The head's views end here: nothing is pinned any more, and the buffer grows for a long body. One in chunks may
      // be a trickle of events, and many of those may be open at once.
      buffer.unpin();
      if (head.framing.kind == Framing::Kind::kLength) {
        buffer.make_room(std::min<std::uint64_t>(head.framing.length, options_.body_buffer));
      }
      response.stream = std::make_unique<LinkBody>(*this, std::move(link), head.framing, keep_alive);
    }
    co_return response;
  }
}

}  // namespace parley::http
