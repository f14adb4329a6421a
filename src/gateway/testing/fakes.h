// Fakes for the gateway's tests: an upstream that plays a script, a timer that lets no time pass but the clock's,
// bodies.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/event_loop.h"
#include "gateway/upstream_observer.h"
#include "http/upstream.h"
#include "resilience/timer.h"

namespace parley::gateway::testing {

// Runs `task` on `loop` until nothing more can happen; nullopt if it has not ended by then.
template <class T>
std::optional<T> run(EventLoop& loop, Task<T> task) {
  auto result = std::make_shared<std::optional<T>>();
  asio::co_spawn(loop.io(), std::move(task), [result](std::exception_ptr error, T value) {
    if (error) std::rethrow_exception(error);
    result->emplace(std::move(value));
  });
  loop.io().restart();
  loop.io().run();
  return std::move(*result);
}

// Moves the clock to where it is asked to wait, at once.
class InstantTimer final : public Timer {
 public:
  explicit InstantTimer(ManualClock& clock) : clock_(clock) {}
  Task<> wait_until(SteadyTime at) override {
    waits.push_back(at - clock_.steady_now());
    clock_.advance(std::chrono::ceil<std::chrono::milliseconds>(at - clock_.steady_now()));
    co_return;
  }
  std::vector<SteadyTime::duration> waits;

 private:
  ManualClock& clock_;
};

struct SeenRequest {
  http::Method method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  SteadyTime deadline;

  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : fields) {
      if (key == name) values.push_back(value);
    }
    return values;
  }
};

// Answers each call with the next step of its script; the last step answers all that follow. Reads the body first, as a
// service does, and hands on the error if that fails.
class FakeUpstream final : public http::Upstream {
 public:
  using Step = std::function<Result<http::Response>(http::Request&)>;
  explicit FakeUpstream(std::vector<Step> script = {}) : script(script.begin(), script.end()) {}

  static Step status(int code, std::string retry_after = {}) {
    return [code, retry_after](http::Request&) -> Result<http::Response> {
      http::Response response = http::json_response(code, "{}");
      if (!retry_after.empty()) response.headers.add("Retry-After", retry_after);
      return response;
    };
  }
  static Step error(ErrorKind kind, std::string code = "x") {
    return [kind, code](http::Request&) -> Result<http::Response> { return fail(kind, code, "no"); };
  }

  std::string_view name() const override { return "messaging"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime deadline) override {
    SeenRequest& record = seen.emplace_back();
    record.method = request.method;
    record.target = request.target;
    record.deadline = deadline;
    for (const http::Field& field : request.fields) record.fields.emplace_back(field.name, field.value);
    if (reads_body) {
      Result<std::string> body = co_await http::read_all(*request.body, 1 << 20);
      if (!body) co_return std::unexpected(body.error());
      seen.back().body = std::move(*body);
    }
    CHECK(!script.empty());
    const Step step = script.front();
    if (script.size() > 1) script.pop_front();
    co_return step(request);
  }

  std::deque<Step> script;
  bool reads_body = true;
  std::deque<SeenRequest> seen;
};

// Hands out `pieces` one by one, then the end or `error`.
class ScriptedBody final : public http::Body {
 public:
  ScriptedBody(std::vector<std::string> pieces, std::optional<std::uint64_t> size, std::optional<Error> error = {})
      : pieces_(std::move(pieces)), size_(size), error_(std::move(error)) {}
  Task<Result<std::string_view>> read() override {
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (error_) co_return std::unexpected(*error_);
    co_return std::string_view();
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  const std::vector<std::string> pieces_;
  const std::optional<std::uint64_t> size_;
  const std::optional<Error> error_;
  std::size_t next_ = 0;
};

struct CountingObserver final : UpstreamObserver {
  int failures = 0, retries = 0, not_afforded = 0, turned_away = 0;
  std::vector<BreakerState> changes;
  void on_failure(UpstreamFailure) override { ++failures; }
  void on_retry() override { ++retries; }
  void on_retry_not_afforded() override { ++not_afforded; }
  void on_turned_away() override { ++turned_away; }
  void on_breaker_change(const BreakerChange& change) override { changes.push_back(change.to); }
};

}  // namespace parley::gateway::testing
