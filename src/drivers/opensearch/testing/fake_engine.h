// FakeEngine: an HTTP server on a free port that answers what a test says, and remembers what it was asked. For tests
// of what an engine does wrong.
#pragma once
#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/one_shot.h"
#include "http/server.h"

namespace parley::opensearch::testing {

struct Asked {
  std::string method, target, body, authorization;
  // The target up to `?`.
  std::string path() const { return target.substr(0, target.find('?')); }
};
struct Told {
  int status = 200;
  std::string body = "{}";
  bool never = false;  // no answer comes while the engine is there
};

class FakeEngine final : public http::Service {
 public:
  using Answers = std::function<Told(const Asked&)>;

  explicit FakeEngine(Answers answers) : answers_(std::move(answers)) {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    loops_.start();
    server_.emplace(loops_, *this, http::ServerOptions{.role = "fake", .limits = {}});
    CHECK(server_->start());
  }
  ~FakeEngine() override {
    {
      const std::lock_guard lock(mutex_);
      for (auto& promise : unanswered_) promise.deliver(0);
    }
    server_->stop(std::chrono::seconds(0));
    loops_.stop();
  }
  http::Url url() const { return {.host = "127.0.0.1", .port = server_->port()}; }

  // Of those whose target has `part` in it.
  std::vector<Asked> asked(std::string_view part = {}) const {
    const std::lock_guard lock(mutex_);
    std::vector<Asked> found;
    for (const Asked& each : asked_) {
      if (each.target.contains(part)) found.push_back(each);
    }
    return found;
  }

  Task<http::Response> serve(http::Request& request) override {
    Asked asked{std::string(request.method_text), std::string(request.target), {}, {}};
    asked.authorization = request.fields.find("Authorization").value_or("");
    auto body = co_await http::read_all(*request.body, 64 * 1024 * 1024);
    asked.body = body.value_or("");
    Told told;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(asked);
      told = answers_(asked);
    }
    if (told.never) {
      auto [promise, future] = make_one_shot<int>(EventLoop::current());
      {
        const std::lock_guard lock(mutex_);
        unanswered_.push_back(std::move(promise));
      }
      co_await future.wait(SteadyTime::max());
    }
    co_return http::json_response(told.status, std::move(told.body));
  }

 private:
  Answers answers_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::vector<OneShotPromise<int>> unanswered_;
  EventLoops loops_{1};
  std::optional<http::Server> server_;
};

}  // namespace parley::opensearch::testing
