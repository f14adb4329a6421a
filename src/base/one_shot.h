// OneShot<T>: a value that another thread delivers to a Task, once, or a timeout. The store's writer and the blocking
// pool answer through it. All state changes happen on the waiting loop's thread, so there is no lock.
//
//   auto [promise, future] = make_one_shot<T>(EventLoop::current());
//   pool.submit([p = std::move(promise)]() mutable { p.deliver(work()); });
//   Result<T> result = co_await future.wait(deadline);
#pragma once
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/event_loop.h"
#include "base/result.h"

namespace parley {

namespace detail {
template <class T>
struct OneShotState {
  EventLoop& loop;
  std::optional<Result<T>> value;
  std::move_only_function<void()> resume;

  explicit OneShotState(EventLoop& l) : loop(l) {}
  void settle(Result<T> result) {
    if (value) return;  // the deadline was first; a late answer is dropped
    value.emplace(std::move(result));
    if (resume) std::exchange(resume, nullptr)();
  }
};

// What delivery() makes. Dropped without being called, for its loop is gone, it frees the task that waits: the task
// holds the state, and the state holds the task.
template <class T>
class OneShotDelivery {
 public:
  OneShotDelivery(std::shared_ptr<OneShotState<T>> state, Result<T> result)
      : state_(std::move(state)), result_(std::move(result)) {}
  OneShotDelivery(OneShotDelivery&&) noexcept = default;
  OneShotDelivery& operator=(OneShotDelivery&&) = delete;
  ~OneShotDelivery() {
    if (state_) std::exchange(state_->resume, nullptr);
  }
  void operator()() { std::exchange(state_, nullptr)->settle(std::move(result_)); }

 private:
  std::shared_ptr<OneShotState<T>> state_;
  Result<T> result_;
};
}  // namespace detail

// Any thread may deliver. A promise destroyed without a value delivers "internal error", so a wait never hangs on it.
template <class T>
class OneShotPromise {
 public:
  explicit OneShotPromise(std::shared_ptr<detail::OneShotState<T>> state) : state_(std::move(state)) {}
  OneShotPromise(OneShotPromise&&) noexcept = default;
  OneShotPromise& operator=(OneShotPromise&&) = delete;
  ~OneShotPromise() {
    if (state_) deliver(fail(ErrorKind::kInternal, "internal_error", "The work was dropped."));
  }
  void deliver(Result<T> result) {
    EventLoop& loop = state_->loop;
    loop.post(delivery(std::move(result)));
  }
  // For a thread that answers many at once: what to run on loop(), so that it can post one batch per loop.
  EventLoop& loop() const { return state_->loop; }
  std::move_only_function<void()> delivery(Result<T> result) {
    return detail::OneShotDelivery<T>(std::exchange(state_, nullptr), std::move(result));
  }

 private:
  std::shared_ptr<detail::OneShotState<T>> state_;
};

template <class T>
class OneShotFuture {
 public:
  explicit OneShotFuture(std::shared_ptr<detail::OneShotState<T>> state) : state_(std::move(state)) {}
  // On the loop that made the pair, once. kTimeout when `deadline` passes first.
  Task<Result<T>> wait(SteadyTime deadline) {
    auto state = state_;
    if (!state->value) {
      Deadline expiry(state->loop, [state] {
        state->settle(fail(ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the answer came."));
      });
      expiry.arm(deadline);
      co_await asio::async_initiate<const asio::use_awaitable_t<LoopExecutor>, void()>(
          [&state](auto handler) { state->resume = [h = std::move(handler)]() mutable { std::move(h)(); }; },
          asio::use_awaitable_t<LoopExecutor>{});
    }
    co_return std::move(*state->value);
  }

 private:
  std::shared_ptr<detail::OneShotState<T>> state_;
};

template <class T>
std::pair<OneShotPromise<T>, OneShotFuture<T>> make_one_shot(EventLoop& loop) {
  auto state = std::make_shared<detail::OneShotState<T>>(loop);
  return {OneShotPromise<T>(state), OneShotFuture<T>(state)};
}

}  // namespace parley
