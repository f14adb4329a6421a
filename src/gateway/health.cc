#include "gateway/health.h"

#include "base/check.h"
#include "gateway/resilient_upstream.h"

namespace parley::gateway {

namespace {
// The first answer takes at most its timeout: as many as may ask for it meanwhile.
constexpr std::size_t kMostWaiting = 256;
}  // namespace

void HealthCheck::start(EventLoop& loop) {
  CHECK(tasks_ == nullptr);
  tasks_ = std::make_unique<TaskGroup>(loop);
  next_ = std::make_unique<Deadline>(loop, [this] { check(); });
  check();
}

void HealthCheck::stop(std::move_only_function<void()> on_stopped) {
  CHECK(tasks_ != nullptr);
  next_.reset();
  tasks_->drain(std::move(on_stopped));
}

std::optional<UpstreamHealth> HealthCheck::last() const {
  const std::uint64_t word = last_.load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  return UpstreamHealth{(word & 1) != 0, std::chrono::microseconds(word >> 2)};
}

Task<> HealthCheck::wait_for_first(SteadyTime until) {
  std::optional<OneShotFuture<Told>> told = join_waiting();
  if (told) (void)co_await told->wait(until);
}

std::optional<OneShotFuture<HealthCheck::Told>> HealthCheck::join_waiting() {
  const std::lock_guard lock(mutex_);
  if (last() || waiting_.size() >= kMostWaiting) return std::nullopt;
  auto [promise, future] = make_one_shot<Told>(EventLoop::current());
  waiting_.push_back(std::move(promise));
  return std::move(future);
}

void HealthCheck::tell_waiting() {
  std::vector<OneShotPromise<Told>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (OneShotPromise<Told>& one : waiting) one.deliver(Told{});
}

void HealthCheck::check() {
  tasks_->spawn(ask());
}

Task<> HealthCheck::ask() {
  http::TextBody nothing("");
  http::Request request;
  request.method = http::Method::kGet;
  request.method_text = "GET";
  request.set_target("/health");
  request.body = &nothing;
  const SteadyTime began = clock_.steady_now();
  bool up = false;
  {
    const Result<http::Response> answer = co_await upstream_.call(request, began + settings_.timeout);
    up = answer && answer->status == 200;
  }
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady_now() - began).count();
  last_.store(static_cast<std::uint64_t>(took) << 2 | 2 | (up ? 1 : 0), std::memory_order_relaxed);
  tell_waiting();
  if (next_) next_->arm(clock_.steady_now() + settings_.interval);
}

DependencyHealth dependency_health(const ResilientUpstream& upstream, const HealthCheck& check) {
  const BreakerState state = upstream.breaker().state();
  const std::optional<UpstreamHealth> last = check.last();
  DependencyHealth health{std::string(upstream.name()), "ok", std::nullopt, std::string(to_string(state))};
  if (last) health.latency = last->latency;
  if (state != BreakerState::kClosed || !last) health.status = "degraded";
  if (last && !last->up) health.status = "down";
  return health;
}

}  // namespace parley::gateway
