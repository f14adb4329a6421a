// Connection: one TCP connection, plain or TLS, with its read buffer and its one deadline. The server's sessions and
// the client's pools are built on it. Lives on one loop; not movable.
#pragma once
#include <sys/uio.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <span>
#include <string_view>

#include "base/event_loop.h"
#include "http/message.h"

namespace parley::http {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, LoopExecutor>;
using TlsStream = asio::ssl::stream<TcpSocket&>;

// Bytes read and not yet used, in front of them bytes that are pinned: views into those stay valid while more is read
// (a request's head, while its body streams through the rest of the buffer).
class ReadBuffer {
 public:
  static constexpr std::size_t kInitialCapacity = 8 * 1024;

  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t n) { begin_ += n; }
  // Consumes `n` bytes and keeps them in place until unpin(); the view of them stays valid that long.
  std::string_view consume_pinned(std::size_t n);
  void unpin() { pinned_ = 0; }
  // Room to read into, at least one byte. Moves unused data to the front of what is not pinned. Grows (only while
  // nothing is pinned) up to `max_capacity`; empty when full.
  std::span<char> room(std::size_t max_capacity);
  void commit(std::size_t n) { end_ += n; }
  // Makes sure that `n` bytes, those unused included, fit without moving any; only while nothing is pinned. True when
  // it moved what there is: views into it end.
  bool make_room(std::size_t n);
  // Drops the memory when it holds nothing: an idle connection keeps no buffer.
  void release_if_empty();

 private:
  void reallocate(std::size_t capacity);

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0, pinned_ = 0, begin_ = 0, end_ = 0;
};

class Connection {
 public:
  Connection(EventLoop& loop, TcpSocket socket);

  EventLoop& loop() { return loop_; }
  TcpSocket& socket() { return socket_; }
  ReadBuffer& buffer() { return buffer_; }

  // TLS handshakes, bounded by the deadline; accepting answers false when it failed.
  Task<bool> accept_tls(asio::ssl::context& context);
  // Verifies the peer against `context`'s authorities and `host`. Answers what went wrong, if anything.
  Task<boost::system::error_code> connect_tls(asio::ssl::context& context, std::string host);

  // Reads at least one byte into the buffer. False at the end, on an error, when the deadline passes, or when the
  // buffer holds max_buffer bytes already.
  Task<bool> fill(std::size_t max_buffer);
  // kMore: something follows at once, so a packet need not go out half full.
  enum class Then : std::uint8_t { kNothing, kMore };
  // Writes all of `parts` (their iovecs are used up). False when the peer is gone or the deadline passed.
  Task<bool> write(std::span<iovec> parts, Then then = Then::kNothing);
  // The short way, without a coroutine: writes what the kernel takes at once and answers how much, or -1 when the
  // connection is broken. Over TLS it takes nothing. What is left goes to write_rest().
  std::ptrdiff_t write_some_now(std::span<iovec> parts, Then then = Then::kNothing);
  // Writes `parts` but for their first `done` bytes.
  Task<bool> write_rest(std::span<iovec> parts, std::size_t done);
  // Waits until the kernel takes more. False when the deadline passed.
  Task<bool> wait_writable();

  // Whether send_file_now() can be used: over TLS the bytes have to pass through this process.
  bool sends_files() const { return !tls_; }
  // What the kernel takes at once of a file (sendfile(2)): some bytes, or an errno (EAGAIN: wait_writable() first), or
  // neither: the file ends there. sendfile(2) has no MSG_NOSIGNAL: the process must ignore SIGPIPE.
  struct FromFile {
    std::size_t bytes = 0;
    int error = 0;
  };
  FromFile send_file_now(int fd, std::uint64_t offset, std::size_t length);
  // The kernel is to keep little that it has not sent: what is written to a slow reader then goes out at its pace, not
  // in lumps of megabytes, and so does what is read for it from elsewhere. For long answers.
  void keep_little_unsent();

  // At that time what waits here is cancelled and every later operation fails; timed_out() says so.
  void set_deadline(SteadyTime at) {
    write_timeout_ = {};
    deadline_.arm(at);
  }
  void set_timeout(std::chrono::milliseconds after) { set_deadline(loop_.coarse_now() + after); }
  // For writing: how long the peer may take nothing at all. That the kernel takes nothing more from here is no sign of
  // it: with a slow peer it does so only once a good part of what it has is gone.
  void set_write_timeout(std::chrono::milliseconds after) {
    set_timeout(after);
    write_timeout_ = after;
  }
  void clear_deadline() {
    write_timeout_ = {};
    deadline_.disarm();
  }
  bool timed_out() const { return timed_out_; }

  // Waits without a buffer until there is something to read (or the end), after a timeout as well as at any time: that
  // one is forgotten. False when this one passes too, or on abort().
  Task<bool> rest(std::chrono::milliseconds timeout);
  // The deadline passed, but just too late: what it was for has come. False after abort().
  bool forget_timeout();

  // Cancels what waits and closes the socket. The Connection stays valid until destroyed.
  void abort();
  // Tells the peer that nothing more comes.
  void shutdown_send();
  // True when the peer closed, or sent something unasked, while the connection was idle. One system call. Over TLS what
  // was sent may come into the buffer; what TLS says for itself (session tickets, after the handshake) is nothing.
  bool is_stale();

 private:
  bool has_tls_input();
  void expire();
  // Bytes that the peer's kernel has not taken yet.
  int unacknowledged() const;

  EventLoop& loop_;
  TcpSocket socket_;
  std::unique_ptr<TlsStream> tls_;
  ReadBuffer buffer_;
  bool timed_out_ = false;
  bool keeps_little_unsent_ = false;
  std::chrono::milliseconds write_timeout_{};  // 0: the deadline is not one for writing
  int unacknowledged_ = 0;                     // when the wait began, or was last prolonged
  Deadline deadline_;
};

inline iovec part(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace parley::http
