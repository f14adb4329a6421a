#include "drivers/kafka/cluster.h"

#include "drivers/kafka/handles.h"
#include "drivers/kafka/topics.h"

namespace parley::kafka {

struct Cluster::Connection {
  Handle handle;
};

// As a consumer that never reads: what a producer asks about a topic would make it.
Result<std::unique_ptr<Cluster>> Cluster::open(const ClientOptions& options) {
  auto conf = make_conf(options);
  if (!conf) return fail(std::move(conf.error()));
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return fail(std::move(handle.error()));
  auto connection = std::make_unique<Connection>(std::move(*handle));
  return std::unique_ptr<Cluster>(new Cluster(std::move(connection)));
}

Cluster::Cluster(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

Cluster::~Cluster() = default;

Result<std::vector<std::int32_t>> Cluster::ensure_topics(const std::vector<TopicWanted>& topics, SteadyTime deadline) {
  return kafka::ensure_topics(connection_->handle.get(), topics, deadline);
}

Task<Result<>> Cluster::ping(SteadyTime deadline) {
  return thread_.run<void>(deadline,
                           [this, deadline]() -> Result<> { return kafka::ping(connection_->handle.get(), deadline); });
}

}  // namespace parley::kafka
