#include "telemetry/request_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

namespace parley {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using testing::HasSubstr;
using testing::Not;

const std::vector<RouteLabel> kRoutes{{"GET", "/a/{id}"}, {"POST", "/a"}};

double value_of(const std::string& text, const std::string& series) {
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
}

TEST(RequestMetrics, CountByRouteMethodAndStatusOverAllLoops) {
  Metrics metrics;
  RequestMetrics requests(metrics, "messaging", kRoutes, 2);
  requests.record(0, 0, 200, microseconds(300), 0, 100);
  requests.record(1, 0, 200, microseconds(300), 0, 100);
  requests.record(1, 1, 201, microseconds(300), 50, 10);
  requests.record(1, 1, 503, microseconds(300), 50, 10);
  const std::string text = metrics.text();
  EXPECT_EQ(value_of(text, R"(parley_http_requests_total{method="GET",role="messaging",route="/a/{id}",status="200"})"),
            2);
  EXPECT_EQ(value_of(text, R"(parley_http_requests_total{method="POST",role="messaging",route="/a",status="201"})"), 1);
  EXPECT_EQ(value_of(text, R"(parley_http_requests_total{method="POST",role="messaging",route="/a",status="503"})"), 1);
  EXPECT_EQ(value_of(text, R"(parley_http_request_bytes_total{role="messaging"})"), 100);
  EXPECT_EQ(value_of(text, R"(parley_http_response_bytes_total{role="messaging"})"), 220);
  EXPECT_THAT(text, Not(HasSubstr("status=\"404\"")));
}

TEST(RequestMetrics, CountWhatHasNoRouteAsNone) {
  Metrics metrics;
  RequestMetrics requests(metrics, "media", kRoutes, 1);
  requests.record(0, RequestMetrics::kNoRoute, 404, microseconds(1), 0, 0);
  requests.record(0, 2, 405, microseconds(1), 0, 0);
  const std::string text = metrics.text();
  EXPECT_EQ(value_of(text, R"(parley_http_requests_total{method="",role="media",route="none",status="404"})"), 1);
  EXPECT_EQ(value_of(text, R"(parley_http_requests_total{method="",role="media",route="none",status="405"})"), 1);
}

TEST(RequestMetrics, CountRareStatusesWithTheirClass) {
  Metrics metrics;
  RequestMetrics requests(metrics, "media", kRoutes, 1);
  for (const int status : {418, 499, 599, 99, 600, -1, 0, 207, 308})
    requests.record(0, 0, status, microseconds(1), 0, 0);
  const std::string text = metrics.text();
  const auto count = [&](const std::string& status) {
    return value_of(
        text, R"(parley_http_requests_total{method="GET",role="media",route="/a/{id}",status=")" + status + "\"}");
  };
  EXPECT_EQ(count("400"), 1);
  EXPECT_EQ(count("499"), 1);
  EXPECT_EQ(count("500"), 5);
  EXPECT_EQ(count("200"), 1);
  EXPECT_EQ(count("308"), 1);
}

TEST(RequestMetrics, PutEachLatencyIntoTheBucketThatHoldsItsBound) {
  for (std::size_t i = 0; i < latency_buckets().size(); ++i) {
    Metrics metrics;
    RequestMetrics requests(metrics, "media", kRoutes, 1);
    const nanoseconds bound(static_cast<std::int64_t>(latency_buckets()[i] * 1e9 + 0.5));
    requests.record(0, 0, 200, bound - nanoseconds(1), 0, 0);
    requests.record(0, 0, 200, bound, 0, 0);
    requests.record(0, 0, 200, bound + nanoseconds(1), 0, 0);
    const std::string text = metrics.text();
    for (std::size_t j = 0; j < latency_buckets().size(); ++j) {
      std::ostringstream series;
      series << R"(parley_http_request_duration_seconds_bucket{method="GET",role="media",route="/a/{id}",le=")"
             << latency_buckets()[j] << "\"}";
      EXPECT_EQ(value_of(text, series.str()), j < i ? 0 : j == i ? 2 : 3) << series.str();
    }
    EXPECT_EQ(
        value_of(text,
                 R"(parley_http_request_duration_seconds_bucket{method="GET",role="media",route="/a/{id}",le="+Inf"})"),
        3);
    EXPECT_EQ(
        value_of(text, R"(parley_http_request_duration_seconds_count{method="GET",role="media",route="/a/{id}"})"), 3);
    EXPECT_NEAR(
        value_of(text, R"(parley_http_request_duration_seconds_sum{method="GET",role="media",route="/a/{id}"})"),
        3 * latency_buckets()[i], 1e-9);
  }
}

TEST(RequestMetrics, TakeALatencyThatIsNegativeOrEndless) {
  Metrics metrics;
  RequestMetrics requests(metrics, "media", kRoutes, 1);
  requests.record(0, 0, 200, nanoseconds(-5), 0, 0);
  requests.record(0, 0, 200, std::chrono::hours(1), 0, 0);
  const std::string text = metrics.text();
  EXPECT_EQ(
      value_of(text,
               R"(parley_http_request_duration_seconds_bucket{method="GET",role="media",route="/a/{id}",le="0.0005"})"),
      1);
  EXPECT_EQ(
      value_of(text,
               R"(parley_http_request_duration_seconds_bucket{method="GET",role="media",route="/a/{id}",le="10"})"),
      1);
  EXPECT_EQ(value_of(text, R"(parley_http_request_duration_seconds_sum{method="GET",role="media",route="/a/{id}"})"),
            3600);
}

TEST(RequestMetrics, OfSeveralRolesStandInOneFamilyWhileTheyLive) {
  Metrics metrics;
  RequestMetrics gateway(metrics, "gateway", kRoutes, 1);
  gateway.record(0, 0, 200, microseconds(1), 0, 0);
  {
    RequestMetrics media(metrics, "media", kRoutes, 1);
    media.record(0, 0, 200, microseconds(1), 0, 0);
    const std::string text = metrics.text();
    EXPECT_EQ(text.find("# TYPE parley_http_requests_total"), text.rfind("# TYPE parley_http_requests_total"));
    EXPECT_THAT(text, HasSubstr("role=\"media\""));
    EXPECT_THAT(text, HasSubstr("role=\"gateway\""));
  }
  EXPECT_THAT(metrics.text(), Not(HasSubstr("role=\"media\"")));
}

TEST(RequestMetrics, LoseNothingWhenScrapedWhileLoopsRecord) {
  Metrics metrics;
  RequestMetrics requests(metrics, "gateway", kRoutes, 2);
  {
    std::vector<std::jthread> loops;
    for (std::size_t loop = 0; loop < 2; ++loop) {
      loops.emplace_back([&requests, loop] {
        for (int i = 0; i < 20'000; ++i) requests.record(loop, 1, 201, microseconds(700), 1, 2);
      });
    }
    for (int i = 0; i < 20; ++i) metrics.text();
  }
  const std::string text = metrics.text();
  EXPECT_EQ(value_of(text, R"(parley_http_requests_total{method="POST",role="gateway",route="/a",status="201"})"),
            40'000);
  EXPECT_EQ(value_of(text, R"(parley_http_response_bytes_total{role="gateway"})"), 80'000);
}

}  // namespace
}  // namespace parley
