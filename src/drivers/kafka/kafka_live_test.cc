// The client against a real cluster (PARLEY_TEST_KAFKA_BROKERS); each test has a topic of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/run_on_loop.h"
#include "drivers/kafka/cluster.h"
#include "drivers/kafka/group_consumer.h"
#include "drivers/kafka/producer.h"

namespace parley::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KafkaCluster : public ::testing::Test {
 protected:
  KafkaCluster() : loops_(1) {
    const char* brokers = std::getenv("PARLEY_TEST_KAFKA_BROKERS");
    if (brokers != nullptr) client_.brokers = brokers;
    loops_.start();
  }
  ~KafkaCluster() override { loops_.stop(); }
  void SetUp() override {
    if (client_.brokers.empty()) GTEST_SKIP() << "PARLEY_TEST_KAFKA_BROKERS is not set";
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static SteadyTime in_time() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

  EventLoops loops_;
  ClientOptions client_;
  const std::string topic_ = "test-" + std::to_string(std::random_device()());
};

TEST_F(KafkaCluster, TopicsAreMadeOnceAndLeftAsTheyAre) {
  auto cluster = Cluster::open(client_);
  ASSERT_TRUE(cluster);
  const TopicWanted wanted{.name = topic_, .partitions = 3, .replication = 1, .settings = {{"retention.ms", "60000"}}};
  const auto made = (*cluster)->ensure_topics({wanted}, in_time());
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(*made, ElementsAre(3));
  TopicWanted more = wanted;
  more.partitions = 7;
  const TopicWanted by_default{.name = topic_ + "-b", .partitions = 2, .replication = 0, .settings = {}};
  const auto again = (*cluster)->ensure_topics({more, by_default}, in_time());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_THAT(*again, ElementsAre(3, 2));
  EXPECT_TRUE(wait((*cluster)->ping(in_time())));
}

TEST_F(KafkaCluster, ATransactionIsReadWholeAndInOrder) {
  auto cluster = Cluster::open(client_);
  ASSERT_TRUE(
      (*cluster)->ensure_topics({{.name = topic_, .partitions = 1, .replication = 1, .settings = {}}}, in_time()));
  Producer producer({.client = client_, .transactional_id = topic_});
  ASSERT_TRUE(wait(producer.take_over(in_time())));
  for (int batch = 0; batch < 3; ++batch) {
    std::vector<OutRecord> records;
    for (int i = 0; i < 100; ++i) {
      records.push_back(
          {.topic = topic_, .partition = {}, .key = "k", .value = std::to_string(batch * 100 + i), .headers = {}});
    }
    const auto published = wait(producer.publish(std::move(records), in_time()));
    ASSERT_TRUE(published) << published.error().detail;
  }
  auto consumer = GroupConsumer::open({.client = client_, .topic = topic_, .group = topic_});
  ASSERT_TRUE(consumer);
  std::vector<std::string> values;
  std::int64_t end = 0;
  for (const SteadyTime until = in_time(); end == 0 && std::chrono::steady_clock::now() < until;) {
    auto polled = (*consumer)->poll(std::chrono::milliseconds(100));
    ASSERT_TRUE(polled) << polled.error().detail;
    if (std::holds_alternative<Assigned>(*polled)) ASSERT_TRUE((*consumer)->read_from({{0, 0}}));
    if (const auto* record = std::get_if<InRecord>(&*polled)) values.push_back(record->value);
    if (const auto* at_end = std::get_if<AtEnd>(&*polled); at_end && values.size() == 300) end = at_end->place.offset;
  }
  ASSERT_EQ(values.size(), 300u);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], std::to_string(i));
  const auto bounds = (*consumer)->bounds(std::chrono::seconds(30));
  ASSERT_TRUE(bounds);
  EXPECT_EQ(end, bounds->at(0).end) << "marks of transactions count, and are gone past";
  EXPECT_TRUE((*consumer)->commit({{0, end}}, true));
}

TEST_F(KafkaCluster, ABrokerThatIsNotThereIsUnavailable) {
  ClientOptions nowhere = client_;
  nowhere.brokers = "127.0.0.1:9";
  auto cluster = Cluster::open(nowhere);
  ASSERT_TRUE(cluster);
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  const auto made = (*cluster)->ensure_topics({{.name = topic_}}, soon);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(made.error().cause, HasSubstr("127.0.0.1:9"));
}

}  // namespace
}  // namespace parley::kafka
