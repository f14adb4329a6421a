#include "drivers/kafka/topics.h"

#include <array>
#include <thread>

#include "drivers/kafka/handles.h"

namespace parley::kafka {

namespace {

constexpr std::chrono::milliseconds kLookAgainAfter{50};

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Freed<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Freed<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>>;

struct FreeMetadata {
  void operator()(const rd_kafka_metadata_t* it) const { rd_kafka_metadata_destroy(it); }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, FreeMetadata>;

Result<NewTopic> describe(const TopicWanted& wanted) {
  std::array<char, 256> reason{};
  NewTopic topic(rd_kafka_NewTopic_new(wanted.name.c_str(), wanted.partitions,
                                       wanted.replication == 0 ? -1 : wanted.replication, reason.data(),
                                       reason.size()));
  if (!topic) return fail(ErrorKind::kInvalid, "bad_topic", "No topic can be made so: " + wanted.name + ".");
  for (const auto& [name, value] : wanted.settings) {
    if (const auto fault = rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str())) {
      return failure(fault);
    }
  }
  return topic;
}

Result<> create(rd_kafka_t* handle, std::vector<rd_kafka_NewTopic_t*> topics, SteadyTime deadline) {
  const Queue queue(rd_kafka_queue_new(handle));
  const AdminOptions options(rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS));
  std::array<char, 256> reason{};
  const int patience = millis_until(deadline);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), patience, reason.data(), reason.size());
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), patience, reason.data(), reason.size());
  rd_kafka_CreateTopics(handle, topics.data(), topics.size(), options.get(), queue.get());
  const Event answer(rd_kafka_queue_poll(queue.get(), patience + 500));
  if (!answer) return failure(RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (const auto fault = rd_kafka_event_error(answer.get())) return failure(fault);
  const rd_kafka_CreateTopics_result_t* result = rd_kafka_event_CreateTopics_result(answer.get());
  if (result == nullptr) return failure(RD_KAFKA_RESP_ERR__FAIL);
  std::size_t count = 0;
  const rd_kafka_topic_result_t** each = rd_kafka_CreateTopics_result_topics(result, &count);
  for (std::size_t at = 0; at < count; ++at) {
    const auto fault = rd_kafka_topic_result_error(each[at]);
    if (fault != RD_KAFKA_RESP_ERR_NO_ERROR && fault != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return failure(fault);
  }
  return {};
}

// Of a topic that may just have been made: it takes a moment until every broker knows.
Result<std::int32_t> settled_partition_count(rd_kafka_t* handle, const std::string& topic, SteadyTime deadline) {
  for (;;) {
    auto count = partition_count(handle, topic, deadline);
    if (count && *count > 0) return count;
    if (std::chrono::steady_clock::now() >= deadline) {
      return count || count.error().kind == ErrorKind::kNotFound ? failure(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) : count;
    }
    std::this_thread::sleep_for(kLookAgainAfter);
  }
}

}  // namespace

Result<std::int32_t> partition_count(rd_kafka_t* handle, const std::string& topic, SteadyTime deadline) {
  const Topic named(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  const auto fault = rd_kafka_metadata(handle, 0, named.get(), &raw, millis_until(deadline));
  if (fault != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(fault);
  const Metadata metadata(raw);
  if (metadata->topic_cnt != 1) return failure(RD_KAFKA_RESP_ERR__FAIL);
  const rd_kafka_metadata_topic_t& told = metadata->topics[0];
  if (told.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return not_found("topic");
  if (told.err != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(told.err);
  return told.partition_cnt;
}

Result<std::vector<std::int32_t>> ensure_topics(rd_kafka_t* handle, const std::vector<TopicWanted>& topics,
                                                SteadyTime deadline) {
  std::vector<NewTopic> described;
  std::vector<rd_kafka_NewTopic_t*> listed;
  for (const TopicWanted& wanted : topics) {
    // Asking first: a cluster may not allow making what is there.
    auto there = partition_count(handle, wanted.name, deadline);
    if (there) continue;
    if (there.error().kind != ErrorKind::kNotFound) return fail(std::move(there.error()));
    auto topic = describe(wanted);
    if (!topic) return fail(std::move(topic.error()));
    listed.push_back(topic->get());
    described.push_back(std::move(*topic));
  }
  if (!listed.empty()) {
    if (auto made = create(handle, std::move(listed), deadline); !made) return fail(std::move(made.error()));
  }
  std::vector<std::int32_t> counts;
  for (const TopicWanted& wanted : topics) {
    auto count = settled_partition_count(handle, wanted.name, deadline);
    if (!count) return fail(std::move(count.error()));
    counts.push_back(*count);
  }
  return counts;
}

Result<> ping(rd_kafka_t* handle, SteadyTime deadline) {
  const rd_kafka_metadata_t* raw = nullptr;
  const auto fault = rd_kafka_metadata(handle, 0, nullptr, &raw, millis_until(deadline));
  if (fault != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(fault);
  const Metadata metadata(raw);
  return {};
}

}  // namespace parley::kafka
