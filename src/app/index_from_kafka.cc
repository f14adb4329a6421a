#include "app/index_from_kafka.h"

#include <fstream>

#include "base/text.h"
#include "drivers/kafka/group_consumer.h"

namespace parley::app {

namespace {

// An embedded index is one process's: a group of its own, or another process would be given half of the events. The
// name is kept beside the index, so that Kafka knows one group and not one for each start.
std::string group_of_embedded_index(const Settings& settings, Random& random) {
  const auto file = settings.serve.data_dir / "search" / "kafka_group";
  std::string name;
  if (std::getline(std::ifstream(file) >> std::ws, name) && !name.empty()) return name;
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  name = "parley-search-" + hex_encode(bytes);
  std::ofstream(file, std::ios::trunc) << name << '\n';
  return name;
}

kafka::GroupConsumer::Options consumer_options(const KafkaEngine& kafka, const Settings& settings, bool shared,
                                               Random& random) {
  kafka::GroupConsumer::Options options{.client = kafka.client(), .topic = kafka.named("messaging.events")};
  if (shared) {
    options.group = kafka.named("parley-search-" + settings.engines.elasticsearch_index_prefix);
  } else {
    // Its only member, which a start after a crash is again.
    options.group = options.member = kafka.named(group_of_embedded_index(settings, random));
  }
  return options;
}

events::KafkaEventStream::MakeSource source_maker(kafka::GroupConsumer::Options options) {
  return [options = std::move(options)]() -> Result<std::unique_ptr<kafka::RecordSource>> {
    auto made = kafka::GroupConsumer::open(options);
    if (!made) return fail(std::move(made.error()));
    return std::move(*made);
  };
}

}  // namespace

IndexFromKafka::IndexFromKafka(const KafkaEngine& kafka, const Settings& settings, bool shared,
                               search::LaneIndexer::Dependencies with, Random& random, Metrics& metrics)
    : indexer_(with, {}),
      dead_letters_({.client = kafka.client(), .transactional_id = {}}),
      stream_({.loop = with.loop,
               .consumer = indexer_,
               .dead_letters = dead_letters_,
               .make_source = source_maker(consumer_options(kafka, settings, shared, random)),
               .clock = with.clock,
               .metrics = metrics},
              {.topic = kafka.named("messaging.events"),
               .batch_limit = settings.indexing.batch_size,
               .linger = settings.indexing.flush_interval}) {}

void IndexFromKafka::start() {
  indexer_.start();
  stream_.start();
}

}  // namespace parley::app
