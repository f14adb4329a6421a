#include "gateway/resilient_upstream.h"

#include "base/check.h"
#include "base/text.h"
#include "resilience/deadline.h"

namespace parley::gateway {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool counts_as_failure(int status) {
  return status >= 500 && status != 501 && status != 507;
}
bool may_pass(int status) {
  return status == 502 || status == 503 || status == 504;
}

// The pool of connections to the upstream is full: our own limit, not the upstream's fault, and more tries fill it
// more.
bool is_own_limit(const Error& error) {
  return error.code == "upstream_busy";
}

// Takes that word off the answer: it was for us.
bool says_that_it_is_well(http::Response& response) {
  if (!response.headers.find(http::kRoleIsWell)) return false;
  response.headers.remove(http::kRoleIsWell);
  return true;
}

// What the answer asks to wait; nullopt when it says nothing, and "very long" for what is no number of seconds (a
// date).
std::optional<seconds> asked_to_wait(const http::Response& response) {
  const auto text = response.headers.find("Retry-After");
  if (!text) return std::nullopt;
  constexpr std::uint64_t kVeryLong = 1'000'000;
  return seconds(std::min(parse_u64(*text).value_or(kVeryLong), kVeryLong));
}

}  // namespace

ResilientUpstream::ResilientUpstream(std::shared_ptr<http::Upstream> upstream, ResilienceSettings settings,
                                     const Clock& clock, Random& random, Timer& timer,
                                     std::shared_ptr<UpstreamObserver> observer)
    : upstream_(std::move(upstream)),
      settings_(settings),
      clock_(clock),
      random_(random),
      timer_(timer),
      observer_(std::move(observer)),
      breaker_(settings.breaker, clock,
               [watching = observer_](const BreakerChange& change) { watching->on_breaker_change(change); }),
      budget_(settings.budget, clock) {
  CHECK(settings.retry.max_attempts >= 1);
}

Task<Result<http::Response>> ResilientUpstream::call(http::Request& request, ForwardedBody* body, SteadyTime deadline,
                                                     std::chrono::milliseconds more_time) {
  budget_.count_request();
  const bool bodiless = request.body == nullptr || request.body->size() == std::optional<std::uint64_t>(0);
  const bool repeatable = (body != nullptr && body->held()) || (bodiless && http::is_safe(request.method));
  SteadyTime now = clock_.steady_now();
  const milliseconds timeout =
      settings_.call_timeout.count() == 0 ? milliseconds(0) : settings_.call_timeout + more_time;
  const SteadyTime total = attempt_deadline(now, deadline, timeout);
  for (unsigned attempt = 1;; ++attempt) {
    auto permit = breaker_.acquire();
    if (!permit) {
      observer_->on_turned_away();
      co_return fail(circuit_open(permit.error().retry_after));
    }
    if (body != nullptr && body->held()) body->rewind();
    SteadyTime until = total;
    if (repeatable) until = attempt_deadline(now, total, settings_.attempt_timeout);
    Result<http::Response> answer = co_await upstream_->call(request, until);
    const bool may_be_mended = judge(answer, body, std::move(*permit));
    if (!may_be_mended || !repeatable) co_return answer;
    const std::optional<SteadyTime> again = next_attempt(answer, attempt, total);
    if (!again) co_return answer;
    answer = std::unexpected(Error{});  // gives its connection back before the wait
    co_await timer_.wait_until(*again);
    observer_->on_retry();
    now = clock_.steady_now();
  }
}

bool ResilientUpstream::judge(Result<http::Response>& answer, const ForwardedBody* body,
                              CircuitBreaker::Permit permit) {
  if (answer) {
    if (!counts_as_failure(answer->status) || says_that_it_is_well(*answer)) {
      permit.success();
      return false;
    }
    permit.failure();
    observer_->on_failure(UpstreamFailure::kStatus);
    return may_pass(answer->status);
  }
  // The permit, dropped, counts for nothing.
  if (is_own_limit(answer.error())) return false;
  if (body != nullptr && body->client_at_fault()) return false;
  permit.failure();
  const bool timeout = answer.error().kind == ErrorKind::kTimeout;
  observer_->on_failure(timeout ? UpstreamFailure::kTimeout : UpstreamFailure::kUnavailable);
  return timeout || answer.error().kind == ErrorKind::kUnavailable;
}

std::optional<SteadyTime> ResilientUpstream::next_attempt(const Result<http::Response>& answer, unsigned attempt,
                                                          SteadyTime deadline) {
  if (attempt >= settings_.retry.max_attempts) return std::nullopt;
  std::chrono::nanoseconds delay = retry_delay(settings_.retry, attempt, random_);
  if (answer) {
    const seconds asked = asked_to_wait(*answer).value_or(seconds(0));
    if (asked > settings_.retry.max_retry_after) return std::nullopt;
    delay = std::max<std::chrono::nanoseconds>(delay, asked);
  }
  const SteadyTime now = clock_.steady_now();
  if (remaining(now, deadline) <= delay) return std::nullopt;
  if (!budget_.take()) {
    observer_->on_retry_not_afforded();
    return std::nullopt;
  }
  return now + delay;
}

std::optional<Error> ResilientUpstream::turned_away() const {
  const std::optional<CircuitBreaker::Denied> denied = breaker_.would_deny();
  if (!denied) return std::nullopt;
  observer_->on_turned_away();
  return circuit_open(denied->retry_after);
}

Error ResilientUpstream::circuit_open(milliseconds retry_after) const {
  return unavailable("circuit_open", std::string(name()) + " is failing and gets a rest; try again shortly.",
                     std::chrono::ceil<seconds>(retry_after))
      .error();
}

}  // namespace parley::gateway
