#include "http/operations/operational_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi/embedded.h"
#include "http/operations/docs_page.h"
#include "http/testing/service_client.h"
#include "telemetry/metrics.h"

namespace parley::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Task<Result<>> take_and_answer(ManualClock& clock, std::chrono::milliseconds time, bool up) {
  clock.advance(time);
  if (up) co_return Result<>();
  co_return unavailable("unavailable", "It is away.");
}

class OperationalRoutesTest : public ::testing::Test {
 protected:
  HealthCheck check(std::string name, bool needed, bool& up) {
    return {std::move(name), needed,
            [this, &up](SteadyTime) { return take_and_answer(clock_, std::chrono::milliseconds(3), up); }};
  }

  ManualClock clock_;
  Metrics metrics_;
  bool store_up_ = true, mail_up_ = true;
  std::shared_ptr<const openapi::Contract> contract_ = openapi::Contract::parse(openapi::messaging_yaml()).value();
  testing::LoopThread loop_;
  RoutedService service_{
      operational_routes(contract_, {check("store", true, store_up_), check("mail", false, mail_up_)}, metrics_,
                         clock_),
      {}};
  testing::ServiceClient client_{loop_, service_};
};

TEST_F(OperationalRoutesTest, HealthIsOkWhileAllDependenciesAre) {
  const auto answer = client_.get("/health");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"status":"ok","dependencies":{"store":{"status":"ok","latency_ms":3},"mail":{"status":"ok","latency_ms":3}}})");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
}

TEST_F(OperationalRoutesTest, HealthIsDegradedWithoutWhatItCanDoWithout) {
  mail_up_ = false;
  const auto answer = client_.get("/health");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"({"status":"degraded",)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("mail":{"status":"down")"));
}

TEST_F(OperationalRoutesTest, HealthIs503WithoutWhatItNeeds) {
  store_up_ = mail_up_ = false;
  const auto answer = client_.get("/health");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_THAT(answer.body, HasSubstr(R"({"status":"down",)"));
}

TEST_F(OperationalRoutesTest, LivenessAsksNoDependency) {
  store_up_ = false;
  EXPECT_EQ(client_.get("/health/live").status, 200);
  EXPECT_EQ(client_.get("/health/live").body, R"({"status":"ok"})");
}

TEST_F(OperationalRoutesTest, MetricsAreInPrometheusForm) {
  metrics_.counter("parley_test_total", "Things.").Increment();
  const auto answer = client_.get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), Metrics::kContentType);
  EXPECT_THAT(answer.body, HasSubstr("parley_test_total 1"));
}

TEST_F(OperationalRoutesTest, TheContractIsServedAsItIs) {
  const auto answer = client_.get("/openapi.yaml");
  EXPECT_EQ(answer.header("Content-Type"), "application/yaml");
  EXPECT_EQ(answer.body, openapi::messaging_yaml());
}

TEST_F(OperationalRoutesTest, TheDocsPageLoadsNothingFromElsewhere) {
  const auto page = client_.get("/docs");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.header("Content-Security-Policy"), HasSubstr("default-src 'self'"));
  EXPECT_THAT(page.body, Not(HasSubstr("http://")));
  EXPECT_THAT(page.body, Not(HasSubstr("https://")));
  EXPECT_THAT(page.body, Not(HasSubstr("<style")));
  EXPECT_THAT(page.body, Not(HasSubstr("<script>")));
}

TEST_F(OperationalRoutesTest, EverythingThatTheDocsPageNamesIsThere) {
  const std::string page = client_.get("/docs").body;
  std::size_t found = 0;
  for (const std::string_view attribute : {"href=\"", "src=\""}) {
    for (std::size_t at = page.find(attribute); at != std::string::npos; at = page.find(attribute, at + 1)) {
      const std::size_t begin = at + attribute.size();
      const auto file = client_.get("/" + page.substr(begin, page.find('"', begin) - begin));
      EXPECT_EQ(file.status, 200);
      EXPECT_FALSE(file.body.empty());
      EXPECT_EQ(file.header("X-Content-Type-Options"), "nosniff");
      ++found;
    }
  }
  EXPECT_GE(found, 2U);
  if (!has_swagger_ui()) EXPECT_THAT(page, HasSubstr("/conversations/{conversation_id}/messages"));
}

TEST_F(OperationalRoutesTest, ASlashTooManyLeadsToTheDocs) {
  const auto answer = client_.get("/docs/");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ(answer.header("Location"), "../docs");
}

TEST_F(OperationalRoutesTest, TheRootSaysWhatThisIsAndWhereToReadOn) {
  const auto answer = client_.get("/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"name":"Parley messaging","docs":"docs","contract":"openapi.yaml","health":"health"})");
}

TEST_F(OperationalRoutesTest, NothingElseStandsBehindDocs) {
  for (const char* path : {"/docs/x", "/docs/..", "/docs/..%2fsecret", "/docs/a/b"}) {
    EXPECT_EQ(client_.get(path).status, 404) << path;
  }
  EXPECT_EQ(client_.post("/docs", "{}").status, 405);
}

}  // namespace
}  // namespace parley::http
