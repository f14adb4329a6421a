#include "app/kafka_engine.h"

#include "app/engine_wait.h"

namespace parley::app {

namespace {

constexpr std::chrono::seconds kLongestAnswer{3};
constexpr const char* kDeadLetters = ".dead_letters";

kafka::ClientOptions client_options(const KafkaSettings& settings) {
  return {.brokers = settings.brokers,
          .security = settings.security,
          .sasl_mechanism = settings.sasl_mechanism,
          .username = settings.username,
          .password = settings.password,
          .ca_file = settings.ca_file,
          .cert_file = settings.cert_file,
          .key_file = settings.key_file};
}

kafka::TopicWanted topic(const KafkaSettings& settings, std::string_view name, std::size_t partitions) {
  kafka::TopicWanted wanted{.name = settings.topic_prefix + std::string(name),
                            .partitions = static_cast<std::int32_t>(partitions),
                            .replication = static_cast<std::int32_t>(settings.replication),
                            .settings = {}};
  // One broker may be away without writing's having to wait.
  if (settings.replication >= 3) wanted.settings["min.insync.replicas"] = "2";
  return wanted;
}

std::vector<kafka::TopicWanted> topics_of(const Settings& settings) {
  std::vector<kafka::TopicWanted> topics;
  const auto add = [&](std::string_view name) {
    topics.push_back(topic(settings.kafka, name, settings.kafka.partitions));
    topics.push_back(topic(settings.kafka, std::string(name) + kDeadLetters, 1));
  };
  const bool messaging = settings.serve.has(Role::kMessaging);
  if (messaging || settings.serve.has(Role::kSearch)) add("messaging.events");
  if (messaging) topics.push_back(topic(settings.kafka, "user.events", settings.kafka.partitions));
  if (settings.serve.has(Role::kMedia)) add("media.events");
  return topics;
}

void warn_of_few_partitions(const std::vector<kafka::TopicWanted>& wanted, const std::vector<std::int32_t>& counts) {
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    if (counts[at] >= wanted[at].partitions) continue;
    log_warn("a topic has fewer partitions than KAFKA_PARTITIONS says; it is used as it is",
             {{"topic", wanted[at].name}, {"partitions", counts[at]}, {"wanted", wanted[at].partitions}});
  }
}

}  // namespace

Result<std::unique_ptr<KafkaEngine>> KafkaEngine::open(const Settings& settings) {
  auto cluster = kafka::Cluster::open(client_options(settings.kafka));
  if (!cluster) return fail(std::move(cluster.error()));
  const auto wanted = topics_of(settings);
  auto made = wait_for_engine("Kafka (KAFKA_BROKERS)", settings.engines.wait, [&] {
    return (*cluster)->ensure_topics(wanted, std::chrono::steady_clock::now() + kLongestAnswer);
  });
  if (!made) return fail(std::move(made.error()));
  warn_of_few_partitions(wanted, *made);
  return std::unique_ptr<KafkaEngine>(new KafkaEngine(settings, std::move(*cluster)));
}

KafkaEngine::KafkaEngine(const Settings& settings, std::unique_ptr<kafka::Cluster> cluster)
    : client_(client_options(settings.kafka)), prefix_(settings.kafka.topic_prefix), cluster_(std::move(cluster)) {}

http::HealthCheck KafkaEngine::health_check() {
  return {"kafka", false, [this](SteadyTime deadline) { return cluster_->ping(deadline); }};
}

EventRelay::EventRelay(const KafkaEngine& kafka, std::string_view role, std::string_view users_topic, EventLoop& loop,
                       events::EventLog& log, std::unique_ptr<events::RelayLease> lease, const Clock& clock,
                       Metrics& metrics)
    : producer_({.client = kafka.client(), .transactional_id = kafka.named("parley-" + std::string(role) + "-relay")}),
      lease_(std::move(lease)),
      relay_({.loop = loop, .log = log, .publisher = producer_, .lease = *lease_, .clock = clock, .metrics = metrics},
             {.topic = kafka.named(std::string(role) + ".events"),
              .users_topic = users_topic.empty() ? std::string() : kafka.named(users_topic),
              .source = "/parley/" + std::string(role)}) {}

}  // namespace parley::app
