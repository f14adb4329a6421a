#include "telemetry/log_output.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace parley::log_detail {
namespace {

constexpr int kPatienceMs = 1000;
// A pipe that polls writable takes at least this much (PIPE_BUF) without blocking.
constexpr std::size_t kPiece = 4096;

bool is_regular_file() {
  struct stat status;
  return fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

bool wait_until_writable() {
  pollfd waiter{STDOUT_FILENO, POLLOUT, 0};
  int ready;
  do {
    ready = poll(&waiter, 1, kPatienceMs);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && (waiter.revents & POLLOUT) != 0;
}

}  // namespace

std::size_t write_to_stdout(std::string_view lines) {
  const bool may_block = !is_regular_file();
  std::size_t taken = 0;
  while (taken < lines.size()) {
    if (may_block && !wait_until_writable()) break;
    const std::size_t rest = lines.size() - taken;
    const ssize_t n = write(STDOUT_FILENO, lines.data() + taken, may_block ? std::min(kPiece, rest) : rest);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) break;
    taken += static_cast<std::size_t>(n);
  }
  return taken;
}

}  // namespace parley::log_detail
