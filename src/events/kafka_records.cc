#include "events/kafka_records.h"

#include <boost/json/parse.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "events/cloud_event.h"

namespace parley::events {

namespace {

constexpr const char* kContentType = "application/cloudevents+json; charset=UTF-8";

kafka::Headers headers(std::string_view id, std::string_view type, std::string_view source, LogOffset offset) {
  return {{"content-type", kContentType}, {kOffsetHeader, std::to_string(offset.value)},
          {"ce_specversion", "1.0"},      {"ce_id", std::string(id)},
          {"ce_type", std::string(type)}, {"ce_source", std::string(source)}};
}

std::unexpected<Error> unreadable(std::string why) {
  return fail(ErrorKind::kInvalid, "record_unreadable", std::move(why));
}

const std::string* header(const kafka::InRecord& record, std::string_view name) {
  for (const auto& [each, value] : record.headers) {
    if (each == name) return &value;
  }
  return nullptr;
}

Result<Watermark> read_watermark(const boost::json::object& json) {
  const auto* data = json.if_contains("data");
  if (data == nullptr || !data->is_object()) return unreadable("a watermark without data");
  const auto& object = data->get_object();
  const auto* through = object.if_contains("through");
  const auto* partitions = object.if_contains("partitions");
  const auto* gap = object.if_contains("gap");
  if (through == nullptr || !through->is_int64() || through->get_int64() < 0) return unreadable("data.through");
  if (partitions == nullptr || !partitions->is_int64() || partitions->get_int64() < 1 ||
      partitions->get_int64() > INT16_MAX) {
    return unreadable("data.partitions");
  }
  Watermark mark{.through = {through->get_int64()}, .partitions = static_cast<std::int32_t>(partitions->get_int64())};
  if (gap != nullptr) {
    if (*gap != "skipped" && *gap != "restarted") return unreadable("data.gap");
    mark.gap = *gap == "skipped" ? Watermark::Gap::kSkipped : Watermark::Gap::kRestarted;
  }
  return mark;
}

}  // namespace

std::string record_key(const Event& event) {
  return event.tenant.value + '\x1f' + event.key;
}

kafka::OutRecord record_of(const Event& event, const std::string& topic, std::string_view source) {
  return {.topic = topic,
          .partition = {},
          .key = record_key(event),
          .value = to_cloud_event_json(event, source),
          .headers = headers(event.id.value, event.type, source, event.offset)};
}

kafka::OutRecord record_of(const Watermark& mark, const std::string& topic, std::int32_t partition,
                           std::string_view source, WallTime now) {
  const std::string id = "watermark-" + std::to_string(mark.through.value);
  std::string value;
  JsonWriter json(value);
  json.begin_object();
  json.key("specversion").string("1.0");
  json.key("id").string(id);
  json.key("source").string(source);
  json.key("type").string(kWatermarkType);
  json.key("time").time(now);
  json.key("datacontenttype").string("application/json");
  json.key("data").begin_object();
  json.key("through").number(mark.through.value);
  json.key("partitions").number(std::int64_t{mark.partitions});
  if (mark.gap != Watermark::Gap::kNone) {
    json.key("gap").string(mark.gap == Watermark::Gap::kSkipped ? "skipped" : "restarted");
  }
  json.end_object();
  json.end_object();
  return {.topic = topic,
          .partition = partition,
          .key = {},
          .value = std::move(value),
          .headers = headers(id, kWatermarkType, source, mark.through)};
}

kafka::OutRecord dead_letter_of(const kafka::InRecord& record, const std::string& topic, std::string_view reason) {
  kafka::OutRecord letter{.topic = topic + std::string(kDeadLettersSuffix),
                          .partition = {},
                          .key = record.key,
                          .value = record.value,
                          .headers = record.headers};
  letter.headers.emplace_back(kReasonHeader, reason);
  letter.headers.emplace_back("parley-from",
                              topic + "/" + std::to_string(record.partition) + "/" + std::to_string(record.offset));
  return letter;
}

kafka::OutRecord dead_letter_of(const Event& event, const std::string& topic, std::string_view reason) {
  kafka::OutRecord letter = record_of(event, topic + std::string(kDeadLettersSuffix), "/parley/search");
  letter.headers.emplace_back(kReasonHeader, reason);
  return letter;
}

Result<std::variant<Event, Watermark>> read_record(const kafka::InRecord& record) {
  boost::system::error_code error;
  const boost::json::value json = boost::json::parse(record.value, error);
  if (error || !json.is_object()) return unreadable("the value is no JSON object");
  const auto& object = json.get_object();
  if (const auto* type = object.if_contains("type");
      type != nullptr && type->is_string() && type->get_string() == kWatermarkType) {
    auto mark = read_watermark(object);
    if (!mark) return fail(std::move(mark.error()));
    return *mark;
  }
  const std::string* number = header(record, kOffsetHeader);
  if (number == nullptr) return unreadable("no header parley-offset");
  const auto offset = parse_u64(*number);
  if (!offset || *offset == 0 || *offset > INT64_MAX) return unreadable("the header parley-offset is no log number");
  auto event = from_cloud_event(object);
  if (!event) return fail(std::move(event.error()));
  event->offset = {static_cast<std::int64_t>(*offset)};
  return std::move(*event);
}

}  // namespace parley::events
