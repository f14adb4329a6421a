// The client against the cluster that librdkafka brings for tests: brokers that go away and come back, without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/run_on_loop.h"
#include "drivers/kafka/cluster.h"
#include "drivers/kafka/group_consumer.h"
#include "drivers/kafka/handles.h"
#include "drivers/kafka/producer.h"

// Wants rdkafka.h before it.
#include <librdkafka/rdkafka_mock.h>

namespace parley::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class KafkaClient : public ::testing::Test {
 protected:
  KafkaClient() : loops_(1) {
    loops_.start();
    Conf conf(rd_kafka_conf_new());
    owner_ = *make_handle(RD_KAFKA_PRODUCER, std::move(conf));
    cluster_ = rd_kafka_mock_cluster_new(owner_.get(), 1);
    rd_kafka_mock_topic_create(cluster_, "t", 2, 1);
    client_.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
  }
  ~KafkaClient() override {
    loops_.stop();
    rd_kafka_mock_cluster_destroy(cluster_);
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static SteadyTime within(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
  static SteadyTime in_time() { return within(std::chrono::seconds(20)); }
  // Records in order, from partition 0's and 1's beginning on, until so many have come.
  std::vector<InRecord> read(std::size_t count) {
    auto consumer = GroupConsumer::open({.client = client_, .topic = "t", .group = "g"});
    EXPECT_TRUE(consumer);
    std::vector<InRecord> records;
    for (const SteadyTime end = in_time(); records.size() < count && std::chrono::steady_clock::now() < end;) {
      auto polled = (*consumer)->poll(std::chrono::milliseconds(50));
      if (!polled) continue;
      if (std::holds_alternative<Assigned>(*polled)) EXPECT_TRUE((*consumer)->read_from({{0, 0}, {1, 0}}));
      if (auto* record = std::get_if<InRecord>(&*polled)) records.push_back(std::move(*record));
    }
    return records;
  }

  EventLoops loops_;
  Handle owner_;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  ClientOptions client_;
};

OutRecord record(std::string value, std::optional<std::int32_t> partition = 0) {
  return {.topic = "t", .partition = partition, .key = "k", .value = std::move(value), .headers = {{"h", "x"}}};
}

TEST_F(KafkaClient, WhatAProducerPublishedIsReadInOrderWithKeysAndHeaders) {
  Producer producer({.client = client_, .transactional_id = {}});
  ASSERT_TRUE(wait(producer.take_over(in_time())));
  EXPECT_EQ(wait(producer.partitions("t", in_time())).value(), 2);
  ASSERT_TRUE(wait(producer.publish({record("1"), record("2"), record("3")}, in_time())));
  ASSERT_TRUE(wait(producer.publish({record("4")}, in_time())));
  const auto records = read(4);
  ASSERT_EQ(records.size(), 4u);
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].value, std::to_string(i + 1));
    EXPECT_EQ(records[i].offset, static_cast<std::int64_t>(i));
    EXPECT_EQ(records[i].key, "k");
    EXPECT_THAT(records[i].headers, ElementsAre(::testing::Pair("h", "x")));
  }
}

TEST_F(KafkaClient, PublishingWhileTheBrokerIsAwayFailsInTimeAndWorksAgainAfterwards) {
  Producer producer({.client = client_, .transactional_id = {}});
  ASSERT_TRUE(wait(producer.take_over(in_time())));
  ASSERT_TRUE(wait(producer.publish({record("1")}, in_time())));
  rd_kafka_mock_broker_set_down(cluster_, 1);
  const auto begun = std::chrono::steady_clock::now();
  const auto failed = wait(producer.publish({record("lost or not")}, within(std::chrono::milliseconds(300))));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(failed.error().retry_after);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  const auto before_take_over = wait(producer.publish({record("x")}, in_time()));
  EXPECT_FALSE(before_take_over) << "a failure is followed by take_over()";
  rd_kafka_mock_broker_set_up(cluster_, 1);
  ASSERT_TRUE(wait(producer.take_over(in_time())));
  ASSERT_TRUE(wait(producer.publish({record("2")}, in_time())));
}

TEST_F(KafkaClient, AClusterThatIsAwayDoesNotAnswerAPing) {
  auto cluster = Cluster::open(client_);
  ASSERT_TRUE(cluster);
  EXPECT_TRUE(wait((*cluster)->ping(in_time())));
  rd_kafka_mock_broker_set_down(cluster_, 1);
  const auto away = wait((*cluster)->ping(within(std::chrono::milliseconds(300))));
  ASSERT_FALSE(away);
  EXPECT_THAT(away.error().kind, ::testing::AnyOf(ErrorKind::kUnavailable, ErrorKind::kTimeout));
  rd_kafka_mock_broker_set_up(cluster_, 1);
  EXPECT_TRUE(wait((*cluster)->ping(in_time())));
}

TEST_F(KafkaClient, BoundsAreToldForEachPartition) {
  Producer producer({.client = client_, .transactional_id = {}});
  ASSERT_TRUE(wait(producer.take_over(in_time())));
  ASSERT_TRUE(wait(producer.publish({record("1", 1), record("2", 1)}, in_time())));
  auto consumer = GroupConsumer::open({.client = client_, .topic = "t", .group = "g"});
  ASSERT_TRUE(consumer);
  const auto bounds = (*consumer)->bounds(std::chrono::seconds(20));
  ASSERT_TRUE(bounds) << bounds.error().detail;
  ASSERT_EQ(bounds->size(), 2u);
  EXPECT_EQ((*bounds)[0].end, 0);
  EXPECT_EQ((*bounds)[1].end, 2);
}

TEST(KafkaOptions, FaultsNameTheOptionAndNeverTheSecret) {
  const std::string secret = "hunter2";
  for (const ClientOptions& options :
       {ClientOptions{.brokers = "127.0.0.1:1", .security = "tls", .password = Secret(secret)},
        ClientOptions{.brokers = "127.0.0.1:1",
                      .security = "sasl_ssl",
                      .sasl_mechanism = "NONE",
                      .username = "u",
                      .password = Secret(secret)},
        ClientOptions{
            .brokers = "127.0.0.1:1", .security = "ssl", .password = Secret(secret), .ca_file = "/nowhere/ca.pem"},
        ClientOptions{.brokers = "127.0.0.1:1",
                      .security = "ssl",
                      .password = Secret(secret),
                      .cert_file = "/nowhere/cert.pem",
                      .key_file = "/nowhere/key.pem"}}) {
    const auto cluster = Cluster::open(options);
    ASSERT_FALSE(cluster);
    EXPECT_EQ(cluster.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(cluster.error().detail, Not(HasSubstr(secret)));
  }
}

TEST(KafkaOptions, SaslAndTlsAreTaken) {
  for (const char* security : {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}) {
    for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
      EXPECT_TRUE(Cluster::open({.brokers = "127.0.0.1:1",
                                 .security = security,
                                 .sasl_mechanism = mechanism,
                                 .username = "u",
                                 .password = Secret("p")}))
          << security << mechanism;
    }
  }
}

}  // namespace
}  // namespace parley::kafka
