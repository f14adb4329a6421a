// A committed change, as the event log holds it: one per change, in the order of commit. Producers fill it in; the log
// gives the offset. `data` is JSON as api/events/<type>.json describes it.
#pragma once
#include <compare>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/ids.h"

namespace parley::events {

// Place in one log; dense enough to compare, not to count. 0: before everything.
struct LogOffset {
  std::int64_t value = 0;
  auto operator<=>(const LogOffset&) const = default;
};

// What an event is keyed by: its order holds within one conversation or one user.
enum class EventScope { kConversation = 0, kUser = 1 };

struct Event {
  LogOffset offset;
  EventId id;        // stable: a repeated delivery has the same
  std::string type;  // "message.created"
  TenantId tenant;
  EventScope scope = EventScope::kConversation;
  std::string key;          // the conversation's or user's id
  std::int64_t number = 0;  // 1, 2, 3 … within the key
  WallTime time{};          // of the change
  std::string subject;      // id of what changed
  std::string data;         // a JSON object, compact
};

// CloudEvents 1.0 in JSON, compact; source is "/parley/<role>".
std::string to_cloud_event_json(const Event& event, std::string_view source);

}  // namespace parley::events
