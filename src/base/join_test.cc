#include "base/join.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/event_loop.h"
#include "base/one_shot.h"
#include "base/run_on_loop.h"

namespace parley {
namespace {

Task<int> give(int value) {
  co_return value;
}
Task<int> give_when_told(OneShotFuture<int> future) {
  auto value = co_await future.wait(SteadyTime::max());
  co_return *value;
}
Task<int> tell(OneShotPromise<int> promise, int value) {
  promise.deliver(value);
  co_return 1;
}
Task<int> throw_it() {
  throw std::runtime_error("no");
  co_return 0;
}

// The first waits for what the second does, so they run at once.
Task<std::tuple<int, int>> wait_for_each_other() {
  auto [promise, future] = make_one_shot<int>(EventLoop::current());
  co_return co_await join(give_when_told(std::move(future)), tell(std::move(promise), 7));
}

class Join : public ::testing::Test {
 protected:
  Join() { loops_.start(); }
  ~Join() override { loops_.stop(); }
  EventLoops loops_{1};
};

TEST_F(Join, AnswersWhatEachGaveInTheirOrder) {
  EXPECT_EQ(run_on_loop(loops_.at(0), join(give(1), give(2))), std::tuple(1, 2));
  EXPECT_EQ(run_on_loop(loops_.at(0), join(give(1), give(2), give(3))), std::tuple(1, 2, 3));
}

TEST_F(Join, RunsThemAtOnce) {
  EXPECT_EQ(run_on_loop(loops_.at(0), wait_for_each_other()), std::tuple(7, 1));
}

TEST_F(Join, HandsOnWhatOneThrows) {
  EXPECT_ANY_THROW(run_on_loop(loops_.at(0), join(give(1), throw_it())));
}

}  // namespace
}  // namespace parley
