#include "http/body_framing.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

namespace parley::http {

namespace {
std::unexpected<Error> ended_early() {
  return fail(ErrorKind::kInvalid, "bad_request", "The body ended before its end.");
}
}  // namespace

ConnectionBody::ConnectionBody(Connection& connection, Framing framing, std::size_t max_buffer,
                               std::chrono::milliseconds idle_timeout, bool expects_continue, std::uint32_t least_rate)
    : connection_(connection),
      framing_(framing),
      max_buffer_(max_buffer),
      idle_timeout_(idle_timeout),
      remaining_(framing.length),
      expects_continue_(expects_continue),
      least_rate_(least_rate) {}

std::optional<std::uint64_t> ConnectionBody::size() const {
  if (framing_.kind == Framing::Kind::kNone) return 0;
  if (framing_.kind == Framing::Kind::kLength) return framing_.length;
  return std::nullopt;
}

bool ConnectionBody::complete() const {
  switch (framing_.kind) {
    case Framing::Kind::kNone:
      return true;
    case Framing::Kind::kLength:
      return remaining_ == 0;
    case Framing::Kind::kChunked:
      return chunks_.done();
    case Framing::Kind::kUntilClose:
      return ended_;
  }
  return false;
}

std::chrono::milliseconds ConnectionBody::patience() const {
  using std::chrono::milliseconds;
  if (least_rate_ == 0) return idle_timeout_;
  const milliseconds earned(bytes_read_ * 1000 / least_rate_);
  const auto left = std::chrono::duration_cast<milliseconds>(idle_timeout_ + earned - waited_);
  return std::clamp(left, milliseconds(0), idle_timeout_);
}

Result<std::string_view> ConnectionBody::take_buffered() {
  if (complete()) return std::string_view();
  std::string_view data = connection_.buffer().data();
  if (data.empty()) return data;
  std::string_view piece;
  if (framing_.kind == Framing::Kind::kChunked) {
    std::string_view rest = data;
    const Result<std::string_view> decoded = chunks_.decode(rest);
    if (!decoded) {
      failed_ = true;
      return decoded;
    }
    connection_.buffer().consume(data.size() - rest.size());
    piece = *decoded;
  } else {
    piece = framing_.kind == Framing::Kind::kLength
                ? data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, data.size())))
                : data;
    if (framing_.kind == Framing::Kind::kLength) remaining_ -= piece.size();
    connection_.buffer().consume(piece.size());
  }
  bytes_read_ += piece.size();
  return piece;
}

Task<Result<std::string_view>> ConnectionBody::read() {
  if (failed_) co_return ended_early();
  for (;;) {
    const Result<std::string_view> piece = take_buffered();
    if (!piece || !piece->empty() || complete()) co_return piece;
    if (expects_continue_) {
      expects_continue_ = false;
      iovec part_of_one = part("HTTP/1.1 100 Continue\r\n\r\n");
      connection_.set_timeout(idle_timeout_);
      if (!co_await connection_.write({&part_of_one, 1})) {
        failed_ = true;
        co_return fail(ErrorKind::kInvalid, "bad_request", "The connection was lost before the body.");
      }
    }
    const SteadyTime began = connection_.loop().coarse_now();
    connection_.set_timeout(patience());
    waiting_ = true;
    const bool more = co_await connection_.fill(max_buffer_);
    waiting_ = false;
    connection_.clear_deadline();
    waited_ += connection_.loop().coarse_now() - began;
    if (more && !failed_) continue;
    if (framing_.kind == Framing::Kind::kUntilClose && !connection_.timed_out()) {
      ended_ = true;
      co_return std::string_view();
    }
    failed_ = true;
    if (connection_.timed_out())
      co_return fail(ErrorKind::kRequestTimeout, "request_timeout", "The body came too slowly.");
    co_return ended_early();
  }
}

void ConnectionBody::interrupt() {
  if (complete()) return;
  failed_ = true;
  if (waiting_) connection_.set_deadline(SteadyTime::min());
}

Task<> Turns::next() {
  moved_ = 0;
  co_await asio::post(loop_.executor(), kAwait);
}

Task<WrittenMessage> write_message(Connection& connection, std::string_view head, Body& body, MessageWriting how) {
  using End = WrittenMessage::End;
  WrittenMessage written;
  const auto ended = [&written](End end) {
    written.end = end;
    return std::move(written);
  };
  const std::optional<std::uint64_t> size = how.chunked ? std::nullopt : body.size();
  std::string chunk_head;
  Turns turns(connection.loop());
  for (bool first = true, last = false; !last; first = false) {
    const Result<std::string_view> piece = co_await body.read();
    if (!piece) {
      written.error = piece.error();
      co_return ended(End::kBodyFailed);
    }
    last = piece->empty();
    if (size && written.content_bytes + piece->size() > *size) co_return ended(End::kBodyFailed);
    if (how.until_answered && !first && !last && connection.is_stale()) co_return ended(End::kPeerAnswered);
    std::array<iovec, 4> parts;
    std::size_t n = 0;
    if (first) parts[n++] = part(head);
    if (!last) {
      if (how.chunked) {
        chunk_head.clear();
        append_chunk_size(chunk_head, piece->size());
        parts[n++] = part(chunk_head);
      }
      parts[n++] = part(*piece);
      if (how.chunked) parts[n++] = part(kChunkEnd);
    } else if (how.chunked) {
      parts[n++] = part(kLastChunk);
    }
    written.content_bytes += piece->size();
    if (n > 0) {
      connection.set_write_timeout(how.timeout);
      const bool taken = co_await connection.write({parts.data(), n});
      connection.clear_deadline();
      if (!taken) co_return ended(End::kPeerGone);
      if (turns.is_over(piece->size())) co_await turns.next();
    }
    // A sized body that is all written needs no further read: saves a turn for the common single piece.
    if (size && written.content_bytes == *size) last = true;
  }
  co_return ended(size && written.content_bytes != *size ? End::kBodyFailed : End::kComplete);
}

}  // namespace parley::http
