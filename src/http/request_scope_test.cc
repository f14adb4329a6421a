#include "http/request_scope.h"

#include <gtest/gtest.h>

#include <mutex>

#include "http/testing/loop_thread.h"
#include "telemetry/log.h"

namespace parley::http {
namespace {

Task<Response> answer_as_asked(Exchange& exchange) {
  const bool refused = exchange.request.query == "refused";
  co_return refused ? json_response(503, "{}") : json_response(200, "{}");
}

class RequestRecorderTest : public ::testing::Test {
 protected:
  RequestRecorderTest() {
    std::vector<Route> routes = {
        {.method = Method::kGet, .pattern = "/x", .handler = answer_as_asked},
        {.method = Method::kGet, .pattern = "/internal/x", .handler = answer_as_asked, .access = Access::kInternal}};
    auto recorded = std::make_shared<RequestMetrics>(metrics, "search", route_labels(routes), 1);
    service.emplace(std::move(routes), std::vector<std::shared_ptr<Middleware>>{
                                           std::make_shared<RequestRecorder>("search", std::move(recorded))});
  }
  // The log after one request.
  std::string ask(std::string_view target, std::string_view peer = "10.0.0.1") {
    {
      const std::lock_guard lock(mutex);
      text.clear();
    }
    TextBody nothing("");
    Request request;
    request.method_text = "GET";
    request.set_target(target);
    request.body = &nothing;
    request.peer = peer;
    loop.run(service->serve(request));
    Log::flush();
    const std::lock_guard lock(mutex);
    return text;
  }

  std::mutex mutex;
  std::string text;
  Log log{{.sink = [this](std::string_view lines) {
    const std::lock_guard lock(mutex);
    text += lines;
  }}};
  http::testing::LoopThread loop;
  Metrics metrics;
  std::optional<RoutedService> service;
};

TEST_F(RequestRecorderTest, LogsWhatClientsAsk) {
  EXPECT_NE(ask("/x").find("\"route\":\"/x\""), std::string::npos);
  EXPECT_NE(ask("/x?refused").find("\"status\":503"), std::string::npos);
}

TEST_F(RequestRecorderTest, LeavesTheLogOfAnInProcessCallToTheRoleThatAsked) {
  EXPECT_EQ(ask("/x", ""), "");
}

// A signed address is as good as a token for as long as it lives.
TEST_F(RequestRecorderTest, LogsNeitherQueryNorPath) {
  for (const std::string target :
       {"/x?signature=s3cret&user=u", "/x?refused&signature=s3cret", "/no/s3cret?s3cret", "/x?s3cret", "/x?refused"}) {
    const std::string line = ask(target);
    EXPECT_NE(line.find("\"route\":"), std::string::npos);
    EXPECT_EQ(line.find("s3cret"), std::string::npos) << line;
    EXPECT_EQ(line.find("refused"), std::string::npos) << line;
  }
  EXPECT_EQ(metrics.text().find("s3cret"), std::string::npos);
}

// Roles poll each other, several times a second.
TEST_F(RequestRecorderTest, LogsWhatRolesAskOfEachOtherOnlyWhenItFails) {
  EXPECT_EQ(ask("/internal/x"), "");
  EXPECT_NE(ask("/internal/x?refused").find("\"route\":\"/internal/x\""), std::string::npos);
  EXPECT_NE(metrics.text().find("route=\"/internal/x\""), std::string::npos);
}

}  // namespace
}  // namespace parley::http
