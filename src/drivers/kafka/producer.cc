#include "drivers/kafka/producer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "drivers/kafka/handles.h"
#include "drivers/kafka/topics.h"

namespace parley::kafka {

namespace {

constexpr std::chrono::milliseconds kPollWhileFull{20};
// An answer that comes with the deadline is still to be heard.
constexpr std::chrono::milliseconds kSlack{500};

// What has been heard of the records of a batch.
struct Acknowledgements {
  std::size_t missing = 0;
  rd_kafka_resp_err_t first_fault = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& heard = *static_cast<Acknowledgements*>(opaque);
  --heard.missing;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && heard.first_fault == RD_KAFKA_RESP_ERR_NO_ERROR) {
    heard.first_fault = message->err;
  }
}

rd_kafka_resp_err_t produce(rd_kafka_t* handle, const OutRecord& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  std::array<rd_kafka_vu_t, 6> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  parts[0].u.cstr = record.topic.c_str();
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = record.partition.value_or(RD_KAFKA_PARTITION_UA);
  parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[2].u.i = RD_KAFKA_MSG_F_COPY;
  parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[3].u.mem = {const_cast<char*>(record.value.data()), record.value.size()};
  parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[4].u.headers = headers;
  std::size_t count = 5;
  if (record.key) {
    parts[count].vtype = RD_KAFKA_VTYPE_KEY;
    parts[count++].u.mem = {const_cast<char*>(record.key->data()), record.key->size()};
  }
  const Fault told(rd_kafka_produceva(handle, parts.data(), count));
  const auto fault = told ? rd_kafka_error_code(told.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
  if (fault != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
  return fault;
}

}  // namespace

// One life of a producer; not used again after a failure.
class Producer::Session {
 public:
  static Result<std::unique_ptr<Session>> open(const Options& options, SteadyTime deadline) {
    auto session = std::make_unique<Session>();
    session->transactional_ = !options.transactional_id.empty();
    auto conf = make_conf(options.client);
    if (!conf) return fail(std::move(conf.error()));
    set(*conf, "acks", "all");
    set(*conf, "enable.idempotence", "true");
    set(*conf, "partitioner", "murmur2_random");
    set(*conf, "linger.ms", "2");
    set(*conf, "compression.codec", "lz4");
    set(*conf, "queue.buffering.max.messages", std::to_string(options.queue_limit));
    set(*conf, "message.timeout.ms", std::to_string(options.transaction_timeout.count()));
    if (session->transactional_) {
      set(*conf, "transactional.id", options.transactional_id);
      set(*conf, "transaction.timeout.ms", std::to_string(options.transaction_timeout.count()));
    }
    rd_kafka_conf_set_opaque(conf->get(), &session->heard_);
    rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
    auto handle = make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
    if (!handle) return fail(std::move(handle.error()));
    session->handle_ = std::move(*handle);
    if (session->transactional_) {
      if (const Fault fault{rd_kafka_init_transactions(session->handle_.get(), millis_until(deadline))}) {
        return failure(fault);
      }
    }
    return session;
  }

  // What is still queued goes: destroying would wait for it.
  ~Session() {
    if (handle_) rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }

  Result<> publish(const std::vector<OutRecord>& records, SteadyTime deadline) {
    heard_ = {.missing = 0, .first_fault = RD_KAFKA_RESP_ERR_NO_ERROR};
    if (transactional_) {
      if (const Fault fault{rd_kafka_begin_transaction(handle_.get())}) return failure(fault);
    }
    for (const OutRecord& record : records) {
      if (auto sent = send(record, deadline); !sent) return sent;
    }
    if (transactional_) {
      // It waits for the acknowledgements too.
      if (const Fault fault{rd_kafka_commit_transaction(handle_.get(), millis_until(deadline))}) return failure(fault);
    }
    while (heard_.missing > 0 && heard_.first_fault == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (std::chrono::steady_clock::now() >= deadline) return failure(RD_KAFKA_RESP_ERR__TIMED_OUT);
      rd_kafka_poll(handle_.get(), millis_until(deadline, kPollWhileFull));
    }
    if (heard_.first_fault != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(heard_.first_fault);
    return {};
  }

  Result<std::int32_t> partitions(const std::string& topic, SteadyTime deadline) {
    return partition_count(handle_.get(), topic, deadline);
  }

 private:
  Result<> send(const OutRecord& record, SteadyTime deadline) {
    for (;;) {
      const auto fault = produce(handle_.get(), record);
      if (fault == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (fault != RD_KAFKA_RESP_ERR__QUEUE_FULL) return failure(fault);
      if (std::chrono::steady_clock::now() >= deadline) return failure(RD_KAFKA_RESP_ERR__TIMED_OUT);
      rd_kafka_poll(handle_.get(), millis_until(deadline, kPollWhileFull));
    }
    ++heard_.missing;
    return {};
  }

  Acknowledgements heard_;
  bool transactional_ = false;
  Handle handle_;  // its callbacks write to what stands above
};

Producer::Producer(Options options) : options_(std::move(options)) {}

Producer::~Producer() = default;

Task<Result<>> Producer::take_over(SteadyTime deadline) {
  return thread_.run<void>(deadline + kSlack, [this, deadline]() -> Result<> {
    session_.reset();
    auto opened = Session::open(options_, deadline);
    if (!opened) return fail(std::move(opened.error()));
    session_ = std::move(*opened);
    return {};
  });
}

Task<Result<>> Producer::publish(std::vector<OutRecord> records, SteadyTime deadline) {
  return thread_.run<void>(deadline + kSlack, [this, records = std::move(records), deadline]() -> Result<> {
    if (!session_) return unavailable("kafka_unavailable", "Nothing can be published before take_over().");
    auto published = session_->publish(records, deadline);
    if (!published) session_.reset();
    return published;
  });
}

Task<Result<std::int32_t>> Producer::partitions(std::string topic, SteadyTime deadline) {
  return thread_.run<std::int32_t>(deadline + kSlack,
                                   [this, topic = std::move(topic), deadline]() -> Result<std::int32_t> {
                                     if (!session_) {
                                       return unavailable("kafka_unavailable", "Nothing is asked before take_over().");
                                     }
                                     return session_->partitions(topic, deadline);
                                   });
}

}  // namespace parley::kafka
