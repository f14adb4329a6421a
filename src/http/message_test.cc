#include "http/message.h"

#include <gtest/gtest.h>

#include "http/problem.h"
#include "http/upstream.h"

namespace parley::http {
namespace {

TEST(HeaderText, FindsSetsAndRemovesWithoutRegardToCase) {
  HeaderText headers;
  headers.add("A", "1");
  headers.add("Bee", "2");
  headers.add("a", "3");
  EXPECT_EQ(headers.find("bee"), "2");
  EXPECT_EQ(headers.find("be"), std::nullopt);
  headers.set("A", "4");
  EXPECT_EQ(headers.text(), "Bee: 2\r\nA: 4\r\n");
  headers.remove("BEE");
  EXPECT_EQ(headers.text(), "A: 4\r\n");
}

TEST(Request, FindsQueryParameters) {
  Request request;
  request.set_target("/a?b=1&c&d=%20&b=2");
  EXPECT_EQ(request.path, "/a");
  EXPECT_EQ(request.query_parameter("b"), "1");
  EXPECT_EQ(request.query_parameter("c"), "");
  EXPECT_EQ(request.query_parameter("d"), "%20");
  EXPECT_EQ(request.query_parameter("e"), std::nullopt);
}

TEST(ProblemResponse, ShowsFieldsAndRetryAfter) {
  Error error{ErrorKind::kInvalid, "validation_failed", "Bad.", {{"/content", "is too long"}}, {}};
  const Response invalid = problem_response(error, "req-1");
  EXPECT_EQ(invalid.status, 400);
  EXPECT_EQ(invalid.headers.find("Content-Type"), "application/problem+json");
  EXPECT_EQ(invalid.body,
            R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"Bad.","code":"validation_failed",)"
            R"("request_id":"req-1","errors":[{"path":"/content","message":"is too long"}]})");
  error = {ErrorKind::kUnavailable, "busy", "Later.", {}, std::chrono::seconds(3)};
  EXPECT_EQ(problem_response(error, "r").headers.find("Retry-After"), "3");
  EXPECT_FALSE(problem_response(error, "r").headers.find(kRoleIsWell));
}

TEST(ProblemResponse, SaysThatTheRoleIsWellWhereItIs) {
  Error error = unavailable_but_well("unavailable", "Another role is away.").error();
  EXPECT_EQ(problem_response(error, "r").headers.find(kRoleIsWell), "true");
  error.kind = ErrorKind::kConflict;  // which counts against nobody anyway
  EXPECT_FALSE(problem_response(error, "r").headers.find(kRoleIsWell));
}

TEST(ProblemResponse, ShowsNothingOfAnInternalError) {
  const Response response = problem_response({ErrorKind::kInternal, "sqlite", "disk I/O at page 7", {}, {}}, "r");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("sqlite"), std::string::npos);
  EXPECT_EQ(response.body.find("page 7"), std::string::npos);
  EXPECT_NE(response.body.find(R"("request_id":"r")"), std::string::npos);
}

}  // namespace
}  // namespace parley::http
