#include "auth/key_refresher.h"

namespace parley::auth {

KeyRefresher::KeyRefresher(EventLoop& home, KeyRing& ring, std::unique_ptr<JwksSource> source, KeySet fixed,
                           Settings settings, const Clock& clock, std::function<void(const Report&)> on_report)
    : home_(home),
      ring_(ring),
      source_(std::move(source)),
      fixed_(std::move(fixed)),
      settings_(settings),
      clock_(clock),
      on_report_(std::move(on_report)),
      tasks_(home) {}

void KeyRefresher::start() {
  next_.emplace(home_, [this] { refresh_if_due(); });
  begin_fetch();
}

void KeyRefresher::refresh_if_due() {
  if (closing_ || fetching_) return;
  const auto wait = last_outcome_ ? settings_.interval : settings_.min_gap;
  const SteadyTime due = last_begun_ + wait;
  if (clock_.steady_now() >= due) {
    begin_fetch();
  } else if (next_) {
    next_->arm(due);
  }
}

void KeyRefresher::close(std::move_only_function<void()> closed) {
  closing_ = true;
  next_.reset();
  tasks_.drain(std::move(closed));
}

Task<Result<>> KeyRefresher::refresh(SteadyTime deadline) {
  auto answer = make_one_shot<void>(EventLoop::current());
  home_.post([this, waiter = std::move(answer.first)]() mutable { join(std::move(waiter)); });
  co_return co_await answer.second.wait(deadline);
}

void KeyRefresher::join(OneShotPromise<void> waiter) {
  const bool is_fresh = last_begun_ != SteadyTime::min() && clock_.steady_now() < last_begun_ + settings_.min_gap;
  if (closing_ || (!fetching_ && is_fresh)) return waiter.deliver(last_outcome_);
  waiters_.push_back(std::move(waiter));
  if (!fetching_) begin_fetch();
}

void KeyRefresher::begin_fetch() {
  fetching_ = true;
  last_begun_ = clock_.steady_now();
  tasks_.spawn(fetch_once());
}

Task<> KeyRefresher::fetch_once() {
  last_outcome_ = take(co_await source_->fetch(last_begun_ + settings_.fetch_timeout));
  fetching_ = false;
  for (auto& waiter : std::exchange(waiters_, {})) waiter.deliver(last_outcome_);
  refresh_if_due();
}

Result<> KeyRefresher::take(Result<std::string> fetched) {
  Report report;
  Result<> outcome;
  if (fetched && last_text_ == *fetched) {
    report.keys = ring_.snapshot().keys->keys().size();
  } else if (auto keys = fetched ? KeySet::parse(*fetched) : fail(fetched.error())) {
    for (const auto& reason : keys->skipped()) report.problem += (report.problem.empty() ? "" : " ") + reason;
    KeySet all = KeySet::merge(fixed_, std::move(*keys));
    report.keys = all.keys().size();
    report.changed = true;
    ring_.replace(std::move(all));
    last_text_ = std::move(*fetched);
  } else {
    report.problem = keys.error().detail;
    report.keys = ring_.snapshot().keys->keys().size();
    outcome = unavailable("unavailable", "The keys that tokens are verified with cannot be fetched now.",
                          std::chrono::ceil<std::chrono::seconds>(settings_.min_gap));
  }
  if (on_report_) on_report_(report);
  return outcome;
}

}  // namespace parley::auth
