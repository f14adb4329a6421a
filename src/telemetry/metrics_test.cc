#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

namespace parley {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, ShowCountersGaugesAndHistograms) {
  Metrics metrics;
  metrics.counter("parley_things_total", "Things.", {{"role", "gateway"}}).Increment();
  metrics.gauge("parley_level", "Level.").Set(2.5);
  Histogram& sizes = metrics.histogram("parley_sizes", "Sizes.", {}, std::array{1.0, 10.0});
  sizes.Observe(1);
  sizes.Observe(5);
  sizes.Observe(11);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# HELP parley_things_total Things.\n# TYPE parley_things_total counter\n"
                              "parley_things_total{role=\"gateway\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE parley_level gauge\nparley_level 2.5\n"));
  EXPECT_THAT(text, HasSubstr("parley_sizes_bucket{le=\"1\"} 1\nparley_sizes_bucket{le=\"10\"} 2\n"
                              "parley_sizes_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("parley_sizes_sum 17\n"));
}

TEST(Metrics, GiveTheSameSeriesForTheSameNameAndLabels) {
  Metrics metrics;
  Counter& a = metrics.counter("parley_a_total", "A.", {{"role", "media"}});
  EXPECT_EQ(&a, &metrics.counter("parley_a_total", "A.", {{"role", "media"}}));
  EXPECT_NE(&a, &metrics.counter("parley_a_total", "A.", {{"role", "search"}}));
}

TEST(MetricsDeathTest, RefuseABadNameAndANameOfAnotherKind) {
  Metrics metrics;
  metrics.counter("parley_a_total", "A.");
  EXPECT_DEATH(metrics.gauge("parley_a_total", "A."), "CHECK failed");
  EXPECT_DEATH(metrics.counter("parley a", "A."), "CHECK failed");
  EXPECT_DEATH(metrics.counter("", "A."), "CHECK failed");
  EXPECT_DEATH(metrics.counter("1a", "A."), "CHECK failed");
}

TEST(Metrics, AskScrapedValuesOnlyWhileTheyLive) {
  Metrics metrics;
  int asked = 0;
  {
    const auto depth = metrics.gauge_from("parley_depth", "Depth.", {{"role", "messaging"}}, [&] { return ++asked; });
    const auto all = metrics.counter_from("parley_all_total", "All.", {}, [] { return 4.0; });
    EXPECT_EQ(asked, 0);
    const std::string text = metrics.text();
    EXPECT_THAT(text, HasSubstr("# TYPE parley_depth gauge\nparley_depth{role=\"messaging\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE parley_all_total counter\nparley_all_total 4\n"));
  }
  EXPECT_THAT(metrics.text(), Not(HasSubstr("parley_depth")));
  EXPECT_EQ(asked, 1);
}

TEST(Metrics, PutSeriesOfOneNameTogetherWhoeverGivesThem) {
  Metrics metrics;
  const auto a = metrics.gauge_from("parley_depth", "Depth.", {{"role", "media"}}, [] { return 1; });
  const auto b = metrics.gauge_from("parley_depth", "Depth.", {{"role", "search"}}, [] { return 2; });
  EXPECT_THAT(metrics.text(), HasSubstr("# HELP parley_depth Depth.\n# TYPE parley_depth gauge\n"
                                        "parley_depth{role=\"media\"} 1\nparley_depth{role=\"search\"} 2\n"));
}

TEST(Metrics, EscapeLabelValues) {
  Metrics metrics;
  metrics.counter("parley_a_total", "A.", {{"route", "a\"b\\c\nd"}}).Increment();
  EXPECT_THAT(metrics.text(), HasSubstr("parley_a_total{route=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Metrics, ShowTheProcess) {
  Metrics metrics;
  std::map<std::string, double> values;
  std::istringstream text(metrics.text());
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with('#')) values[line.substr(0, line.find(' '))] = std::stod(line.substr(line.find(' ')));
  }
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
  EXPECT_GE(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GT(values["process_max_fds"], values["process_open_fds"]);
  EXPECT_GE(values["process_threads"], 1);
  EXPECT_TRUE(values.contains("process_cpu_seconds_total"));
  const double now = static_cast<double>(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  EXPECT_NEAR(values["process_start_time_seconds"], now, 600);
}

TEST(Metrics, MayBeScrapedWhileTheyCount) {
  Metrics metrics;
  Counter& counter = metrics.counter("parley_a_total", "A.");
  {
    std::jthread counting([&] {
      for (int i = 0; i < 20'000; ++i) counter.Increment();
    });
    std::jthread coming_and_going([&] {
      for (int i = 0; i < 200; ++i) {
        const auto value = metrics.gauge_from("parley_depth", "Depth.", {}, [] { return 1.0; });
        metrics.counter("parley_b_total", "B.", {{"i", std::to_string(i % 7)}}).Increment();
      }
    });
    for (int i = 0; i < 50; ++i) EXPECT_THAT(metrics.text(), HasSubstr("parley_a_total "));
  }
  EXPECT_THAT(metrics.text(), HasSubstr("parley_a_total 20000\n"));
}

}  // namespace
}  // namespace parley
