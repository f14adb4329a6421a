#include "gateway/recent_recorder.h"

#include <gtest/gtest.h>

#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using testing::FakeUpstream;

// One loop, turned by the test's own thread, so that each step is seen.
class RecentRecorderTest : public ::testing::Test {
 protected:
  RecentRecorderTest() {
    request.fields.add("Authorization", "Bearer ada's");
    search.script = {FakeUpstream::status(204)};
  }
  void record(std::string_view q) {
    http::Exchange exchange(request);
    exchange.request_id = "rid";
    recorder.record(exchange, q);
  }
  void turn() {
    loop.io().restart();
    loop.io().run();
  }
  void stop() {
    bool stopped = false;
    recorder.stop([&stopped] { stopped = true; });
    turn();
    EXPECT_TRUE(stopped);
  }
  double count(std::string_view result) const {
    const std::string line = "\nparley_gateway_search_recent_total{result=\"" + std::string(result) + "\"} ";
    const std::string text = metrics.text();
    return std::stod(text.substr(text.find(line) + line.size()));
  }

  EventLoop loop{0};
  ManualClock clock;
  Metrics metrics;
  FakeUpstream search;
  RecentRecorder recorder{search, clock, metrics};
  http::Request request;
};

TEST_F(RecentRecorderTest, TellsSearchInTheNameOfWhoSearched) {
  request.fields.add("X-Parley-User", "b%20b");
  recorder.start(loop);
  record("say \"hé\"\\");
  EXPECT_TRUE(search.seen.empty());  // nobody waits for it
  turn();
  ASSERT_EQ(search.seen.size(), 1u);
  const auto& seen = search.seen[0];
  EXPECT_EQ(seen.method, http::Method::kPost);
  EXPECT_EQ(seen.target, "/internal/recent");
  EXPECT_EQ(seen.body, R"({"q":"say \"hé\"\\"})");
  EXPECT_EQ(seen.all("Authorization"), std::vector<std::string>{"Bearer ada's"});
  EXPECT_EQ(seen.all("X-Parley-User"), std::vector<std::string>{"b%20b"});
  EXPECT_EQ(seen.all("Content-Type"), std::vector<std::string>{"application/json"});
  EXPECT_EQ(seen.all("X-Request-Id"), std::vector<std::string>{"rid"});
  EXPECT_EQ(seen.deadline, clock.steady_now() + std::chrono::seconds(2));
  EXPECT_EQ(count("sent"), 1);
  stop();
}

TEST_F(RecentRecorderTest, TakesOnlySoMuchAtOnce) {
  recorder.start(loop);
  for (std::size_t i = 0; i < RecentRecorder::kMostAtOnce + 3; ++i) record("q");
  EXPECT_EQ(count("dropped"), 3);
  turn();
  EXPECT_EQ(search.seen.size(), RecentRecorder::kMostAtOnce);
  record("q");  // there is room again
  turn();
  EXPECT_EQ(count("sent"), RecentRecorder::kMostAtOnce + 1);
  stop();
}

TEST_F(RecentRecorderTest, CountsWhatSearchDidNotTake) {
  search.script = {FakeUpstream::status(503), FakeUpstream::error(ErrorKind::kTimeout), FakeUpstream::status(401)};
  recorder.start(loop);
  for (int i = 0; i < 3; ++i) record("q");
  turn();
  EXPECT_EQ(count("failed"), 3);
  stop();
}

TEST_F(RecentRecorderTest, BeforeItsStartAndAfterItsStopItDropsAll) {
  record("q");
  recorder.start(loop);
  record("q");  // on its way when it stops
  stop();
  record("q");
  turn();
  EXPECT_EQ(count("dropped"), 3);
  EXPECT_TRUE(search.seen.empty());
}

TEST_F(RecentRecorderTest, WithoutATokenThereIsNobodyToRecordFor) {
  request.fields.clear();
  recorder.start(loop);
  record("q");
  turn();
  EXPECT_EQ(count("dropped"), 1);
  EXPECT_TRUE(search.seen.empty());
  stop();
}

}  // namespace
}  // namespace parley::gateway
