#include "drivers/kafka/group_consumer.h"

#include <deque>
#include <utility>

#include "drivers/kafka/handles.h"
#include "drivers/kafka/topics.h"
#include "telemetry/log.h"

namespace parley::kafka {

namespace {

std::string bytes(const void* data, std::size_t size) {
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

Headers headers_of(const rd_kafka_message_t& message) {
  Headers headers;
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(&message, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t at = 0; rd_kafka_header_get_all(raw, at, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++at) {
    headers.emplace_back(name, bytes(value, size));
  }
  return headers;
}

InRecord record_of(const rd_kafka_message_t& message) {
  InRecord record{.partition = message.partition,
                  .offset = message.offset,
                  .key = {},
                  .value = bytes(message.payload, message.len),
                  .headers = headers_of(message)};
  if (message.key != nullptr) record.key = bytes(message.key, message.key_len);
  return record;
}

}  // namespace

struct GroupConsumer::Connection {
  std::string topic;
  std::deque<Polled> changes;  // of what is ours, still to be told
  Handle handle;               // its callbacks write to what stands above

  bool closing = false;

  ~Connection() {
    if (!handle) return;
    closing = true;
    rd_kafka_assign(handle.get(), nullptr);
    rd_kafka_consumer_close(handle.get());
  }

  Places list_of(const std::vector<Place>& places) const {
    Places list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
    for (const Place& place : places) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), place.partition)->offset = place.offset;
    }
    return list;
  }

  // Runs within poll(), and within close.
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
                           void* opaque) {
    auto& self = *static_cast<Connection*>(opaque);
    if (self.closing) {  // which waits for the answer
      rd_kafka_assign(handle, nullptr);
      return;
    }
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      Assigned assigned;
      for (int at = 0; at < partitions->cnt; ++at) assigned.partitions.push_back(partitions->elems[at].partition);
      self.changes.emplace_back(std::move(assigned));
    } else {
      self.changes.emplace_back(Revoked{.lost = rd_kafka_assignment_lost(handle) != 0});
    }
  }
};

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::open(const Options& options) {
  auto conf = make_conf(options.client);
  if (!conf) return fail(std::move(conf.error()));
  set(*conf, "group.id", options.group);
  if (!options.member.empty()) set(*conf, "group.instance.id", options.member);
  set(*conf, "session.timeout.ms", std::to_string(options.session_timeout.count()));
  set(*conf, "heartbeat.interval.ms", std::to_string(options.session_timeout.count() / 5));
  set(*conf, "enable.auto.commit", "false");
  set(*conf, "enable.auto.offset.store", "false");
  set(*conf, "auto.offset.reset", "earliest");
  set(*conf, "enable.partition.eof", "true");
  set(*conf, "isolation.level", "read_committed");
  set(*conf, "partition.assignment.strategy", "range,roundrobin");
  set(*conf, "fetch.wait.max.ms", "50");
  set(*conf, "queued.min.messages", "1000");
  set(*conf, "queued.max.messages.kbytes", std::to_string(options.fetched_ahead_kib));
  set(*conf, "fetch.message.max.bytes", "1048576");
  auto connection = std::make_unique<Connection>();
  connection->topic = options.topic;
  rd_kafka_conf_set_opaque(conf->get(), connection.get());
  rd_kafka_conf_set_rebalance_cb(conf->get(), &Connection::on_rebalance);
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return fail(std::move(handle.error()));
  connection->handle = std::move(*handle);
  rd_kafka_poll_set_consumer(connection->handle.get());
  const Places wanted(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(wanted.get(), options.topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto fault = rd_kafka_subscribe(connection->handle.get(), wanted.get())) return failure(fault);
  return std::unique_ptr<GroupConsumer>(new GroupConsumer(std::move(connection)));
}

GroupConsumer::GroupConsumer(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

GroupConsumer::~GroupConsumer() = default;

Result<Polled> GroupConsumer::poll(std::chrono::milliseconds patience) {
  auto& changes = connection_->changes;
  Message message;
  if (changes.empty()) {
    message.reset(rd_kafka_consumer_poll(connection_->handle.get(), static_cast<int>(patience.count())));
  }
  // A record that came with a change is of a partition that was just taken away.
  if (!changes.empty()) {
    Polled change = std::move(changes.front());
    changes.pop_front();
    return change;
  }
  if (!message) return Polled{};
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    return Polled{AtEnd{{.partition = message->partition, .offset = message->offset}}};
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(message->err);
  return Polled{record_of(*message)};
}

Result<> GroupConsumer::read_from(const std::vector<Place>& places) {
  const auto fault = rd_kafka_assign(connection_->handle.get(), connection_->list_of(places).get());
  if (fault) return failure(fault);
  return {};
}

Result<> GroupConsumer::give_up() {
  if (const auto fault = rd_kafka_assign(connection_->handle.get(), nullptr)) return failure(fault);
  return {};
}

Result<> GroupConsumer::pause() {
  rd_kafka_topic_partition_list_t* raw = nullptr;
  if (const auto fault = rd_kafka_assignment(connection_->handle.get(), &raw)) return failure(fault);
  const Places mine(raw);
  if (const auto fault = rd_kafka_pause_partitions(connection_->handle.get(), mine.get())) return failure(fault);
  return {};
}

Result<> GroupConsumer::resume() {
  rd_kafka_topic_partition_list_t* raw = nullptr;
  if (const auto fault = rd_kafka_assignment(connection_->handle.get(), &raw)) return failure(fault);
  const Places mine(raw);
  if (const auto fault = rd_kafka_resume_partitions(connection_->handle.get(), mine.get())) return failure(fault);
  return {};
}

Result<> GroupConsumer::commit(const std::vector<Place>& places, bool wait) {
  if (places.empty()) return {};
  const auto list = connection_->list_of(places);
  if (const auto fault = rd_kafka_commit(connection_->handle.get(), list.get(), wait ? 0 : 1)) return failure(fault);
  return {};
}

Result<std::vector<Bounds>> GroupConsumer::bounds(std::chrono::milliseconds patience) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  auto count = partition_count(connection_->handle.get(), connection_->topic, deadline);
  if (!count) return fail(std::move(count.error()));
  std::vector<Bounds> all;
  for (std::int32_t partition = 0; partition < *count; ++partition) {
    Bounds bounds{.partition = partition};
    if (const auto fault =
            rd_kafka_query_watermark_offsets(connection_->handle.get(), connection_->topic.c_str(), partition,
                                             &bounds.first, &bounds.end, millis_until(deadline))) {
      return failure(fault);
    }
    all.push_back(bounds);
  }
  return all;
}

}  // namespace parley::kafka
