// HeldUpstream: an upstream whose answers the test gives when it likes, from its own thread. Any loop.
#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/one_shot.h"
#include "http/upstream.h"

namespace parley::gateway::testing {

class HeldUpstream final : public http::Upstream {
 public:
  using Reply = std::function<Result<http::Response>()>;

  static Reply text(std::string body, int status = 200) {
    return [body, status]() -> Result<http::Response> { return http::json_response(status, body); };
  }

  std::string_view name() const override { return "search"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    std::optional<OneShotFuture<Reply>> held;
    Reply reply;
    {
      const std::lock_guard lock(mutex_);
      targets_.emplace_back(request.target);
      if (at_once_) {
        reply = at_once_;
      } else {
        auto [promise, future] = make_one_shot<Reply>(EventLoop::current());
        held_.push_back(std::make_unique<OneShotPromise<Reply>>(std::move(promise)));
        held.emplace(std::move(future));
      }
    }
    if (held) reply = *co_await held->wait(SteadyTime::max());
    co_return reply();
  }

  // All calls from now on are answered so; null: held again.
  void answer_at_once(Reply reply) {
    const std::lock_guard lock(mutex_);
    at_once_ = std::move(reply);
  }
  // Answers the call with that number, of those that were held.
  void answer(std::size_t number, Reply reply) {
    const std::lock_guard lock(mutex_);
    held_.at(number)->deliver(std::move(reply));
  }
  std::vector<std::string> targets() const {
    const std::lock_guard lock(mutex_);
    return targets_;
  }
  std::size_t calls() const { return targets().size(); }
  void wait_for_calls(std::size_t count) const {
    while (calls() < count) std::this_thread::yield();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> targets_;
  std::vector<std::unique_ptr<OneShotPromise<Reply>>> held_;
  Reply at_once_;
};

}  // namespace parley::gateway::testing
