// PacedBody: a request's body whose pieces a test brings one by one, from its own thread, and which it may cut, as a
// lost connection does. It heeds interrupt(), as a connection's body does. Lives on the loop that it was made for; push
// and the like may be called from any thread as long as it lives.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/one_shot.h"
#include "http/message.h"

namespace parley::media::testing {

class PacedBody final : public http::Body {
 public:
  explicit PacedBody(EventLoop& loop, std::optional<std::uint64_t> size = {}) : loop_(loop), size_(size) {}

  void push(std::string piece) {
    loop_.post([state = state_, piece = std::move(piece)]() mutable {
      state->pieces.push_back(std::move(piece));
      state->wake();
    });
  }
  void end() { push({}); }
  void cut() {
    loop_.post([state = state_] { state->cut_off(); });
  }

  std::optional<std::uint64_t> size() const override { return size_; }
  void interrupt() override { state_->cut_off(); }
  Task<Result<std::string_view>> read() override {
    while (state_->pieces.empty() && !state_->cut) {
      auto [promise, future] = make_one_shot<void>(loop_);
      state_->waiting.emplace(std::move(promise));
      (void)co_await future.wait(SteadyTime::max());
    }
    if (state_->cut) co_return fail(ErrorKind::kInvalid, "bad_request", "The body ended before its end.");
    current_ = std::move(state_->pieces.front());
    state_->pieces.pop_front();
    co_return std::string_view(current_);
  }

 private:
  // Apart, for what a test said last may come to the loop when the request and its body are gone.
  struct State {
    void wake() {
      if (!waiting) return;
      OneShotPromise<void> woken = std::move(*waiting);
      waiting.reset();
      woken.deliver({});
    }
    void cut_off() {
      cut = true;
      wake();
    }
    std::deque<std::string> pieces;
    bool cut = false;
    std::optional<OneShotPromise<void>> waiting;
  };

  EventLoop& loop_;
  const std::optional<std::uint64_t> size_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  std::string current_;
};

}  // namespace parley::media::testing
