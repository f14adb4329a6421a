#include "http/balanced_upstream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "http/testing/loop_thread.h"

namespace parley::http {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;

// Answers with a status, or not at all (0), and counts.
class Instance final : public Upstream {
 public:
  std::string_view name() const override { return "media"; }
  Task<Result<Response>> call(Request& request, SteadyTime) override {
    ++calls;
    paths.insert(std::string(request.path));
    if (status == 0) co_return std::unexpected(error);
    Response response = json_response(status, "{}");
    if (well) response.headers.add(kRoleIsWell, "true");
    co_return response;
  }
  int status = 200;
  Error error = unavailable("upstream_unavailable", "no").error();
  bool well = false;
  int calls = 0;
  std::set<std::string> paths;
};

class BalancedUpstreamTest : public ::testing::Test {
 protected:
  void make(std::size_t count) {
    std::vector<std::shared_ptr<Upstream>> all;
    for (std::size_t i = 0; i < count; ++i) {
      instances_.push_back(std::make_shared<Instance>());
      all.push_back(instances_.back());
    }
    upstream_ = std::make_unique<BalancedUpstream>(std::move(all), options_, clock_, random_);
  }
  Result<Response> call(Method method = Method::kGet, std::string_view body = "", std::string_view target = "/x") {
    TextBody text(body);
    Request request;
    request.method = method;
    request.method_text = "GET";
    request.set_target(target);
    request.body = &text;
    return loop_.run(upstream_->call(request, SteadyTime::max()));
  }
  int status(Method method = Method::kGet, std::string_view body = "", std::string_view target = "/x") {
    const auto answer = call(method, body, target);
    return answer ? answer->status : 0;
  }
  Instance& at(std::size_t i) { return *instances_.at(i); }

  BalancingOptions options_;
  ManualClock clock_;
  SeededRandom random_{7};
  std::vector<std::shared_ptr<Instance>> instances_;
  std::unique_ptr<BalancedUpstream> upstream_;
  testing::LoopThread loop_;
};

TEST_F(BalancedUpstreamTest, SpreadsCallsOverAll) {
  make(3);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(status(), 200);
  for (const auto& one : instances_) EXPECT_GT(one->calls, 50);
  EXPECT_EQ(upstream_->name(), "media");
}

TEST_F(BalancedUpstreamTest, ACallThatMayBeRepeatedGoesOnToOneThatCanBeReached) {
  make(2);
  at(0).status = 0;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(status(), 200);
  EXPECT_EQ(at(0).calls, 3) << "it rests after three failures";
  EXPECT_EQ(at(1).calls, 50);
  EXPECT_EQ(upstream_->well(), 1u);
}

TEST_F(BalancedUpstreamTest, WhatMayHaveBeenDoneIsNotDoneAgain) {
  make(2);
  at(0).status = 0;
  int failed = 0;
  for (int i = 0; i < 50; ++i) failed += status(Method::kPost, "body") == 0 ? 1 : 0;
  EXPECT_EQ(failed, 3);
  EXPECT_EQ(at(0).calls + at(1).calls, 50);
}

TEST_F(BalancedUpstreamTest, ATimeoutIsPassedOnAndNotTriedElsewhere) {
  make(2);
  for (const auto& one : instances_) {
    one->status = 0;
    one->error = Error{ErrorKind::kTimeout, "deadline_exceeded", "no", {}, {}};
  }
  EXPECT_EQ(call().error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(at(0).calls + at(1).calls, 1);
}

TEST_F(BalancedUpstreamTest, OneCallTriesAnInstanceAfterItsRestWhichDoubles) {
  options_.failures_to_rest = 1;
  make(2);
  at(0).status = 503;
  while (at(0).calls == 0) (void)status();
  for (const int rest_ms : {1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000}) {
    const int before = at(0).calls;
    clock_.advance(milliseconds(rest_ms - 1));
    for (int i = 0; i < 40; ++i) EXPECT_EQ(status(), 200);
    EXPECT_EQ(at(0).calls, before) << rest_ms;
    clock_.advance(milliseconds(1));
    for (int i = 0; i < 40; ++i) (void)status();
    EXPECT_EQ(at(0).calls, before + 1) << rest_ms;
  }
  at(0).status = 200;
  clock_.advance(milliseconds(30'000));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(status(), 200);
  EXPECT_EQ(upstream_->well(), 2u);
  // What it had gone through before is forgotten.
  at(0).status = 503;
  while (upstream_->well() == 2) (void)status();
  clock_.advance(milliseconds(1'000));
  EXPECT_EQ(upstream_->well(), 2u);
}

TEST_F(BalancedUpstreamTest, WhereAllRestTheOneThatIsBackFirstIsAsked) {
  options_.failures_to_rest = 1;
  make(2);
  at(0).status = at(1).status = 503;
  while (at(0).calls == 0 || at(1).calls == 0) {
    (void)status();
    clock_.advance(milliseconds(1));
  }
  const int before = at(0).calls + at(1).calls;
  EXPECT_EQ(upstream_->well(), 0u);
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(at(0).calls + at(1).calls, before + 1);
}

TEST_F(BalancedUpstreamTest, AnInstanceIsNotAtFaultForWhatIsNot) {
  options_.failures_to_rest = 1;
  make(1);
  for (const int fine : {200, 404, 429, 500, 507}) {
    at(0).status = fine;
    EXPECT_EQ(status(), fine);
    EXPECT_EQ(upstream_->well(), 1u) << fine;
  }
  at(0).status = 503;
  at(0).well = true;
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(upstream_->well(), 1u);
  at(0).status = 0;
  for (const Error& other : {Error{ErrorKind::kInvalid, "bad_request", "the client's body", {}, {}},
                             unavailable("upstream_busy", "our own limit").error()}) {
    at(0).error = other;
    EXPECT_EQ(call().error().code, other.code);
    EXPECT_EQ(upstream_->well(), 1u) << other.code;
  }
}

TEST_F(BalancedUpstreamTest, WhatHasAffinityStaysWithOneInstanceWhileThatOneIsWell) {
  options_.affinity = [](const Request& request) -> std::optional<std::uint64_t> {
    if (!request.path.starts_with("/upload/")) return std::nullopt;
    return std::hash<std::string_view>()(request.path);
  };
  options_.failures_to_rest = 1;
  make(3);
  const auto path = [](int n) { return "/upload/" + std::to_string(n); };
  for (int turn = 0; turn < 3; ++turn) {
    for (int n = 0; n < 90; ++n) EXPECT_EQ(status(Method::kPatch, "x", path(n)), 200);
  }
  std::size_t homes = 0;
  for (const auto& one : instances_) {
    EXPECT_GT(one->paths.size(), 10u);
    homes += one->paths.size();
  }
  EXPECT_EQ(homes, 90u) << "each path is at one instance";
  // One goes: its paths move, the others' stay.
  const auto stay = at(1).paths;
  at(0).status = 0;
  at(0).paths.clear();
  for (int n = 0; n < 90; ++n) (void)status(Method::kPatch, "x", path(n));
  for (int n = 0; n < 90; ++n) EXPECT_EQ(status(Method::kPatch, "x", path(n)), 200);
  for (const std::string& one : stay) EXPECT_FALSE(at(2).paths.contains(one));
  EXPECT_EQ(at(0).paths.size(), 1u);
}

}  // namespace
}  // namespace parley::http
