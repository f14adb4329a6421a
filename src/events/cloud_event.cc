#include <boost/json/serialize.hpp>

#include "base/text.h"
#include "events/event.h"

namespace parley::events {

std::string to_cloud_event_json(const Event& event, std::string_view source) {
  std::string out;
  out.reserve(event.data.size() + 512);
  const auto field = [&out](std::string_view name, std::string_view value) {
    out += ",\"";
    out += name;
    out += "\":";
    out += boost::json::serialize(boost::json::string_view(value.data(), value.size()));
  };
  out += R"({"specversion":"1.0")";
  field("id", event.id.value);
  field("source", source);
  field("type", event.type);
  field("subject", event.subject);
  field("time", format_rfc3339(event.time));
  field("datacontenttype", "application/json");
  field("tenantid", event.tenant.value);
  field(event.scope == EventScope::kUser ? "userid" : "conversationid", event.key);
  out += ",\"eventnumber\":";
  out += std::to_string(event.number);
  out += ",\"data\":";
  out += event.data;
  out += '}';
  return out;
}

}  // namespace parley::events
