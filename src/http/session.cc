#include "http/session.h"

#include <array>
#include <ctime>

#include "http/file_sending.h"
#include "http/problem.h"
#include "http/request_scope.h"
#include "telemetry/log.h"

namespace parley::http {

namespace {

// A connection that was idle for this long gives its buffers back.
constexpr std::chrono::milliseconds kRestAfter{1000};

// How long, and how much, what a peer still sends is dropped after the last answer. A peer that sends a large body
// reads an answer that comes early only between two writes; one whose head is not to be understood is owed little.
constexpr std::chrono::milliseconds kLinger{2000};
constexpr std::uint64_t kDroppedOfBody = 16 << 20;
constexpr std::uint64_t kDroppedOfNonsense = 1 << 20;

// IMF-fixdate (RFC 9110 section 5.6.7), made once a second per loop.
std::string_view date_now() {
  thread_local std::time_t at = 0;
  thread_local char text[32];
  const std::time_t now = std::time(nullptr);
  if (now != at) {
    std::tm parts;
    gmtime_r(&now, &parts);
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    at = now;
  }
  return text;
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  char* at = digits + sizeof digits;
  do {
    *--at = static_cast<char>('0' + number % 10);
  } while ((number /= 10) != 0);
  out.append(at, static_cast<std::size_t>(digits + sizeof digits - at));
}

// How much of a body is read ahead at most.
std::size_t room_for(const Framing& framing, std::size_t most) {
  if (framing.kind == Framing::Kind::kNone) return 0;
  if (framing.kind == Framing::Kind::kLength && framing.length < most) return static_cast<std::size_t>(framing.length);
  return most;
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

Session::Session(Server& server, EventLoop& loop, TcpSocket socket, std::string peer)
    : server_(server), limits_(server.options_.limits), connection_(loop, std::move(socket)), peer_(std::move(peer)) {}

void Session::finish() {
  finishing_ = true;
  if (idle_) connection_.abort();
}

Task<> Session::run() {
  try {
    bool ready = true;
    if (server_.options_.tls) {
      connection_.set_timeout(limits_.header_timeout);
      ready = co_await connection_.accept_tls(*server_.options_.tls);
      connection_.clear_deadline();
    }
    if (ready) co_await serve_requests();
  } catch (const std::exception& error) {
    log_error("a connection was dropped", {{"role", server_.options_.role}, {"error", std::string_view(error.what())}});
  }
  connection_.abort();
}

Task<> Session::serve_requests() {
  for (;;) {
    switch (co_await read_head()) {
      case Head::kClosed:
        co_return;
      case Head::kTimedOut:
        co_await refuse(
            {ErrorKind::kRequestTimeout, "request_timeout", "The head of the request came too slowly.", {}, {}});
        co_return;
      case Head::kTooLarge:
        co_await refuse(
            {ErrorKind::kHeadersTooLarge,
             "headers_too_large",
             "The request line and header fields may have at most " + std::to_string(limits_.header_bytes) + " bytes.",
             {},
             {}});
        co_return;
      case Head::kRead:
        break;
    }
    if (!co_await serve_one()) co_return;
  }
}

// Leaves the head in the buffer, unconsumed and not yet parsed.
Task<Session::Head> Session::read_head() {
  ReadBuffer& buffer = connection_.buffer();
  buffer.unpin();
  idle_ = buffer.data().empty();
  if (idle_ && finishing_) co_return Head::kClosed;
  bool may_rest = idle_ && limits_.idle_timeout > kRestAfter;
  connection_.set_timeout(may_rest ? kRestAfter : idle_ ? limits_.idle_timeout : limits_.header_timeout);
  for (;;) {
    buffer.consume(skip_empty_lines(buffer.data()));
    if (find_head_end(buffer.data())) break;
    if (buffer.data().size() >= limits_.header_bytes) co_return Head::kTooLarge;
    if (!co_await connection_.fill(limits_.header_bytes)) {
      if (may_rest && connection_.timed_out()) {
        may_rest = false;
        work_.reset();
        if (!co_await connection_.rest(limits_.idle_timeout - kRestAfter)) co_return Head::kClosed;
        work_ = std::make_unique<Work>();
        continue;
      }
      if (buffer.data().size() >= limits_.header_bytes) co_return Head::kTooLarge;
      co_return connection_.timed_out() && !idle_ && !finishing_ ? Head::kTimedOut : Head::kClosed;
    }
    if (idle_) {
      idle_ = may_rest = false;
      if (!connection_.forget_timeout()) co_return Head::kClosed;
      connection_.set_timeout(limits_.header_timeout);
    }
  }
  connection_.clear_deadline();
  idle_ = false;
  co_return Head::kRead;
}

Task<bool> Session::serve_one() {
  RequestHead& head = work_->head;
  Request& request = work_->request;
  ReadBuffer& buffer = connection_.buffer();
  const std::size_t head_size = *find_head_end(buffer.data());
  if (head_size > limits_.header_bytes) {
    co_await refuse({ErrorKind::kHeadersTooLarge, "headers_too_large", "The header fields are too large.", {}, {}});
    co_return false;
  }
  Result<> parsed = parse_request_head(buffer.data().substr(0, head_size), head);
  // The body is to be read behind the head, which stays where it is meanwhile.
  if (parsed && buffer.make_room(head_size + room_for(head.framing, limits_.body_buffer))) {
    parsed = parse_request_head(buffer.data().substr(0, head_size), head);
  }
  if (!parsed) {
    co_await refuse(parsed.error());
    co_return false;
  }
  buffer.consume_pinned(head_size);

  ConnectionBody body(connection_, head.framing, head_size + limits_.body_buffer, limits_.body_idle_timeout,
                      head.expects_continue, limits_.least_body_rate);
  request.method = head.method;
  request.method_text = head.method_text;
  request.set_target(head.target);
  request.fields = head.fields;
  request.body = &body;
  request.peer = peer_;
  request.received_at = connection_.loop().coarse_now();
  request.deadline = SteadyTime::max();

  Response response = co_await server_.service_.serve(request);

  // What the handler left unread must be out of the way before the next request can be seen.
  bool keep_alive = head.keep_alive && !finishing_ && !body.failed();
  if (keep_alive && !body.complete()) {
    if (body.awaits_continue() || head.framing.length > limits_.drained_body_bytes) {
      keep_alive = false;
    } else {
      while (keep_alive && !body.complete()) {
        const Result<std::string_view> piece = co_await body.read();
        keep_alive = piece.has_value() && body.bytes_read() <= limits_.drained_body_bytes;
      }
    }
  }
  const bool body_complete = body.complete();
  std::optional<bool> sent = respond_now(response, keep_alive);
  if (!sent) sent = co_await finish_response(response);
  if (!*sent) co_return false;
  if (keep_alive && !finishing_) co_return true;
  if (!body_complete) co_await linger(kDroppedOfBody);
  co_return false;
}

std::optional<bool> Session::respond_now(Response& response, bool& keep_alive) {
  const RequestHead& head = work_->head;
  std::string& out = work_->out;
  auto& unsent = work_->unsent;
  const bool bodiless = has_no_body(response.status);
  const bool to_head = head.method == Method::kHead;
  std::optional<std::uint64_t> length = response.stream ? response.stream->size() : response.body.size();
  // To HEAD, no length is better than the length of the content that is left out.
  if (to_head && !response.stream && response.body.empty()) length = response.head_length;
  const bool chunked = !bodiless && !to_head && !length && !head.http_1_0;
  if (!bodiless && !to_head && !length && head.http_1_0) keep_alive = false;

  out.clear();
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n").append(response.headers.text());
  out.append("Date: ").append(date_now()).append("\r\n");
  if (!bodiless) {
    if (length) {
      out.append("Content-Length: ");
      append_number(out, *length);
      out.append("\r\n");
    } else if (chunked) {
      out.append("Transfer-Encoding: chunked\r\n");
    }
  }
  if (!keep_alive) {
    out.append("Connection: close\r\n");
  } else if (head.http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");

  unsent = {};
  if (response.stream && !bodiless && !to_head) {
    unsent.chunked = chunked;
    return std::nullopt;
  }
  response.stream.reset();
  if (bodiless || to_head) response.body.clear();
  std::array<iovec, 2> parts = {part(out), part(response.body)};
  const std::ptrdiff_t written = connection_.write_some_now(parts);
  const bool sent_all = written == static_cast<std::ptrdiff_t>(out.size() + response.body.size());
  if (!sent_all && written >= 0) {
    unsent.done = static_cast<std::size_t>(written);
    return std::nullopt;
  }
  if (response.on_sent) response.on_sent(response.body.size(), sent_all);
  return sent_all;
}

Task<bool> Session::finish_response(Response& response) {
  const std::string& out = work_->out;
  const auto& unsent = work_->unsent;
  bool sent_all = false;
  std::uint64_t sent = response.body.size();
  if (response.stream) {
    const MessageWriting how{.chunked = unsent.chunked, .timeout = limits_.write_timeout};
    std::optional<FileRun> run = connection_.sends_files() ? response.stream->as_file() : std::nullopt;
    const bool is_file = run && run->length > 0 && run->length == response.stream->size();
    // Of a file the kernel keeps no copy, only pages that are in its cache anyway.
    if (!is_file) connection_.keep_little_unsent();
    const WrittenMessage written = is_file
                                       ? co_await send_file(connection_, out, std::move(*run), *response.stream, how)
                                       : co_await write_message(connection_, out, *response.stream, how);
    if (is_file) server_.counters_.sent_file_bytes.fetch_add(written.content_bytes, std::memory_order_relaxed);
    sent_all = written.end == WrittenMessage::End::kComplete;
    sent = written.content_bytes;
  } else {
    std::array<iovec, 2> parts = {part(out), part(response.body)};
    connection_.set_write_timeout(limits_.write_timeout);
    sent_all = co_await connection_.write_rest(parts, unsent.done);
    connection_.clear_deadline();
  }
  if (response.on_sent) response.on_sent(sent, sent_all);
  co_return sent_all;
}

Task<bool> Session::respond(Response response, bool keep_alive) {
  const std::optional<bool> sent = respond_now(response, keep_alive);
  if (sent) co_return *sent;
  co_return co_await finish_response(response);
}

Task<> Session::refuse(Error error) {
  server_.counters_.malformed_requests.fetch_add(1, std::memory_order_relaxed);
  work_->head.method = Method::kOther;
  work_->head.http_1_0 = false;
  const std::string request_id = request_ids().next_request_id();
  log_info("malformed request",
           {{"role", server_.options_.role}, {"request_id", request_id}, {"peer", peer_}, {"code", error.code}});
  Response response = problem_response(error, request_id);
  response.headers.add("X-Request-Id", request_id);
  if (co_await respond(std::move(response), false)) co_await linger(kDroppedOfNonsense);
}

Task<> Session::linger(std::uint64_t most) {
  // A body that was interrupted, or came too slowly, ended by the connection's timeout.
  if (!connection_.forget_timeout()) co_return;
  connection_.shutdown_send();
  connection_.set_timeout(kLinger);
  std::uint64_t dropped = 0;
  while (dropped < most) {
    ReadBuffer& buffer = connection_.buffer();
    buffer.unpin();
    dropped += buffer.data().size();
    buffer.consume(buffer.data().size());
    if (!co_await connection_.fill(limits_.body_buffer)) break;
  }
}

}  // namespace parley::http
