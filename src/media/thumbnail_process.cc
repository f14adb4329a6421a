#include "media/thumbnail_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "base/unique_fd.h"

namespace parley::media {

namespace {

using Clock = std::chrono::steady_clock;

// All that the child's environment holds. libvips looks for modules, of which it must load none, below VIPSHOME.
constexpr std::array<const char*, 5> kEnvironment = {"LC_ALL=C", "VIPSHOME=/nonexistent", "VIPS_CONCURRENCY=1",
                                                     "MALLOC_ARENA_MAX=1", nullptr};
constexpr int kFirstFree = kAnswerDescriptor + 1;

// What posix_spawn() is told, freed with the object.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // The two descriptors are above those that the child gets them as.
  bool prepare(int picture, int answer) {
    for (const int standard : {0, 1, 2}) {
      if (::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", O_RDWR, 0) != 0) return false;
    }
    if (::posix_spawn_file_actions_adddup2(&actions_, picture, kPictureDescriptor) != 0 ||
        ::posix_spawn_file_actions_adddup2(&actions_, answer, kAnswerDescriptor) != 0 ||
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, kFirstFree) != 0) {
      return false;
    }
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    // A group of its own: Ctrl-C at the terminal is the server's to handle.
    return ::posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
           ::posix_spawnattr_setsigdefault(&attributes_, &all) == 0 &&
           ::posix_spawnattr_setpgroup(&attributes_, 0) == 0 &&
           ::posix_spawnattr_setflags(&attributes_,
                                      POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0;
  }
  std::optional<pid_t> spawn(const std::vector<std::string>& command) const {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, command.front().c_str(), &actions_, &attributes_, arguments.data(),
                                     const_cast<char* const*>(kEnvironment.data()));
    return failed == 0 ? std::optional(child) : std::nullopt;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

UniqueFd above_standard(int fd) {
  return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree));
}

enum class End : std::uint8_t { kOfAnswer, kTooLong, kTimeout, kStopped };

// Reads until the child has closed its end.
End read_answer(int from, int stop, Clock::time_point until, std::size_t most_bytes, std::string& answer) {
  std::array<char, 64 * 1024> piece;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return End::kTimeout;
    std::array<pollfd, 2> waiting{{{.fd = from, .events = POLLIN}, {.fd = stop, .events = POLLIN}}};
    const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return End::kTimeout;
    if (ready <= 0) continue;
    if (waiting[1].revents != 0) return End::kStopped;
    if (waiting[0].revents == 0) continue;
    const ssize_t length = ::read(from, piece.data(), piece.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return End::kOfAnswer;
    answer.append(piece.data(), static_cast<std::size_t>(length));
    if (answer.size() > most_bytes) return End::kTooLong;
  }
}

// Waits a moment for a child that has closed its answer; then, and whatever else happened, it is killed. Its number is
// its own until it has been waited for.
int end_of(pid_t child, bool closed, Clock::time_point until) {
  int status = 0;
  while (closed && Clock::now() < until) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return -1;
    ::poll(nullptr, 0, 1);
  }
  ::kill(child, SIGKILL);
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

ThumbnailOutcome outcome_of(End end, int status) {
  if (end == End::kStopped) return ThumbnailOutcome::kStopped;
  if (end == End::kTimeout) return ThumbnailOutcome::kTimeout;
  if (end == End::kTooLong || status == -1) return ThumbnailOutcome::kCrashed;
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGXCPU ? ThumbnailOutcome::kTimeout : ThumbnailOutcome::kCrashed;
  }
  switch (static_cast<ThumbnailExit>(WEXITSTATUS(status))) {
    case ThumbnailExit::kMade:
      return ThumbnailOutcome::kMade;
    case ThumbnailExit::kUnsupported:
      return ThumbnailOutcome::kUnsupported;
    case ThumbnailExit::kTooManyPixels:
      return ThumbnailOutcome::kTooManyPixels;
    case ThumbnailExit::kBroken:
      return ThumbnailOutcome::kBroken;
    case ThumbnailExit::kNoLibrary:
      return ThumbnailOutcome::kNoLibrary;
    case ThumbnailExit::kNotConfined:
    case ThumbnailExit::kWrongUse:
      return ThumbnailOutcome::kNotStarted;
    case ThumbnailExit::kNotWritten:
      break;
  }
  return ThumbnailOutcome::kCrashed;
}

}  // namespace

std::string_view to_string(ThumbnailOutcome outcome) {
  switch (outcome) {
    case ThumbnailOutcome::kMade:
      return "made";
    case ThumbnailOutcome::kUnsupported:
      return "unsupported";
    case ThumbnailOutcome::kTooManyPixels:
      return "too_many_pixels";
    case ThumbnailOutcome::kBroken:
      return "broken";
    case ThumbnailOutcome::kTimeout:
      return "timeout";
    case ThumbnailOutcome::kCrashed:
      return "crashed";
    case ThumbnailOutcome::kNoLibrary:
      return "no_library";
    case ThumbnailOutcome::kNotStarted:
      return "not_started";
    case ThumbnailOutcome::kStopped:
      break;
  }
  return "stopped";
}

ThumbnailAnswer run_thumbnail_program(const ThumbnailProgram& program, int picture, int stop) {
  ThumbnailAnswer answer;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return answer;
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const UniqueFd given_picture = above_standard(picture);
  UniqueFd given_answer = above_standard(write_end.get());
  SpawnPlan plan;
  if (!given_picture || !given_answer || !plan.prepare(given_picture.get(), given_answer.get())) return answer;
  const auto until = Clock::now() + program.time;
  const auto child = plan.spawn(program.command);
  if (!child) return answer;
  {
    const UniqueFd ours(std::move(write_end)), and_its_copy(std::move(given_answer));
  }  // so that the end is seen
  std::string frames;
  const End end = read_answer(read_end.get(), stop, until, program.most_bytes, frames);
  answer.outcome = outcome_of(end, end_of(*child, end == End::kOfAnswer, until));
  const bool made = answer.outcome == ThumbnailOutcome::kMade;
  auto said = parse_frames(frames, !made);
  if (made && (!said || !said->image)) answer.outcome = ThumbnailOutcome::kCrashed;
  if (said) answer.picture = std::move(*said);
  if (answer.outcome != ThumbnailOutcome::kMade) answer.picture.thumbnails.clear();
  return answer;
}

}  // namespace parley::media
