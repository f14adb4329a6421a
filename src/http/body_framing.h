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
  void interrupt() override;

  // All of it was read: the connection stands before the next message.
  bool complete() const;
  bool failed() const { return failed_; }
  // The client still waits for "100 Continue": it has sent no body.
  bool awaits_continue() const override { return expects_continue_; }
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
  bool waiting_ = false;
  bool ended_ = false;  // of kUntilClose
  std::uint64_t bytes_read_ = 0;
  const std::uint32_t least_rate_;
  SteadyTime::duration waited_{};  // for the peer, not for whoever reads
};

// Takes care that no long body keeps a loop to itself: what is always ready, on either side, would never let others
// come.
class Turns {
 public:
  explicit Turns(EventLoop& loop) : loop_(loop) {}
  // After `bytes` more: whether others should have their turn, by co_await next().
  bool is_over(std::uint64_t bytes) { return (moved_ += bytes) >= kBytes; }
  Task<> next();

 private:
  static constexpr std::uint64_t kBytes = 2 << 20;
  EventLoop& loop_;
  std::uint64_t moved_ = 0;
};

// How a message is written, and how that ended.
struct MessageWriting {
  bool chunked = false;
  std::chrono::milliseconds timeout{30'000};  // for the peer to take the next piece
  bool until_answered = false;                // give up when the peer says something before it has all
};
struct WrittenMessage {
  enum class End : std::uint8_t {
    kComplete,
    kPeerGone,      // or it takes too long
    kPeerAnswered,  // until_answered
    kBodyFailed,    // `error` says how; or a sized body is not as long as it said
  };
  End end = End::kComplete;
  std::uint64_t content_bytes = 0;
  std::optional<Error> error;
};

// Writes `head` (complete, with its empty line) and then `body`. Unless it ends complete the connection is unusable
// for another message.
Task<WrittenMessage> write_message(Connection& connection, std::string_view head, Body& body, MessageWriting how);

}  // namespace parley::http
