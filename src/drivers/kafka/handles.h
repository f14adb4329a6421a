// Owners of librdkafka's objects, and its errors as ours. Only this folder's sources include it.
#pragma once
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/kafka/client_options.h"

namespace parley::kafka {

template <class T, void (*free_it)(T*)>
struct Freed {
  void operator()(T* it) const { free_it(it); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, Freed<rd_kafka_conf_t, rd_kafka_conf_destroy>>;
using TopicConf = std::unique_ptr<rd_kafka_topic_conf_t, Freed<rd_kafka_topic_conf_t, rd_kafka_topic_conf_destroy>>;
using Places = std::unique_ptr<rd_kafka_topic_partition_list_t,
                               Freed<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>>;
using Fault = std::unique_ptr<rd_kafka_error_t, Freed<rd_kafka_error_t, rd_kafka_error_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Freed<rd_kafka_message_t, rd_kafka_message_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Freed<rd_kafka_topic_t, rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Freed<rd_kafka_queue_t, rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Freed<rd_kafka_event_t, rd_kafka_event_destroy>>;
// Destroying waits for librdkafka's threads.
using Handle = std::unique_ptr<rd_kafka_t, Freed<rd_kafka_t, rd_kafka_destroy>>;

// With all that ClientOptions say, and with librdkafka's log going to ours. fail: invalid, naming the option alone.
Result<Conf> make_conf(const ClientOptions& options);
// CHECK-fails on an option that librdkafka does not know: these are our own.
void set(Conf& conf, const char* name, const std::string& value);
// `conf` is taken.
Result<Handle> make_handle(rd_kafka_type_t type, Conf conf);

// The code of a failure in which no broker answered.
inline constexpr const char* kUnreachable = "kafka_unreachable";
std::unexpected<Error> failure(rd_kafka_resp_err_t code);
std::unexpected<Error> failure(const Fault& fault);

// What is left until the deadline, at least 1 ms, at most `most`.
int millis_until(SteadyTime deadline, std::chrono::milliseconds most = std::chrono::seconds(60));

}  // namespace parley::kafka
