// Questions and orders about topics, asked over a handle: making those that are missing, counting partitions, and
// whether the cluster answers at all. Blocking: for a thread that may wait. fail: unavailable, invalid. Only this
// folder's sources include it; see cluster.h.
#pragma once
#include <librdkafka/rdkafka.h>

#include <string>
#include <vector>

#include "drivers/kafka/cluster.h"

namespace parley::kafka {

// fail: not_found where there is no such topic.
Result<std::int32_t> partition_count(rd_kafka_t* handle, const std::string& topic, SteadyTime deadline);

// One that is there already is left as it is. Answers how many partitions each has then.
Result<std::vector<std::int32_t>> ensure_topics(rd_kafka_t* handle, const std::vector<TopicWanted>& topics,
                                                SteadyTime deadline);

// Whether a broker answers.
Result<> ping(rd_kafka_t* handle, SteadyTime deadline);

}  // namespace parley::kafka
