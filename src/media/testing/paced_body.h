// PacedBody: a request's body whose pieces a test brings one by one, from its own thread, and which it may cut, as a
// lost connection does. It heeds interrupt(), as a connection's body does. Lives on the loop that it was made for; push
// and the like may be called from any thread as long as it lives.
#pragma once
#include <deque>
#include <optional>
#include <string>

#include "base/one_shot.h"
#include "http/message.h"

namespace parley::media::testing {

class PacedBody final : public http::Body {
 public:
  explicit PacedBody(EventLoop& loop, std::optional<std::uint64_t> size = {}) : loop_(loop), size_(size) {}

  void push(std::string piece) {
    loop_.post([this, piece = std::move(piece)]() mutable {
      pieces_.push_back(std::move(piece));
      wake();
    });
  }
  void end() { push({}); }
  void cut() {
    loop_.post([this] { interrupt(); });
  }

  std::optional<std::uint64_t> size() const override { return size_; }
  void interrupt() override {
    cut_ = true;
    wake();
  }
  Task<Result<std::string_view>> read() override {
    while (pieces_.empty() && !cut_) {
      auto [promise, future] = make_one_shot<void>(loop_);
      waiting_.emplace(std::move(promise));
      (void)co_await future.wait(SteadyTime::max());
    }
    if (cut_) co_return fail(ErrorKind::kInvalid, "bad_request", "The body ended before its end.");
    current_ = std::move(pieces_.front());
    pieces_.pop_front();
    co_return std::string_view(current_);
  }

 private:
  void wake() {
    if (!waiting_) return;
    OneShotPromise<void> waiting = std::move(*waiting_);
    waiting_.reset();
    waiting.deliver({});
  }

  EventLoop& loop_;
  const std::optional<std::uint64_t> size_;
  std::deque<std::string> pieces_;
  std::string current_;
  bool cut_ = false;
  std::optional<OneShotPromise<void>> waiting_;
};

}  // namespace parley::media::testing
