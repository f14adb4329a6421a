#include "drivers/kafka/handles.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "drivers/kafka/record_publisher.h"
#include "telemetry/log.h"

namespace parley::kafka {

namespace {

void take_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  constexpr int kError = 3, kWarning = 4, kNotice = 5;  // as syslog counts
  const std::initializer_list<LogField> fields{{"facility", facility}, {"text", text}};
  // Brokers that go away are told at level 3 by each connection; whoever waits for them says so itself.
  if (level < kError) {
    log_error("kafka's client library", fields);
  } else if (level <= kWarning) {
    log_warn("kafka's client library", fields);
  } else if (level <= kNotice) {
    log_info("kafka's client library", fields);
  } else {
    log_debug("kafka's client library", fields);
  }
}

Result<> try_set(Conf& conf, const char* name, const std::string& value) {
  std::array<char, 256> reason{};
  if (rd_kafka_conf_set(conf.get(), name, value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK) return {};
  // The reason repeats the value, which may be a secret.
  return fail(ErrorKind::kInvalid, "bad_kafka_option", std::string("Kafka's client does not take this ") + name + ".");
}

ErrorKind kind_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
      return ErrorKind::kConflict;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return ErrorKind::kTooLarge;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

std::unexpected<Error> failure(rd_kafka_resp_err_t code) {
  const ErrorKind kind = kind_of(code);
  const std::string name = rd_kafka_err2name(code);
  switch (kind) {
    case ErrorKind::kConflict:
      return fail(kind, kFenced, "Another producer has taken over (" + name + ").");
    case ErrorKind::kTooLarge:
      return fail(kind, "record_too_large", "Kafka does not take a record of this size (" + name + ").");
    default:
      if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
          code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        return unavailable(kUnreachable, "Kafka does not answer (" + name + ").");
      }
      return unavailable("kafka_unavailable", "Kafka does not answer as it should (" + name + ").");
  }
}

std::unexpected<Error> failure(const Fault& fault) {
  return failure(rd_kafka_error_code(fault.get()));
}

Result<Conf> make_conf(const ClientOptions& options) {
  Conf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), take_log);
  const bool sasl = options.security.starts_with("sasl_");
  const std::pair<const char*, const std::string&> given[] = {
      {"bootstrap.servers", options.brokers},
      {"security.protocol", options.security},
      {"client.id", options.client_id},
  };
  for (const auto& [name, value] : given) {
    if (auto done = try_set(conf, name, value); !done) return fail(std::move(done.error()));
  }
  const std::pair<const char*, const std::string&> files[] = {{"ssl.ca.location", options.ca_file},
                                                              {"ssl.certificate.location", options.cert_file},
                                                              {"ssl.key.location", options.key_file}};
  for (const auto& [name, file] : files) {
    if (file.empty()) continue;
    if (auto done = try_set(conf, name, file); !done) return fail(std::move(done.error()));
  }
  if (sasl) {
    const std::pair<const char*, const std::string&> credentials[] = {{"sasl.mechanism", options.sasl_mechanism},
                                                                      {"sasl.username", options.username},
                                                                      {"sasl.password", options.password.reveal()}};
    for (const auto& [name, value] : credentials) {
      if (auto done = try_set(conf, name, value); !done) return fail(std::move(done.error()));
    }
  }
  // Whoever waits asks soon again, so that work goes on within seconds of a broker's return.
  set(conf, "reconnect.backoff.ms", "100");
  set(conf, "reconnect.backoff.max.ms", "1000");
  set(conf, "socket.timeout.ms", "10000");
  set(conf, "socket.connection.setup.timeout.ms", "5000");
  set(conf, "socket.keepalive.enable", "true");
  set(conf, "topic.metadata.refresh.interval.ms", "30000");
  set(conf, "log.connection.close", "false");
  return conf;
}

void set(Conf& conf, const char* name, const std::string& value) {
  CHECK(try_set(conf, name, value).has_value());
}

Result<Handle> make_handle(rd_kafka_type_t type, Conf conf) {
  std::array<char, 512> reason{};
  Handle handle(rd_kafka_new(type, conf.get(), reason.data(), reason.size()));
  if (!handle) {
    // Of options that do not go together, such as a CA file that cannot be read; it names no secret.
    return fail(ErrorKind::kInvalid, "bad_kafka_options",
                std::string("Kafka's client cannot be made: ") + reason.data());
  }
  (void)conf.release();  // the handle's now
  return handle;
}

int millis_until(SteadyTime deadline, std::chrono::milliseconds most) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (deadline <= now) return 1;
  if (deadline - now >= most) return static_cast<int>(most.count());
  return std::max(1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count()));
}

}  // namespace parley::kafka
