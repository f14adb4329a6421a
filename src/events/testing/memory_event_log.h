// MemoryEventLog: an EventLog in a vector, for tests of what reads one. Used on one loop, and by the test while that is
// idle.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "events/event_log.h"

namespace parley::events::testing {

inline Event event_of(std::int64_t offset, std::string key = "c1", std::int64_t number = 0,
                      EventScope scope = EventScope::kConversation) {
  return {.offset = {offset},
          .id = EventId("e" + std::to_string(offset)),
          .type = scope == EventScope::kUser ? "user.updated" : "message.created",
          .tenant = TenantId("acme"),
          .scope = scope,
          .key = std::move(key),
          .number = number == 0 ? offset : number,
          .time = WallTime(std::chrono::milliseconds(1'700'000'000'123)),
          .subject = "s",
          .data = R"({"id":"s"})"};
}

class MemoryEventLog final : public EventLog {
 public:
  std::vector<Event> events;  // by offset
  LogOffset end;
  LogOffset begins_after;
  std::map<std::string, LogOffset> saved;
  int failures = 0;       // so many reads fail first
  int save_failures = 0;  // so many saves fail first
  int saves = 0;

  void append(Event event) {
    end = event.offset;
    events.push_back(std::move(event));
    signal_.notify();
  }
  void append_up_to(std::int64_t last, const std::string& key = "c1") {
    while (end.value < last) append(event_of(end.value + 1, key));
  }

  Task<Result<EventBatch>> read(LogOffset after, std::size_t limit, SteadyTime) override {
    if (failures > 0) {
      --failures;
      co_return unavailable("unavailable", "not now");
    }
    EventBatch batch{.events = {}, .through = std::max(after, end)};
    for (const Event& event : events) {
      if (event.offset <= after) continue;
      if (batch.events.size() == limit) {
        batch.through = batch.events.back().offset;
        break;
      }
      batch.events.push_back(event);
    }
    co_return batch;
  }
  Task<Result<LogOffset>> head(SteadyTime) override { co_return end; }
  Task<Result<LogOffset>> tail(SteadyTime) override { co_return begins_after; }
  Task<Result<LogStanding>> standing(SteadyTime) override { co_return LogStanding{}; }
  Task<Result<LogOffset>> load_offset(std::string consumer, SteadyTime) override { co_return saved[consumer]; }
  Task<Result<>> save_offset(std::string consumer, LogOffset offset, SteadyTime) override {
    if (save_failures > 0) {
      --save_failures;
      co_return unavailable("unavailable", "not now");
    }
    ++saves;
    saved[consumer] = std::max(saved[consumer], offset);
    co_return Result<>();
  }
  Task<Result<>> forget_consumer(std::string consumer, SteadyTime) override {
    saved.erase(consumer);
    co_return Result<>();
  }
  Task<Result<std::int64_t>> prune(WallTime, std::size_t, SteadyTime) override { co_return 0; }
  CommitSignal::Subscription subscribe(std::function<void()> listener) override {
    return signal_.subscribe(std::move(listener));
  }
  std::string position_of(const TenantId&, LogOffset offset) const override { return std::to_string(offset.value); }
  std::optional<LogOffset> offset_of(const TenantId&, std::string_view) const override { return std::nullopt; }

 private:
  CommitSignal signal_;
};

}  // namespace parley::events::testing
