// How events stand in Kafka's topics: a CloudEvent in JSON for each, keyed by its tenant and its conversation or user,
// with its number in the log as a header; and watermarks, which say of a partition how far in the log it is. Pure; any
// thread. Reading is strict in what it needs and passes over what it does not know.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "drivers/kafka/record.h"
#include "events/event.h"

namespace parley::events {

inline constexpr const char* kWatermarkType = "log.watermark";
inline constexpr const char* kOffsetHeader = "parley-offset";
inline constexpr const char* kReasonHeader = "parley-reason";
inline constexpr std::string_view kDeadLettersSuffix = ".dead_letters";

// Every event of the log up to `through` that is of this partition stands before this.
struct Watermark {
  LogOffset through;
  std::int32_t partitions = 1;  // that the topic has
  // What stands before is not the log up to `through`: the log held those events no more, or it ended there although
  // the topic has later ones, as after a restore.
  enum class Gap : std::uint8_t { kNone, kSkipped, kRestarted };
  Gap gap = Gap::kNone;
};

// tenant + 0x1f + conversation or user: of one key, all in one partition.
std::string record_key(const Event& event);
kafka::OutRecord record_of(const Event& event, const std::string& topic, std::string_view source);
kafka::OutRecord record_of(const Watermark& mark, const std::string& topic, std::int32_t partition,
                           std::string_view source, WallTime now);
// What could not be taken, for the topic of dead letters beside its own.
kafka::OutRecord dead_letter_of(const kafka::InRecord& record, const std::string& topic, std::string_view reason);
kafka::OutRecord dead_letter_of(const Event& event, const std::string& topic, std::string_view reason);

// fail: invalid (record_unreadable), the detail says what is wrong without a word of the content.
Result<std::variant<Event, Watermark>> read_record(const kafka::InRecord& record);

}  // namespace parley::events
