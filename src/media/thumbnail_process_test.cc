#include "media/thumbnail_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "base/unique_fd.h"

namespace parley::media {
namespace {

// A child that is a shell script; "$0" is where it may leave something.
ThumbnailProgram script(const std::string& text) {
  return {.command = {"/bin/sh", "-c", text}};
}

class ThumbnailProcess : public ::testing::Test {
 protected:
  ThumbnailAnswer run(const ThumbnailProgram& program) {
    return run_thumbnail_program(program, picture_.get(), stop_.get());
  }
  ThumbnailOutcome outcome(const std::string& text) { return run(script(text)).outcome; }

  static UniqueFd memory(std::string_view bytes) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
  }
  UniqueFd picture_ = memory("the picture");
  UniqueFd stop_{::eventfd(0, EFD_CLOEXEC)};
};

// In octal, as printf(1) of any shell takes it.
constexpr const char* kThreeByTwo = R"sh(printf '\0\010\0\0\0\003\0\0\0\002\0\0\0' >&4; )sh";
constexpr const char* kSmall = R"sh(printf '\001\016\0\0\0RIFF\006\0\0\0WEBPxx' >&4; )sh";

TEST_F(ThumbnailProcess, WhatTheChildSaysIsTaken) {
  const auto answer = run(script(std::string(kThreeByTwo) + kSmall));
  EXPECT_EQ(answer.outcome, ThumbnailOutcome::kMade);
  EXPECT_EQ(answer.picture.image, (ImageSize{3, 2}));
  ASSERT_EQ(answer.picture.thumbnails.size(), 1u);
  EXPECT_EQ(answer.picture.thumbnails.front().second, std::string_view("RIFF\6\0\0\0WEBPxx", 14));
}

TEST_F(ThumbnailProcess, TheChildReadsThePicture) {
  const std::string wants = std::string(R"sh([ "$(cat <&3)" = "the picture" ] || exit 9; )sh") + kThreeByTwo;
  EXPECT_EQ(outcome(wants), ThumbnailOutcome::kMade);
}

TEST_F(ThumbnailProcess, TheChildHasNoEnvironmentOfOursAndNoOtherDescriptor) {
  ::setenv("A_SECRET", "of the server", 1);
  const UniqueFd open_without_cloexec(::open("/dev/null", O_RDONLY));
  const std::string checks =
      std::string(R"sh([ -z "$A_SECRET" ] || exit 9; )sh") +
      R"sh(for fd in /proc/self/fd/*; do case ${fd##*/} in 0|1|2|3|4) ;; *) [ -e "$fd" ] && exit 9;; esac; done; )sh" +
      R"sh([ "$(readlink /proc/$$/fd/0)$(readlink /proc/$$/fd/2)" = /dev/null/dev/null ] || exit 9; )sh" + kThreeByTwo;
  EXPECT_EQ(outcome(checks), ThumbnailOutcome::kMade);
  ::unsetenv("A_SECRET");
}

TEST_F(ThumbnailProcess, ASignalThatTheServerBlocksOrPassesOverIsNotBlockedInTheChild) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &term, &before);
  EXPECT_EQ(outcome("kill -TERM $$; sleep 60"), ThumbnailOutcome::kCrashed);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(ThumbnailProcess, EachWayToFailHasItsName) {
  EXPECT_EQ(outcome("exit 10"), ThumbnailOutcome::kUnsupported);
  EXPECT_EQ(outcome("exit 11"), ThumbnailOutcome::kTooManyPixels);
  EXPECT_EQ(outcome("exit 12"), ThumbnailOutcome::kBroken);
  EXPECT_EQ(outcome("exit 13"), ThumbnailOutcome::kNoLibrary);
  EXPECT_EQ(outcome("exit 14"), ThumbnailOutcome::kNotStarted);
  EXPECT_EQ(outcome("exit 2"), ThumbnailOutcome::kNotStarted);
  EXPECT_EQ(outcome("exit 77"), ThumbnailOutcome::kCrashed);
  EXPECT_EQ(outcome("kill -SEGV $$"), ThumbnailOutcome::kCrashed);
  EXPECT_EQ(outcome("kill -XCPU $$"), ThumbnailOutcome::kTimeout);
  EXPECT_EQ(outcome("exit 0"), ThumbnailOutcome::kCrashed) << "it has said nothing";
  EXPECT_EQ(outcome("echo nonsense >&4"), ThumbnailOutcome::kCrashed);
  EXPECT_EQ(run({.command = {"/nonexistent/program"}}).outcome, ThumbnailOutcome::kNotStarted);
}

TEST_F(ThumbnailProcess, TheSizeOfAPictureThatFailedIsKeptAndItsThumbnailsAreNot) {
  const auto answer = run(script(std::string(kThreeByTwo) + kSmall + "exit 12"));
  EXPECT_EQ(answer.outcome, ThumbnailOutcome::kBroken);
  EXPECT_EQ(answer.picture.image, (ImageSize{3, 2}));
  EXPECT_TRUE(answer.picture.thumbnails.empty());
}

TEST_F(ThumbnailProcess, AChildThatHangsIsKilledInTime) {
  ThumbnailProgram hanging = script("sleep 60");
  hanging.time = std::chrono::milliseconds(100);
  EXPECT_EQ(run(hanging).outcome, ThumbnailOutcome::kTimeout);
  hanging.command.back() = "exec 4>&-; trap '' TERM; sleep 60";
  EXPECT_EQ(run(hanging).outcome, ThumbnailOutcome::kCrashed) << "it has closed its answer and does not end";
}

TEST_F(ThumbnailProcess, AChildThatDoesNotStopTalkingIsKilled) {
  ThumbnailProgram talking = script("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done >&4");
  talking.most_bytes = 100'000;
  EXPECT_EQ(run(talking).outcome, ThumbnailOutcome::kCrashed);
}

TEST_F(ThumbnailProcess, WhoeverAskedMayStopIt) {
  std::thread stopper([this] {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  });
  EXPECT_EQ(outcome("sleep 60"), ThumbnailOutcome::kStopped);
  stopper.join();
}

TEST_F(ThumbnailProcess, NothingIsLeftOpenAndNobodyUnburied) {
  const auto open_now = [] {
    int count = 0;
    for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
  };
  const int before = open_now();
  for (const char* text : {"exit 12", "kill -SEGV $$", "exit 0"}) outcome(text);
  run({.command = {"/nonexistent/program"}});
  EXPECT_EQ(open_now(), before);
}

}  // namespace
}  // namespace parley::media
