// The embedded event log: a table beside the role's own tables, written in the same transaction (append) and read by
// offset (SqliteEventLog). Offsets are given by the one writer thread, in commit order, so a reader never sees a gap
// close behind it.
//
// An event may carry a reference instead of data: the payload is then made when it is read, by the role's resolver,
// from what the role holds now. So nothing is stored twice, and what was deleted is gone from the log as well.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/sqlite/group_writer.h"
#include "drivers/sqlite/reader_pool.h"
#include "events/event_log.h"
#include "events/position.h"

namespace parley::events {

// Part of a role's first migration.
extern const char* const kEventLogSchema;

struct EventReference {
  std::int64_t row = 0;
  std::int64_t version = 0;
};

struct NewEvent {
  std::array<std::uint8_t, 16> id;
  std::string_view type;
  std::string_view tenant;
  EventScope scope = EventScope::kConversation;
  std::string_view key;
  std::int64_t number = 0;
  WallTime time{};
  std::string_view subject;
  std::optional<std::string_view> data;  // none: `reference` says where it comes from
  EventReference reference{};
};

// Inside the writer's transaction.
LogOffset append(sqlite::Connection& connection, const NewEvent& event);
struct NumberedEvent {
  NewEvent event;
  LogOffset position;
};
// While nobody uses the log: it holds `events`, ascending, and nothing else, and goes on behind the last.
void begin_behind(sqlite::Connection& connection, const std::vector<NumberedEvent>& events);
// The columns that read_event takes, and those of an event's reference.
#define PARLEY_EVENT_COLUMNS "position, id, type, tenant, scope, key, number, time, subject, data, row, version"
// `data` is empty where the event has none of its own.
Event read_event(const sqlite::Query& row);
// The other way, with `data` as it is; of the strings in `event`, which must outlive it.
NewEvent new_event_of(const Event& event);
// 0 when the log is empty.
LogOffset head(sqlite::Connection& connection);

// What the role's positions are made with: its first migration put it into store_facts (CHECK-fails without).
PositionCodec::Secret load_position_secret(sqlite::Connection& connection);

class SqliteEventLog final : public EventLog {
 public:
  // Makes the data of an event that has none of its own.
  using Resolver = std::function<std::string(sqlite::Connection&, const Event&, EventReference)>;

  // All must outlive the log. The writer's after_commit calls signal.notify().
  SqliteEventLog(sqlite::GroupWriter& writer, sqlite::ReaderPool& readers, CommitSignal& signal, Resolver resolver,
                 const PositionCodec& positions);

  Task<Result<EventBatch>> read(LogOffset after, std::size_t limit, SteadyTime deadline) override;
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
  // `passed`: how far everyone has come when no consumer is known.
  Task<Result<std::int64_t>> prune(WallTime before, std::size_t limit, LogOffset passed, SteadyTime deadline);

  sqlite::GroupWriter& writer_;
  sqlite::ReaderPool& readers_;
  CommitSignal& signal_;
  Resolver resolver_;
  const PositionCodec& positions_;
};

}  // namespace parley::events
