#include "drivers/s3/loop_gate.h"

#include <algorithm>

namespace parley::s3 {

struct LoopGate::Waiter {
  explicit Waiter(OneShotPromise<void> p) : promise(std::move(p)) {}
  OneShotPromise<void> promise;
  bool has_entered = false;  // said by leave(), which may come just before the deadline does
};

namespace {

std::unexpected<Error> overloaded() {
  return unavailable("overloaded", "More is asked of the objects' store than it is asked at once; try again shortly.");
}

}  // namespace

Task<Result<LoopGate::Pass>> LoopGate::enter(SteadyTime deadline) {
  if (free_ > 0) {
    --free_;
    co_return Pass(*this);
  }
  if (waiting_.size() >= most_waiting_) co_return overloaded();
  auto [promise, future] = make_one_shot<void>(EventLoop::current());
  auto waiter = std::make_shared<Waiter>(std::move(promise));
  waiting_.push_back(waiter);
  (void)co_await future.wait(deadline);
  if (waiter->has_entered) co_return Pass(*this);
  std::erase(waiting_, waiter);
  co_return overloaded();
}

void LoopGate::leave() {
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  const std::shared_ptr<Waiter> next = std::move(waiting_.front());
  waiting_.pop_front();
  next->has_entered = true;
  next->promise.deliver(Result<>());
}

}  // namespace parley::s3
