#include "search/index_turn.h"

namespace parley::search {

Task<Result<IndexTurn::Held>> IndexTurn::take(SteadyTime deadline) {
  if (!taken_) {
    taken_ = true;
    co_return Held(*this);
  }
  auto [promise, future] = make_one_shot<Given>(EventLoop::current());
  auto waiter = std::make_shared<Waiter>();
  waiter->promise.emplace(std::move(promise));
  waiting_.push_back(waiter);
  auto answer = co_await future.wait(deadline);
  // Both may have happened: the turn was given, and the deadline passed before the word of it came.
  if (waiter->given) co_return Held(*this);
  waiter->gone = true;
  co_return std::unexpected(std::move(answer.error()));
}

void IndexTurn::pass_on() {
  while (!waiting_.empty()) {
    const std::shared_ptr<Waiter> next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next->gone) continue;
    next->given = true;
    next->promise->deliver(Given{});
    return;
  }
  taken_ = false;
}

}  // namespace parley::search
