#include "search/index_progress.h"

#include <gtest/gtest.h>

#include <future>

#include "base/run_on_loop.h"

namespace parley::search {
namespace {

class IndexProgressTest : public ::testing::Test {
 protected:
  IndexProgressTest() : loops_(2) { loops_.start(); }
  ~IndexProgressTest() override { loops_.stop(); }
  bool reached(std::int64_t offset, SteadyTime deadline, std::size_t loop = 0) {
    return run_on_loop(loops_.at(loop), progress_.reached({offset}, deadline));
  }
  static SteadyTime in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

  EventLoops loops_;
  IndexProgress progress_;
};

TEST_F(IndexProgressTest, WhatIsReachedIsReachedAtOnce) {
  EXPECT_TRUE(reached(0, SteadyTime::max()));
  progress_.set({7});
  EXPECT_TRUE(reached(7, SteadyTime::max()));
  EXPECT_FALSE(reached(8, in(std::chrono::milliseconds(1))));
}

TEST_F(IndexProgressTest, NeverGoesBack) {
  progress_.set({7});
  progress_.set({3});
  EXPECT_EQ(progress_.through().value, 7);
}

TEST_F(IndexProgressTest, WakesThoseWhoWaitForThisOrLessOnWhicheverLoop) {
  std::vector<std::future<bool>> waits;
  for (const std::int64_t offset : {3, 4, 5, 9}) {
    for (const std::size_t loop : {0u, 1u}) {
      waits.push_back(std::async(std::launch::async, [this, offset, loop] {
        return reached(offset, offset == 9 ? in(std::chrono::milliseconds(200)) : SteadyTime::max(), loop);
      }));
    }
  }
  progress_.set({4});
  progress_.set({5});
  for (std::size_t i = 0; i < waits.size(); ++i) EXPECT_EQ(waits[i].get(), i < 6) << i;
}

TEST_F(IndexProgressTest, AWaitThatRanOutIsForgotten) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(reached(5, in(std::chrono::milliseconds(1))));
  progress_.set({5});
  EXPECT_TRUE(reached(5, in(std::chrono::milliseconds(1))));
}

}  // namespace
}  // namespace parley::search
