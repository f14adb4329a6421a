#include "drivers/kafka/cluster.h"

#include "drivers/kafka/handles.h"
#include "drivers/kafka/topics.h"

namespace parley::kafka {

namespace {

// Since 2.6.1 (its pull request 4895) librdkafka says the server's nonce as RFC 5802 section 5.1 wants it; Kafka 4
// takes nothing else. Measured: 2.0.2 is refused by Kafka 4.3.1.
constexpr int kScramAsTheStandardSays = 0x020601ff;

std::string with_hint(std::string detail, const ClientOptions& options) {
  if (!options.sasl_mechanism.starts_with("SCRAM") || rd_kafka_version() >= kScramAsTheStandardSays) return detail;
  return detail + " Kafka 4 refuses SCRAM of librdkafka before 2.6.1, whatever the password, and this one is " +
         rd_kafka_version_str() + ": take PLAIN with sasl_ssl, or KAFKA_CERT_FILE, or a newer librdkafka.";
}

}  // namespace

// What a connection that failed was told, or met. Its texts name addresses, and no secret.
struct Cluster::Connection {
  explicit Connection(ClientOptions the_options) : options(std::move(the_options)) {}

  static void take_fault(rd_kafka_t*, int code, const char* reason, void* connection) {
    // Which comes after the reason.
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
    auto& self = *static_cast<Connection*>(connection);
    self.fault = static_cast<rd_kafka_resp_err_t>(code);
    self.reason = reason;
  }

  // Calls back for all that was told since; otherwise it would pile up. One thread at a time.
  void listen() { rd_kafka_poll(handle.get(), 0); }

  // Of no answer: what came instead. librdkafka says the same thing once in 30 s only, so the last one is kept.
  Error explain(Error failed) {
    listen();
    if (failed.code != kUnreachable) return failed;
    if (fault == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
      failed.code = "access_refused";
      failed.detail = with_hint("Kafka refuses KAFKA_USERNAME, KAFKA_PASSWORD or KAFKA_SASL_MECHANISM.", options);
    }
    failed.cause = reason;
    return failed;
  }

  const ClientOptions options;
  rd_kafka_resp_err_t fault = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason;
  Handle handle;  // last: destroying it may call back
};

// As a consumer that never reads: what a producer asks about a topic would make it.
Result<std::unique_ptr<Cluster>> Cluster::open(const ClientOptions& options) {
  auto conf = make_conf(options);
  if (!conf) return fail(std::move(conf.error()));
  auto connection = std::make_unique<Connection>(options);
  rd_kafka_conf_set_opaque(conf->get(), connection.get());
  rd_kafka_conf_set_error_cb(conf->get(), &Connection::take_fault);
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return fail(std::move(handle.error()));
  connection->handle = std::move(*handle);
  return std::unique_ptr<Cluster>(new Cluster(std::move(connection)));
}

Cluster::Cluster(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

Cluster::~Cluster() = default;

Result<std::vector<std::int32_t>> Cluster::ensure_topics(const std::vector<TopicWanted>& topics, SteadyTime deadline) {
  auto counts = kafka::ensure_topics(connection_->handle.get(), topics, deadline);
  if (!counts) return fail(connection_->explain(std::move(counts.error())));
  return counts;
}

Task<Result<>> Cluster::ping(SteadyTime deadline) {
  return thread_.run<void>(deadline, [this, deadline]() -> Result<> {
    connection_->listen();
    return kafka::ping(connection_->handle.get(), deadline);
  });
}

}  // namespace parley::kafka
