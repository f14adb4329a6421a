#include "base/json_writer.h"
#include "events/event.h"

namespace parley::events {

std::string to_cloud_event_json(const Event& event, std::string_view source) {
  std::string out;
  out.reserve(event.data.size() + 512);
  JsonWriter json(out);
  json.begin_object();
  json.key("specversion").string("1.0");
  json.key("id").string(event.id.value);
  json.key("source").string(source);
  json.key("type").string(event.type);
  json.key("subject").string(event.subject);
  json.key("time").time(event.time);
  json.key("datacontenttype").string("application/json");
  json.key("tenantid").string(event.tenant.value);
  json.key(event.scope == EventScope::kUser ? "userid" : "conversationid").string(event.key);
  json.key("eventnumber").number(event.number);
  json.key("data").raw(event.data);
  json.end_object();
  return out;
}

}  // namespace parley::events
