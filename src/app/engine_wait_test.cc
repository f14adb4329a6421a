#include "app/engine_wait.h"

#include <gtest/gtest.h>

namespace parley::app {
namespace {

TEST(EngineWaitTest, WhatIsMissingIsNamedWhenTheTimeIsUp) {
  int tries = 0;
  const auto opened = wait_for_engine("MongoDB (MONGODB_URI)", std::chrono::seconds(0), [&]() -> Result<int> {
    ++tries;
    return because(unavailable("unavailable", "Nobody answers."), "connection refused");
  });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().detail, "MongoDB (MONGODB_URI) is missing: Nobody answers. (connection refused)");
  EXPECT_EQ(tries, 1);
}

TEST(EngineWaitTest, AnEngineThatComesIsWaitedFor) {
  int tries = 0;
  const auto opened = wait_for_engine("X", std::chrono::seconds(60), [&]() -> Result<int> {
    if (++tries < 2) return unavailable("unavailable", "Not yet.");
    return 7;
  });
  EXPECT_EQ(opened, 7);
}

TEST(EngineWaitTest, AFaultThatNoWaitMendsEndsItAtOnce) {
  int tries = 0;
  const auto opened = wait_for_engine("X", std::chrono::seconds(60), [&]() -> Result<int> {
    ++tries;
    return fail(ErrorKind::kInvalid, "mongodb_settings", "No URI.");
  });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().detail, "No URI.");
  EXPECT_EQ(tries, 1);
}

TEST(EngineWaitTest, WhoIsToldToStopWaitsNoLonger) {
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const auto opened = wait_for_engine("X", std::chrono::seconds(60), [&]() -> Result<int> {
    raise(SIGTERM);
    return unavailable("unavailable", "Not yet.");
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, kStopped);
}

}  // namespace
}  // namespace parley::app
