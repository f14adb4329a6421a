// Bodies over a Connection, in both directions.
#pragma once
#include "http/chunked.h"
#include "http/connection.h"
#include "http/head.h"

namespace parley::http {

// The body that follows a head on a connection: decodes the framing, reads ahead no more than `max_buffer` bytes.
class ConnectionBody final : public Body {
 public:
  // `idle_timeout`: the longest wait for the next byte. `expects_continue`: answer "100 Continue" before the first
  // wait. `least_rate`: bytes per second that must come on average, after a first idle_timeout; 0: no matter how few.
  ConnectionBody(Connection& connection, Framing framing, std::size_t max_buffer,
                 std::chrono::milliseconds idle_timeout, bool expects_continue = false, std::uint32_t least_rate = 0);

  // Errors: kInvalid bad_request (the peer closed too early, bad chunks); kRequestTimeout request_timeout (too slow).
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const override;
  SteadyTime::duration waited() const override { return waited_; }

  // All of it was read: the connection stands before the next message.
  bool complete() const;
  bool failed() const { return failed_; }
  // The client still waits for "100 Continue": it has sent no body.
  bool awaits_continue() const { return expects_continue_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

  // Takes what is already buffered, without waiting; empty when there is nothing. For small answers that came in one
  // read.
  Result<std::string_view> take_buffered();

 private:
  // How long to wait for the next byte.
  std::chrono::milliseconds patience() const;

  Connection& connection_;
  const Framing framing_;
  const std::size_t max_buffer_;
  const std::chrono::milliseconds idle_timeout_;
  std::uint64_t remaining_;
  ChunkedDecoder chunks_;
  bool expects_continue_;
  bool failed_ = false;
  bool ended_ = false;  // of kUntilClose
  std::uint64_t bytes_read_ = 0;
  const std::uint32_t least_rate_;
  SteadyTime::duration waited_{};  // for the peer, not for whoever reads
};

// Writes `head` (complete, with its empty line) and then `body` in the framing that `chunked` says. Ends early, with
// false, when the peer is gone, the body fails, or a sized body is not as long as it said: then the connection is
// unusable. `sent` counts content bytes.
Task<bool> write_message(Connection& connection, std::string_view head, Body& body, bool chunked,
                         std::chrono::milliseconds write_timeout, std::uint64_t& sent);

}  // namespace parley::http
