#include <boost/json/serialize.hpp>
#include <optional>

#include "base/text.h"
#include "events/cloud_event.h"

namespace parley::events {

namespace {

constexpr std::size_t kMostIdBytes = 128;

std::unexpected<Error> wrong(std::string_view attribute) {
  return fail(ErrorKind::kInvalid, "record_unreadable", "the attribute " + std::string(attribute));
}

std::optional<std::string> text_of(const boost::json::object& json, std::string_view name,
                                   std::size_t most = kMostIdBytes) {
  const auto* value = json.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const auto& string = value->get_string();
  if (string.empty() || string.size() > most) return std::nullopt;
  return std::string(string);
}

}  // namespace

Result<Event> from_cloud_event(const boost::json::object& json) {
  Event event;
  if (text_of(json, "specversion") != "1.0") return wrong("specversion");
  auto id = text_of(json, "id");
  if (!id) return wrong("id");
  event.id = EventId(std::move(*id));
  auto type = text_of(json, "type");
  if (!type) return wrong("type");
  event.type = std::move(*type);
  auto tenant = text_of(json, "tenantid");
  if (!tenant) return wrong("tenantid");
  event.tenant = TenantId(std::move(*tenant));
  auto conversation = text_of(json, "conversationid");
  auto user = text_of(json, "userid");
  if (conversation.has_value() == user.has_value()) return wrong("conversationid or userid");
  event.scope = user ? EventScope::kUser : EventScope::kConversation;
  event.key = user ? std::move(*user) : std::move(*conversation);
  const auto* number = json.if_contains("eventnumber");
  if (number == nullptr || !number->is_int64() || number->get_int64() < 1) return wrong("eventnumber");
  event.number = number->get_int64();
  const auto time = text_of(json, "time");
  const auto at = time ? parse_rfc3339(*time) : std::nullopt;
  if (!at) return wrong("time");
  event.time = *at;
  auto subject = text_of(json, "subject", 1024);
  if (!subject) return wrong("subject");
  event.subject = std::move(*subject);
  const auto* data = json.if_contains("data");
  if (data == nullptr || !data->is_object()) return wrong("data");
  event.data = boost::json::serialize(data->get_object());
  return event;
}

}  // namespace parley::events
