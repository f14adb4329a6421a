// Cluster: what is asked of a Kafka cluster as such: to make topics, and whether it answers. Owned by the wiring.
// ensure_topics() blocks, for a thread that may wait, before the first ping(); ping() is called on any event loop and
// answers there. fail: unavailable, deadline_exceeded, invalid (options that the client does not take, a topic that
// cannot be made so). What ensure_topics() fails with says what brokers refused, for the operator.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/blocking.h"
#include "drivers/kafka/client_options.h"

namespace parley::kafka {

struct TopicWanted {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication = 0;  // 0: as the cluster does by itself
  std::map<std::string, std::string> settings;
};

class Cluster {
 public:
  static Result<std::unique_ptr<Cluster>> open(const ClientOptions& options);
  ~Cluster();

  // One that is there already is left as it is. Answers how many partitions each has then.
  Result<std::vector<std::int32_t>> ensure_topics(const std::vector<TopicWanted>& topics, SteadyTime deadline);
  Task<Result<>> ping(SteadyTime deadline);

 private:
  struct Connection;
  explicit Cluster(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
  BlockingPool thread_{"kafka-ask", 1, 16};  // goes first: it uses the connection
};

}  // namespace parley::kafka
