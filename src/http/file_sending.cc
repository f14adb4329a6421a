#include "http/file_sending.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace parley::http {

namespace {

constexpr std::uint64_t kPieceBytes = 2 << 20;
// The disk is asked for what comes next while the network takes what is there.
constexpr std::uint64_t kAheadBytes = 8 << 20;

bool has_byte_in_memory(int fd, std::uint64_t at) {
  char byte;
  const iovec into{&byte, 1};
  return ::preadv2(fd, &into, 1, static_cast<off_t>(at), RWF_NOWAIT) >= 0;
}

// Its first and its last page: what is read ahead comes in order.
bool is_in_memory(int fd, std::uint64_t at, std::uint64_t length) {
  return has_byte_in_memory(fd, at) && has_byte_in_memory(fd, at + length - 1);
}

// sendfile(2) reads like read(2): where the page cache has nothing it waits for the disk, and all that lives on this
// loop waits with it. So the kernel is asked some MiB ahead, which does not wait; and a piece that is not in memory all
// the same, at the start or from a disk slower than the network, is fetched on another thread.
class ReadAhead {
 public:
  explicit ReadAhead(const FileRun& run) : run_(run), asked_(run.offset) {}

  void ask(std::uint64_t at) {
    const std::uint64_t end = run_.offset + run_.length;
    if (asked_ == end || at + kAheadBytes / 2 < asked_) return;
    const std::uint64_t until = std::min(at + kAheadBytes, end);
    ::posix_fadvise(run_.fd, static_cast<off_t>(asked_), static_cast<off_t>(until - asked_), POSIX_FADV_WILLNEED);
    asked_ = until;
  }

 private:
  const FileRun& run_;
  std::uint64_t asked_;  // the kernel knows of all before this
};

// Not of a kind to send from: a file system without splice(2), or no regular file.
bool cannot_be_sent_from(int error) {
  return error == EINVAL || error == ENOSYS || error == ESPIPE || error == EOPNOTSUPP;
}

struct SentPiece {
  std::uint64_t bytes = 0;
  int error = 0;  // of sendfile(2); 0: none
  bool ended = false;
};

// All of `length` bytes, unless something is in the way.
Task<SentPiece> send_piece(Connection& connection, int fd, std::uint64_t at, std::uint64_t length,
                           std::chrono::milliseconds timeout) {
  SentPiece sent;
  while (sent.bytes < length) {
    const Connection::FromFile some = connection.send_file_now(fd, at + sent.bytes, length - sent.bytes);
    sent.bytes += some.bytes;
    if (some.error == EAGAIN) {
      connection.set_write_timeout(timeout);
      const bool writable = co_await connection.wait_writable();
      connection.clear_deadline();
      if (!writable) sent.error = ETIMEDOUT;
    } else if (some.error != EINTR) {
      sent.error = some.error;
      sent.ended = some.bytes == 0 && some.error == 0;
    }
    if (sent.error != 0 || sent.ended) break;
  }
  co_return sent;
}

}  // namespace

Task<WrittenMessage> send_file(Connection& connection, std::string_view head, FileRun run, Body& body,
                               MessageWriting how) {
  using End = WrittenMessage::End;
  WrittenMessage written;
  const auto ended = [&written](End end) {
    written.end = end;
    return std::move(written);
  };
  std::array<iovec, 1> parts = {part(head)};
  connection.set_write_timeout(how.timeout);
  const bool head_taken = co_await connection.write(parts, Connection::Then::kMore);
  connection.clear_deadline();
  if (!head_taken) co_return ended(End::kPeerGone);

  ReadAhead ahead(run);
  Turns turns(connection.loop());
  while (written.content_bytes < run.length) {
    const std::uint64_t at = run.offset + written.content_bytes;
    const std::uint64_t length = std::min(kPieceBytes, run.length - written.content_bytes);
    ahead.ask(at);
    if (run.fetch && !is_in_memory(run.fd, at, length)) {
      if (const Result<> fetched = co_await run.fetch(at, length); !fetched) {
        written.error = fetched.error();
        co_return ended(End::kBodyFailed);
      }
    }
    const SentPiece sent = co_await send_piece(connection, run.fd, at, length, how.timeout);
    written.content_bytes += sent.bytes;
    if (cannot_be_sent_from(sent.error) && written.content_bytes == 0) {
      co_return co_await write_message(connection, {}, body, how);
    }
    if (sent.ended || sent.error == EIO) co_return ended(End::kBodyFailed);
    if (sent.error != 0) co_return ended(End::kPeerGone);
    if (turns.is_over(sent.bytes)) co_await turns.next();
  }
  co_return ended(End::kComplete);
}

}  // namespace parley::http
