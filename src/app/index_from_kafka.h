// IndexFromKafka: a search index fed from messaging's topic, in one consumer group for each index. Made by SearchRole;
// its start(), stop() and close() are called on the indexer's loop. stop() ends the reading, and close() then what is
// left.
#pragma once
#include <functional>
#include <string>

#include "app/kafka_engine.h"
#include "base/random.h"
#include "events/kafka_event_stream.h"
#include "search/lane_indexer.h"

namespace parley::app {

class IndexFromKafka {
 public:
  // All that these name must outlive this. `shared`: other processes feed the same index, each with some of the
  // partitions.
  IndexFromKafka(const KafkaEngine& kafka, const Settings& settings, bool shared,
                 search::LaneIndexer::Dependencies with, Random& random, Metrics& metrics);

  void start();
  void stop(std::move_only_function<void()> stopped) { stream_.stop(std::move(stopped)); }
  void close(std::move_only_function<void()> closed) { indexer_.close(std::move(closed)); }

 private:
  search::LaneIndexer indexer_;
  kafka::Producer dead_letters_;
  events::KafkaEventStream stream_;
};

}  // namespace parley::app
