#include "media/upstream_attachment_access.h"

#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::media {
namespace {

// Answers what it is told to and remembers what it was asked.
class Messaging final : public http::Upstream {
 public:
  std::string_view name() const override { return "messaging"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime deadline) override {
    target = std::string(request.target);
    authorization = std::string(request.fields.find("Authorization").value_or(""));
    request_id = std::string(request.fields.find("X-Request-Id").value_or("none"));
    traceparent = std::string(request.fields.find("traceparent").value_or("none"));
    asked_until = deadline;
    const auto read = co_await http::read_all(*request.body, 1024);
    body = read.value_or("");
    if (status == 0) co_return unavailable("unavailable", "no");
    co_return http::json_response(status, answer);
  }
  int status = 200;  // 0: no answer
  std::string answer = R"({"readable":true})";
  std::string target, authorization, request_id, traceparent, body;
  SteadyTime asked_until{};
};

class UpstreamAttachmentAccessTest : public ::testing::Test {
 protected:
  Result<bool> shows(SteadyTime deadline = SteadyTime::max()) {
    return loop_.run(access_.shows(reader_, FileId("f1"), deadline));
  }
  Reader reader_{TenantId("acme"), UserId("ada \"x\""), "r1", "00-1-2-01"};
  ManualClock clock_;
  std::shared_ptr<Messaging> messaging_ = std::make_shared<Messaging>();
  UpstreamAttachmentAccess access_{messaging_, [] { return std::string("Bearer internal"); }, clock_};
  http::testing::LoopThread loop_;
};

TEST_F(UpstreamAttachmentAccessTest, AsksByAnInternalCallAndBelievesTheAnswer) {
  EXPECT_TRUE(shows().value());
  EXPECT_EQ(messaging_->target, "/internal/attachment-access");
  EXPECT_EQ(messaging_->authorization, "Bearer internal");
  EXPECT_EQ(messaging_->body, R"({"tenant":"acme","user":"ada \"x\"","file":"f1"})");
  EXPECT_EQ(messaging_->asked_until, clock_.steady_now() + UpstreamAttachmentAccess::kPatience);
  EXPECT_EQ(messaging_->request_id, "r1");
  EXPECT_EQ(messaging_->traceparent, "00-1-2-01");
  messaging_->answer = R"({"readable":false})";
  EXPECT_FALSE(shows().value());
}

TEST_F(UpstreamAttachmentAccessTest, NamesNoRequestWhereThereIsNone) {
  reader_.request_id.clear();
  reader_.traceparent.clear();
  EXPECT_TRUE(shows().value());
  EXPECT_EQ(messaging_->request_id, "none");
  EXPECT_EQ(messaging_->traceparent, "none");
}

TEST_F(UpstreamAttachmentAccessTest, DoesNotWaitBeyondTheCallersDeadline) {
  const SteadyTime soon = clock_.steady_now() + std::chrono::milliseconds(5);
  (void)shows(soon);
  EXPECT_EQ(messaging_->asked_until, soon);
}

TEST_F(UpstreamAttachmentAccessTest, WhateverIsNoAnswerIsUnavailable) {
  const auto expect_unavailable = [this] {
    const auto answer = shows();
    ASSERT_FALSE(answer.has_value()) << messaging_->answer;
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    EXPECT_TRUE(answer.error().retry_after.has_value());
    EXPECT_TRUE(answer.error().role_is_well);  // whoever owns the file must still get it
  };
  for (const char* answer : {"", "{}", "[]", "true", R"({"readable":1})", R"({"readable":true)"}) {
    messaging_->answer = answer;
    expect_unavailable();
  }
  messaging_->answer = std::string(10'000, ' ') + R"({"readable":true})";
  expect_unavailable();
  messaging_->answer = R"({"readable":true})";
  for (const int status : {0, 401, 403, 404, 500, 503}) {
    messaging_->status = status;
    expect_unavailable();
  }
}

}  // namespace
}  // namespace parley::media
