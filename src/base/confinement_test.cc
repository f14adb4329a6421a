#include "base/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace parley {
namespace {

class Confinement : public ::testing::Test {
 protected:
  Confinement() { EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC), 0); }
  ~Confinement() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  // What a confined child answers.
  template <class Act>
  static int in_child(Act act) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(confine_this_process() ? act() : 100);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // The errno of what failed; 0: it did not.
  static int failing(long answer) { return answer == -1 ? errno : 0; }
  int pipe_[2] = {-1, -1};
};

TEST_F(Confinement, WhatIsOpenStaysUsable) {
  EXPECT_EQ(in_child([this] {
              char byte = 'x';
              const bool passed = ::write(pipe_[1], &byte, 1) == 1 && ::read(pipe_[0], &byte, 1) == 1;
              return passed && ::fcntl(pipe_[0], F_GETFL) != -1 && ::fcntl(pipe_[0], F_DUPFD, 0) != -1 ? 0 : 1;
            }),
            0);
}

TEST_F(Confinement, NothingIsOpenedAndNobodyIsSignalled) {
  EXPECT_EQ(in_child([] { return failing(::open("/dev/null", O_RDONLY)); }), EPERM);
  EXPECT_EQ(in_child([] { return failing(::fork()); }), EPERM);
  EXPECT_EQ(in_child([] { return failing(::kill(::getppid(), 0)); }), EPERM);
}

// A descriptor shared with the parent could be told to signal it.
TEST_F(Confinement, NobodyIsNamedToBeSignalledByADescriptor) {
  EXPECT_EQ(in_child([this] { return failing(::fcntl(pipe_[0], F_SETOWN, ::getppid())); }), EPERM);
  EXPECT_EQ(in_child([this] { return failing(::fcntl(pipe_[0], F_SETSIG, SIGTERM)); }), EPERM);
  EXPECT_EQ(in_child([this] {
              const f_owner_ex owner{F_OWNER_PID, ::getppid()};
              return failing(::fcntl(pipe_[0], F_SETOWN_EX, &owner));
            }),
            EPERM);
  for (const unsigned long request : {FIOSETOWN, SIOCSPGRP}) {
    EXPECT_EQ(in_child([this, request] {
                const int parent = ::getppid();
                return failing(::ioctl(pipe_[0], request, &parent));
              }),
              EPERM);
  }
}

TEST_F(Confinement, NobodyElseIsScheduledOtherwise) {
  const auto pin = [](pid_t whom) {
    cpu_set_t all;
    CPU_ZERO(&all);
    CPU_SET(0, &all);
    return failing(::sched_setaffinity(whom, sizeof all, &all));
  };
  EXPECT_EQ(in_child([&] { return pin(::getppid()); }), EPERM);
  EXPECT_EQ(in_child([] { return failing(::syscall(SYS_ioprio_set, 1, ::getppid(), 0)); }), EPERM);
  EXPECT_EQ(in_child([] { return failing(::setpgid(0, 0)); }), EPERM);
}

}  // namespace
}  // namespace parley
