#include "http/connection.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace parley::http {

namespace {
constexpr int kUnsentBytes = 256 * 1024;
}

std::string_view ReadBuffer::consume_pinned(std::size_t n) {
  CHECK(pinned_ == 0);
  const std::string_view bytes = data().substr(0, n);
  begin_ += n;
  pinned_ = begin_;
  return bytes;
}

std::span<char> ReadBuffer::room(std::size_t max_capacity) {
  if (begin_ == end_) begin_ = end_ = pinned_;
  if (end_ == capacity_ && begin_ > pinned_) {
    std::memmove(bytes_.get() + pinned_, bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_ - pinned_;
    begin_ = pinned_;
  }
  if (end_ == capacity_ && pinned_ == 0 && capacity_ < max_capacity) {
    reallocate(std::min(std::max(kInitialCapacity, capacity_ * 2), max_capacity));
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

bool ReadBuffer::make_room(std::size_t n) {
  CHECK(pinned_ == 0);
  if (capacity_ - begin_ >= n) return false;
  if (capacity_ < n) {
    reallocate(n);
  } else {
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return true;
}

void ReadBuffer::reallocate(std::size_t capacity) {
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (end_ > begin_) std::memcpy(bytes.get(), bytes_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void ReadBuffer::release_if_empty() {
  if (begin_ != end_ || pinned_ != 0) return;
  bytes_.reset();
  capacity_ = begin_ = end_ = 0;
}

Connection::Connection(EventLoop& loop, TcpSocket socket)
    : loop_(loop), socket_(std::move(socket)), deadline_(loop, [this] { expire(); }) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  socket_.native_non_blocking(true, ignored);
}

void Connection::expire() {
  if (write_timeout_.count() > 0) {
    const int left = unacknowledged();
    if (left != unacknowledged_) {
      unacknowledged_ = left;
      deadline_.arm(loop_.coarse_now() + write_timeout_);
      return;
    }
  }
  timed_out_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

int Connection::unacknowledged() const {
  int bytes = 0;
  ::ioctl(const_cast<TcpSocket&>(socket_).native_handle(), SIOCOUTQ, &bytes);
  return bytes;
}

void Connection::keep_little_unsent() {
  if (keeps_little_unsent_) return;
  keeps_little_unsent_ = true;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
}

Task<bool> Connection::accept_tls(asio::ssl::context& context) {
  tls_ = std::make_unique<TlsStream>(socket_, context);
  const auto [error] = co_await tls_->async_handshake(TlsStream::server, kAwait);
  co_return !error && !timed_out_;
}

Task<boost::system::error_code> Connection::connect_tls(asio::ssl::context& context, std::string host) {
  tls_ = std::make_unique<TlsStream>(socket_, context);
  tls_->set_verify_mode(asio::ssl::verify_peer);
  tls_->set_verify_callback(asio::ssl::host_name_verification(host));
  SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
  const auto [error] = co_await tls_->async_handshake(TlsStream::client, kAwait);
  co_return timed_out_ ? asio::error::timed_out : error;
}

Task<bool> Connection::fill(std::size_t max_buffer) {
  const std::span<char> room = buffer_.room(max_buffer);
  if (room.empty() || timed_out_) co_return false;
  const auto into = asio::buffer(room.data(), room.size());
  if (tls_) {
    const auto [error, n] = co_await tls_->async_read_some(into, kAwait);
    if (error || n == 0) co_return false;
    buffer_.commit(n);
  } else {
    const auto [error, n] = co_await socket_.async_read_some(into, kAwait);
    if (error || n == 0) co_return false;
    buffer_.commit(n);
  }
  co_return true;
}

std::ptrdiff_t Connection::write_some_now(std::span<iovec> parts, Then then) {
  if (tls_) return 0;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | (then == Then::kMore ? MSG_MORE : 0));
  if (n >= 0) return n;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

Connection::FromFile Connection::send_file_now(int fd, std::uint64_t offset, std::size_t length) {
  auto from = static_cast<off_t>(offset);
  const ssize_t n = ::sendfile(socket_.native_handle(), fd, &from, length);
  if (n < 0) return {0, errno};
  return {static_cast<std::size_t>(n), 0};
}

Task<bool> Connection::wait_writable() {
  if (timed_out_) co_return false;
  unacknowledged_ = unacknowledged();
  const auto [error] = co_await socket_.async_wait(TcpSocket::wait_write, kAwait);
  co_return !error && !timed_out_;
}

Task<bool> Connection::write(std::span<iovec> parts, Then then) {
  if (timed_out_) co_return false;
  const std::ptrdiff_t done = write_some_now(parts, then);
  if (done < 0) co_return false;
  co_return co_await write_rest(parts, static_cast<std::size_t>(done));
}

Task<bool> Connection::write_rest(std::span<iovec> parts, std::size_t done) {
  for (;;) {
    while (!parts.empty() && done >= parts.front().iov_len) {
      done -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (parts.empty()) co_return true;
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + done;
    parts.front().iov_len -= done;

    unacknowledged_ = unacknowledged();
    if (tls_) {
      std::vector<asio::const_buffer> buffers;
      for (const iovec& p : parts) buffers.emplace_back(p.iov_base, p.iov_len);
      const auto [error, n] = co_await asio::async_write(*tls_, buffers, kAwait);
      co_return !error;
    }
    const auto [error] = co_await socket_.async_wait(TcpSocket::wait_write, kAwait);
    if (error || timed_out_) co_return false;
    const std::ptrdiff_t n = write_some_now(parts);
    if (n < 0) co_return false;
    done = static_cast<std::size_t>(n);
  }
}

Task<bool> Connection::rest(std::chrono::milliseconds timeout) {
  if (!forget_timeout()) co_return false;
  buffer_.release_if_empty();
  set_timeout(timeout);
  const auto [error] = co_await socket_.async_wait(TcpSocket::wait_read, kAwait);
  co_return !error && !timed_out_;
}

bool Connection::forget_timeout() {
  timed_out_ = !socket_.is_open();
  return !timed_out_;
}

void Connection::abort() {
  timed_out_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  socket_.close(ignored);
}

void Connection::shutdown_send() {
  boost::system::error_code ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

bool Connection::has_tls_input() {
  const std::span<char> room = buffer_.room(ReadBuffer::kInitialCapacity);
  if (!buffer_.data().empty() || room.empty()) return true;
  boost::system::error_code error;
  // The socket does not block.
  const std::size_t n = tls_->read_some(asio::buffer(room.data(), room.size()), error);
  buffer_.commit(n);
  return n > 0 || (error != asio::error::would_block && error != asio::error::try_again);
}

bool Connection::is_stale() {
  if (tls_) return has_tls_input();
  char byte;
  const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace parley::http
