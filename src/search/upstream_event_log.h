// UpstreamEventLog: messaging's event log as a search in another process sees it, which reads the events themselves
// over Kafka: where the log begins and ends, and the positions that callers see. Asks messaging's /internal/log with a
// token made from INTERNAL_KEY. Made and owned by the wiring; called on any event loop. Until the first answer
// positions are not known: the wiring waits for it before it serves. fail: unavailable (also what such a log cannot
// do), deadline_exceeded.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "events/event_log.h"
#include "events/position.h"
#include "http/upstream.h"

namespace parley::search {

class UpstreamEventLog final : public events::EventLog {
 public:
  // Must outlive this. `authorization` gives the Authorization field that messaging takes now; it is called on any
  // loop.
  UpstreamEventLog(http::Upstream& messaging, std::function<std::string()> authorization);

  Task<Result<events::LogOffset>> head(SteadyTime deadline) override;
  Task<Result<events::LogOffset>> tail(SteadyTime deadline) override;
  std::string position_of(const TenantId& tenant, events::LogOffset offset) const override;
  std::optional<events::LogOffset> offset_of(const TenantId& tenant, std::string_view position) const override;

  // What is messaging's alone.
  Task<Result<events::EventBatch>> read(events::LogOffset, std::size_t, SteadyTime) override { co_return elsewhere(); }
  Task<Result<events::LogStanding>> standing(SteadyTime) override { co_return elsewhere(); }
  Task<Result<events::LogOffset>> load_offset(std::string, SteadyTime) override { co_return elsewhere(); }
  Task<Result<>> save_offset(std::string, events::LogOffset, SteadyTime) override { co_return elsewhere(); }
  Task<Result<>> forget_consumer(std::string, SteadyTime) override { co_return elsewhere(); }
  Task<Result<std::int64_t>> prune(WallTime, std::size_t, SteadyTime) override { co_return elsewhere(); }
  // Nobody tells of commits.
  events::CommitSignal::Subscription subscribe(std::function<void()> listener) override {
    return signal_.subscribe(std::move(listener));
  }

 private:
  struct Ends {
    events::LogOffset head;
    events::LogOffset tail;
  };
  static std::unexpected<Error> elsewhere();
  Task<Result<Ends>> ask(SteadyTime deadline);
  std::shared_ptr<const events::PositionCodec> positions() const;

  http::Upstream& messaging_;
  const std::function<std::string()> authorization_;
  events::CommitSignal signal_;
  mutable std::mutex mutex_;
  std::shared_ptr<const events::PositionCodec> positions_;  // null until the first answer
};

}  // namespace parley::search
