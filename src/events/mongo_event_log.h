// MongoEventLog: the event log port over the collections of mongo_events.h. Any number of processes append to one log
// and read it. A reader never passes a number that no document has: a write of another process may be about to commit
// it. Where one stays open for longer than gap_patience, the reader makes it void (fill_with_voids). Commits of this
// process are told at once, those of others by looking every poll_every, on a thread of its own.
//
// Made and owned by a store, which destroys it before its pools. Called on any event loop.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "drivers/mongo/reader_pool.h"
#include "events/event_log.h"
#include "events/mongo_events.h"
#include "events/position.h"

namespace parley::events {

class MongoEventLog final : public EventLog {
 public:
  struct Referring {
    Event* event;  // whose data is to be made
    MongoReference reference;
  };
  // Makes the data of events that have none of their own, from the same snapshot as they are of.
  using Resolver = std::function<void(mongo::Database&, std::vector<Referring>&)>;
  struct Options {
    std::chrono::milliseconds poll_every{75};
    std::chrono::milliseconds gap_patience{3'000};
  };

  // All must outlive the log. Each group of the store's writer has a MongoEventAppender of the same signal.
  MongoEventLog(mongo::ClientPool& pool, mongo::ReaderPool& readers, CommitSignal& signal,
                const MongoEventCollections& collections, Resolver resolver, const PositionCodec& positions,
                Options options);
  ~MongoEventLog() override;

  Task<Result<EventBatch>> read(LogOffset after, std::size_t limit, SteadyTime deadline) override;
  // The last event before which nothing is open any more.
  Task<Result<LogOffset>> head(SteadyTime deadline) override;
  Task<Result<LogOffset>> tail(SteadyTime deadline) override;
  Task<Result<LogStanding>> standing(SteadyTime deadline) override;
  Task<Result<LogOffset>> load_offset(std::string consumer, SteadyTime deadline) override;
  Task<Result<>> save_offset(std::string consumer, LogOffset offset, SteadyTime deadline) override;
  Task<Result<>> forget_consumer(std::string consumer, SteadyTime deadline) override;
  Task<Result<std::int64_t>> prune(WallTime before, std::size_t limit, SteadyTime deadline) override;
  Task<Result<std::int64_t>> prune_unread(WallTime before, std::size_t limit, SteadyTime deadline) override;
  CommitSignal::Subscription subscribe(std::function<void()> listener) override;
  std::optional<PositionCodec::Secret> position_secret() const override { return positions_.secret(); }
  std::string position_of(const TenantId& tenant, LogOffset offset) const override;
  std::optional<LogOffset> offset_of(const TenantId& tenant, std::string_view position) const override;

 private:
  // How far the log is known to have no open numbers, and the last event up to there.
  struct Known {
    std::int64_t through = 0;
    std::int64_t last_event = 0;
  };
  struct Gap {
    std::int64_t first = 0;  // 0: none
    std::int64_t last = 0;
    SteadyTime since{};
  };
  struct ReadPart {
    EventBatch batch;
    std::optional<Gap> gap;
    bool more = false;  // documents were left
  };

  ReadPart read_part(mongo::Database& database, LogOffset after, std::size_t limit);
  Known look_ahead(mongo::Database& database);
  Known skip_known_dense(mongo::Database& database, Known known);
  std::int64_t pruned_through(mongo::Database& database);
  // Whether it has been open for so long that it is to be filled.
  bool is_overdue(const Gap& gap);
  void forget_gap_before(LogOffset through);
  Task<Result<>> fill(Gap gap, SteadyTime deadline);
  Task<Result<std::int64_t>> prune(WallTime before, std::size_t limit, LogOffset passed, SteadyTime deadline);
  std::int64_t prune_now(mongo::Database& database, WallTime before, std::size_t limit, LogOffset passed);
  void look_for_others();
  std::optional<std::int64_t> newest();

  mongo::ClientPool& pool_;
  mongo::ReaderPool& readers_;
  CommitSignal& signal_;
  const MongoEventCollections& collections_;
  const Resolver resolver_;
  const PositionCodec& positions_;
  const Options options_;

  std::mutex mutex_;
  std::condition_variable wake_;
  Known known_;
  Gap gap_;
  bool wanted_ = false;  // someone subscribed
  bool closing_ = false;
  std::thread poller_;
};

}  // namespace parley::events
