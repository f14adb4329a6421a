#include "drivers/s3/loop_gate.h"

#include <gtest/gtest.h>

#include "base/join.h"
#include "base/run_on_loop.h"

namespace parley::s3 {
namespace {

class LoopGateTest : public ::testing::Test {
 protected:
  LoopGateTest() { loops_.start(); }
  ~LoopGateTest() override { loops_.stop(); }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  EventLoops loops_{1};
};

Task<int> pass_through(LoopGate& gate, int& inside, int& most) {
  auto pass = co_await gate.enter(SteadyTime::max());
  EXPECT_TRUE(pass);
  most = std::max(most, ++inside);
  auto [promise, future] = make_one_shot<void>(EventLoop::current());
  promise.deliver(Result<>());
  (void)co_await future.wait(SteadyTime::max());
  --inside;
  co_return 1;
}

Task<int> three_at_once(LoopGate& gate, int& most) {
  int inside = 0;
  const auto done = co_await join(pass_through(gate, inside, most), pass_through(gate, inside, most),
                                  pass_through(gate, inside, most));
  co_return std::get<0>(done) + std::get<1>(done) + std::get<2>(done);
}

TEST_F(LoopGateTest, WhoComesLaterWaitsUntilSomebodyLeaves) {
  LoopGate gate(2, 10);
  int most = 0;
  EXPECT_EQ(wait(three_at_once(gate, most)), 3);
  EXPECT_EQ(most, 2);
}

Task<std::string> enter_twice(LoopGate& gate) {
  auto first = co_await gate.enter(SteadyTime::max());
  EXPECT_TRUE(first);
  const auto second = co_await gate.enter(std::chrono::steady_clock::now());
  co_return second ? "entered" : second.error().code;
}

TEST_F(LoopGateTest, WhoseDeadlinePassesIsRefusedAndLeavesTheLine) {
  LoopGate gate(1, 10);
  EXPECT_EQ(wait(enter_twice(gate)), "overloaded");
  EXPECT_EQ(gate.waiting(), 0u);
  EXPECT_EQ(wait(enter_twice(gate)), "overloaded");  // the place of the first is free again
}

TEST_F(LoopGateTest, AFullLineRefusesAtOnce) {
  LoopGate gate(1, 0);
  EXPECT_EQ(wait(enter_twice(gate)), "overloaded");
}

}  // namespace
}  // namespace parley::s3
