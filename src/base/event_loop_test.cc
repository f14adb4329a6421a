#include "base/event_loop.h"

#include <gtest/gtest.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>

namespace parley {
namespace {

using std::chrono::seconds;

TEST(Deadline, FiresOnceWhenDueAndNotBefore) {
  EventLoop loop(0);
  int fired = 0;
  Deadline deadline(loop, [&fired] { ++fired; });
  const SteadyTime start(seconds(100));
  deadline.arm(start + seconds(1));
  loop.sweep(start);
  EXPECT_EQ(fired, 0);
  loop.sweep(start + seconds(1));
  loop.sweep(start + seconds(2));
  EXPECT_EQ(fired, 1);
}

TEST(Deadline, MayDestroyItselfAndOthersWhenItFires) {
  EventLoop loop(0);
  int fired = 0;
  std::unique_ptr<Deadline> first, second, third;
  first = std::make_unique<Deadline>(loop, [&fired, &second] { ++fired, second.reset(); });
  second = std::make_unique<Deadline>(loop, [&fired] { fired += 100; });
  third = std::make_unique<Deadline>(loop, [&fired] { ++fired; });
  for (auto* deadline : {first.get(), second.get(), third.get()}) deadline->arm(SteadyTime(seconds(1)));
  loop.sweep(SteadyTime(seconds(1)));
  EXPECT_EQ(fired, 2);
}

TEST(Deadline, DoesNotFireOnceDisarmed) {
  EventLoop loop(0);
  int fired = 0;
  Deadline deadline(loop, [&fired] { ++fired; });
  deadline.arm(SteadyTime(seconds(1)));
  deadline.disarm();
  loop.sweep(SteadyTime(seconds(5)));
  EXPECT_EQ(fired, 0);
}

TEST(EventLoops, RunPostedWorkOnTheirOwnThread) {
  EventLoops loops(2);
  loops.start();
  for (std::size_t i = 0; i < 2; ++i) {
    std::promise<std::size_t> index;
    loops.at(i).post([&index] { index.set_value(EventLoop::current().index()); });
    EXPECT_EQ(index.get_future().get(), i);
  }
  EXPECT_EQ(EventLoop::current_or_null(), nullptr);
}

Task<> keep_a_deadline(EventLoop& loop, std::promise<void>& waiting) {
  Deadline deadline(loop, [] {});
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>
      never(loop.io(), SteadyTime::max());
  waiting.set_value();
  co_await never.async_wait(kAwait);
}

TEST(EventLoops, DestroyWhatIsStillSuspendedWithItsDeadlines) {
  EventLoops loops(1);
  std::promise<void> waiting;
  asio::co_spawn(loops.at(0).io(), keep_a_deadline(loops.at(0), waiting), asio::detached);
  loops.start();
  waiting.get_future().wait();
}  // the address sanitizer is the judge

}  // namespace
}  // namespace parley
