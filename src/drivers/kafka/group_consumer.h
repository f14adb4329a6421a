// GroupConsumer: one member of a consumer group over one topic, by librdkafka: reads committed records alone, in order
// within a partition, and fetches no more ahead than a bound. Made by the thread that then alone calls it, and which it
// blocks; destroying it leaves the group. fail: see RecordSource.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "drivers/kafka/client_options.h"
#include "drivers/kafka/record_source.h"

namespace parley::kafka {

class GroupConsumer final : public RecordSource {
 public:
  struct Options {
    ClientOptions client;
    std::string topic;
    std::string group;
    // Of a member that comes back under this name: it has its partitions again at once, however it ended. None may be
    // there twice. Empty: each start is another member.
    std::string member;
    std::chrono::milliseconds session_timeout{6'000};  // after which a member that is gone has lost its partitions
    std::uint32_t fetched_ahead_kib = 16 * 1024;
  };
  static Result<std::unique_ptr<GroupConsumer>> open(const Options& options);
  ~GroupConsumer() override;

  Result<Polled> poll(std::chrono::milliseconds patience) override;
  Result<> read_from(const std::vector<Place>& places) override;
  Result<> give_up() override;
  Result<> pause() override;
  Result<> resume() override;
  Result<> commit(const std::vector<Place>& places, bool wait) override;
  Result<std::vector<Bounds>> bounds(std::chrono::milliseconds patience) override;

 private:
  struct Connection;
  explicit GroupConsumer(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace parley::kafka
