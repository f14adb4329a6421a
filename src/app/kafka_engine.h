// KafkaEngine: the Kafka cluster that a process was told of: how it is reached, its topics, and whether it answers. And
// EventRelay, which publishes one role's log there. Made by Deployment on the main thread, before the roles that use
// them; the health check is asked on any loop.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "drivers/kafka/cluster.h"
#include "drivers/kafka/producer.h"
#include "events/kafka_relay.h"
#include "http/operations/operational_routes.h"
#include "telemetry/metrics.h"

namespace parley::app {

class KafkaEngine {
 public:
  // Makes the topics that the settings' roles need, and waits for the cluster to answer, ENGINE_WAIT_SECONDS at most.
  // fail: unavailable, saying what is missing; invalid for options that the client does not take.
  static Result<std::unique_ptr<KafkaEngine>> open(const Settings& settings);

  const kafka::ClientOptions& client() const { return client_; }
  // "messaging.events" with KAFKA_TOPIC_PREFIX before it; groups and transactional ids are named likewise.
  std::string named(std::string_view name) const { return prefix_ + std::string(name); }
  // Shown, not needed: what Kafka is needed for waits, and goes on when it is back.
  http::HealthCheck health_check();

 private:
  KafkaEngine(const Settings& settings, std::unique_ptr<kafka::Cluster> cluster);

  const kafka::ClientOptions client_;
  const std::string prefix_;
  std::unique_ptr<kafka::Cluster> cluster_;
};

class EventRelay {
 public:
  // All must outlive the relay. `users_topic` may be empty.
  EventRelay(const KafkaEngine& kafka, std::string_view role, std::string_view users_topic, EventLoop& loop,
             events::EventLog& log, std::unique_ptr<events::RelayLease> lease, const Clock& clock, Metrics& metrics);

  // On the loop; stop() likewise, and then waits for `stopped`.
  void start() { relay_.start(); }
  void stop(std::move_only_function<void()> stopped) { relay_.stop(std::move(stopped)); }

 private:
  kafka::Producer producer_;
  std::unique_ptr<events::RelayLease> lease_;
  events::KafkaRelay relay_;
};

}  // namespace parley::app
