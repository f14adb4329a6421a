#include "base/blocking.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <new>

#include "base/or_internal_error.h"

namespace parley {
namespace {

using std::chrono::seconds;

// Runs a task on a loop of its own and gives its answer.
template <class T>
T run_on_loop(EventLoops& loops, Task<T> task) {
  return asio::co_spawn(loops.at(0).io(), std::move(task), asio::use_future).get();
}

SteadyTime in_a_minute() {
  return std::chrono::steady_clock::now() + seconds(60);
}

Task<Result<int>> add_on_pool(BlockingPool& pool, int a, int b) {
  co_return co_await pool.run<int>(in_a_minute(), [a, b] { return Result<int>(a + b); });
}

TEST(BlockingPool, ResumesTheCallerOnItsLoopWithTheAnswer) {
  EventLoops loops(1);
  loops.start();
  BlockingPool pool("test", 2, 8);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(run_on_loop(loops, add_on_pool(pool, i, 1)).value(), i + 1);
}

TEST(BlockingPool, RefusesWorkBeyondItsQueueWith503) {
  EventLoops loops(1);
  loops.start();
  BlockingPool pool("test", 1, 1);
  std::promise<void> started, release;
  ASSERT_TRUE(pool.try_submit([&started, released = release.get_future().share()] {
    started.set_value();
    released.wait();
  }));
  started.get_future().wait();
  ASSERT_TRUE(pool.try_submit([] {}));
  const Result<int> refused = run_on_loop(loops, add_on_pool(pool, 1, 1));
  release.set_value();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
}

Task<Result<int>> throw_on_pool(BlockingPool& pool) {
  co_return co_await pool.run<int>(in_a_minute(), []() -> Result<int> { throw std::bad_alloc(); });
}

TEST(BlockingPool, AnswersAnErrorForWorkThatThrowsAndGoesOn) {
  EventLoops loops(1);
  loops.start();
  BlockingPool pool("test", 1, 8);
  const Result<int> thrown = run_on_loop(loops, throw_on_pool(pool));
  ASSERT_FALSE(thrown.has_value());
  EXPECT_EQ(thrown.error().kind, ErrorKind::kInternal);
  EXPECT_EQ(run_on_loop(loops, add_on_pool(pool, 1, 2)).value(), 3);
}

Task<Result<int>> wait_until(SteadyTime deadline, OneShotFuture<int> future) {
  co_return co_await future.wait(deadline);
}

TEST(OneShot, TimesOutAndDropsALateAnswer) {
  EventLoops loops(1);
  auto [promise, future] = make_one_shot<int>(loops.at(0));
  loops.start();
  const Result<int> result = run_on_loop(loops, wait_until(SteadyTime::min(), std::move(future)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  promise.deliver(7);
}

TEST(OneShot, AnswersAnErrorWhenThePromiseIsDropped) {
  EventLoops loops(1);
  loops.start();
  auto pair = std::make_unique<std::pair<OneShotPromise<int>, OneShotFuture<int>>>(make_one_shot<int>(loops.at(0)));
  OneShotFuture<int> future = std::move(pair->second);
  pair.reset();
  const Result<int> result = run_on_loop(loops, wait_until(in_a_minute(), std::move(future)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kInternal);
}

Task<> hold(OneShotFuture<int> future, [[maybe_unused]] std::shared_ptr<int> held) {
  (void)co_await future.wait(SteadyTime::max());
}
Task<bool> nothing() {
  co_return true;
}

TEST(OneShot, ATaskThatWaitsWhenItsLoopEndsGoesWithIt) {
  std::weak_ptr<int> watched;
  {
    EventLoops loops(1);
    loops.start();
    auto [promise, future] = make_one_shot<int>(loops.at(0));
    auto held = std::make_shared<int>(1);
    watched = held;
    asio::co_spawn(loops.at(0).io(), hold(std::move(future), std::move(held)), asio::detached);
    EXPECT_TRUE(run_on_loop(loops, nothing()));  // by then the other waits
    loops.stop();
    promise.deliver(7);
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}

TEST(OrInternalErrorTest, WhatWorkThrowsIsItsAnswer) {
  EXPECT_EQ(or_internal_error([]() -> Result<int> { return 7; }), 7);
  EXPECT_EQ(or_internal_error([]() -> Result<> { return fail(ErrorKind::kNoRoom, "storage_full", ""); }).error().code,
            "storage_full");
  const Result<> thrown = or_internal_error([]() -> Result<> { throw std::bad_alloc(); });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace parley
