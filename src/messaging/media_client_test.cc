#include "messaging/media_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::messaging {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// Answers as it is told to, and keeps what it was asked.
class FakeMedia final : public http::Upstream {
 public:
  std::string_view name() const override { return "media"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime deadline) override {
    target = request.target;
    authorization = request.fields.find("Authorization").value_or("");
    request_id = request.fields.find("X-Request-Id").value_or("");
    until = deadline;
    auto body = co_await http::read_all(*request.body, 65'536);
    asked = body.value_or("");
    if (error) co_return fail(*error);
    co_return http::json_response(status, answer);
  }
  int status = 200;
  std::string answer = R"({"files":[]})";
  std::optional<Error> error;
  std::string target, authorization, request_id, asked;
  SteadyTime until;
};

class MediaClientTest : public ::testing::Test {
 protected:
  Result<std::vector<AttachedFile>> ask(std::vector<FileId> files = {FileId("f1"), FileId("f2")},
                                        SteadyTime deadline = SteadyTime::max()) {
    MediaClient client(media_, [] { return std::string("Bearer internal"); }, clock_);
    return loop_.run(
        client.readable({TenantId("acme"), UserId("ada"), {}, {}, {}}, std::move(files), {"r1", ""}, deadline));
  }

  ManualClock clock_;
  FakeMedia media_;
  http::testing::LoopThread loop_;
};

TEST_F(MediaClientTest, AsksForTheSenderUnderAnInternalToken) {
  media_.answer =
      R"({"files":[{"id":"f2","filename":"a \"b\".pdf","size":5000000000,"content_type":"application/pdf"}]})";
  const auto found = ask();
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(media_.target, "/internal/files");
  EXPECT_EQ(media_.authorization, "Bearer internal");
  EXPECT_EQ(media_.request_id, "r1");
  EXPECT_EQ(media_.asked, R"({"tenant":"acme","user":"ada","files":["f1","f2"]})");
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().id, FileId("f2"));
  EXPECT_EQ(found->front().filename, "a \"b\".pdf");
  EXPECT_EQ(found->front().size, 5'000'000'000);
  EXPECT_EQ(found->front().content_type, "application/pdf");
}

TEST_F(MediaClientTest, ReadsNoneAndFieldsItDoesNotKnow) {
  EXPECT_THAT(ask().value(), IsEmpty());
  media_.answer = R"({"files":[{"id":"f1","filename":"","size":0,"content_type":"","sha256":"x"}],"more":1})";
  EXPECT_THAT(ask().value(), SizeIs(1));
}

TEST_F(MediaClientTest, WaitsForSecondsAtTheMost) {
  ASSERT_TRUE(ask());
  EXPECT_EQ(media_.until, clock_.steady_now() + MediaClient::kPatience);
  ASSERT_TRUE(ask({FileId("f")}, clock_.steady_now() + std::chrono::milliseconds(5)));
  EXPECT_EQ(media_.until, clock_.steady_now() + std::chrono::milliseconds(5));
}

TEST_F(MediaClientTest, WhateverMediaDoesWrongIsUnavailable) {
  for (const int status : {204, 400, 401, 403, 404, 500, 503, 504}) {
    media_.status = status;
    EXPECT_EQ(ask().error().kind, ErrorKind::kUnavailable) << status;
    EXPECT_TRUE(ask().error().retry_after.has_value()) << status;
  }
  media_.status = 200;
  for (const char* odd : {"", "{", "[]", "null", "{}", R"({"files":null})", R"({"files":{}})", R"({"files":[1]})",
                          R"({"files":[{}]})", R"({"files":[{"id":7,"filename":"a","size":1,"content_type":"t"}]})",
                          R"({"files":[{"id":"f1","filename":null,"size":1,"content_type":"t"}]})",
                          R"({"files":[{"id":"f1","filename":"a","size":"1","content_type":"t"}]})",
                          R"({"files":[{"id":"f1","filename":"a","size":1.5,"content_type":"t"}]})",
                          R"({"files":[{"id":"f1","filename":"a","size":1}]})"}) {
    media_.answer = odd;
    EXPECT_EQ(ask().error().kind, ErrorKind::kUnavailable) << odd;
  }
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kTimeout, ErrorKind::kInternal}) {
    media_.error = Error{kind, "x", "of the inside", {}, {}};
    const auto failed = ask();
    EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(failed.error().code, kFilesUnavailable);
    EXPECT_TRUE(failed.error().role_is_well);
    EXPECT_THAT(failed.error().detail, ::testing::Not(::testing::HasSubstr("inside")));
  }
}

}  // namespace
}  // namespace parley::messaging
