#include "messaging/stores/mongo_writes.h"

#include <algorithm>
#include <boost/json.hpp>

#include "messaging/event_data.h"

namespace parley::messaging::mongodb {

using mongo::Binary;
using mongo::make_document;
using mongo::Uuid;

events::NewMongoEvent WriteContext::conversation_event(ConversationRow& conversation, std::string_view type,
                                                       std::string_view subject) const {
  return {.id = ids.next(now),
          .type = std::string(type),
          .tenant = caller.tenant.value,
          .key = conversation.view.id.value,
          .number = ++conversation.event_number,
          .time = now,
          .subject = std::string(subject)};
}

void WriteContext::event(ConversationRow& conversation, std::string_view type, std::string_view subject,
                         std::string data) {
  auto event = conversation_event(conversation, type, subject);
  event.data = std::move(data);
  ticket_ = log().append(std::move(event));
}

void WriteContext::event(ConversationRow& conversation, std::string_view type, const UuidBytes& message,
                         Version version) {
  auto event = conversation_event(conversation, type, format_uuid(message));
  event.reference = {message, version};
  ticket_ = log().append(std::move(event));
}

namespace {

std::string naming(const ConversationRow& conversation) {
  return format_uuid(conversation.key);
}

}  // namespace

void WriteContext::naming_event(ConversationRow& conversation, std::string_view type, std::string data) {
  auto event = conversation_event(conversation, type, conversation.view.id.value);
  event.data = std::move(data);
  event.erasable = naming(conversation);
  ticket_ = log().append(std::move(event));
}

void WriteContext::erase_naming_events(const ConversationRow& conversation) {
  const auto without_fields = [](const std::string& data) {
    auto value = boost::json::parse(data);
    value.as_object()["name"] = nullptr;
    value.as_object()["topic"] = nullptr;
    value.as_object()["metadata"] = boost::json::object();
    return boost::json::serialize(value);
  };
  events::change_data(db, log().collections(), naming(conversation), without_fields);
}

void WriteContext::event(const User& user) {
  ticket_ = log().append({.id = ids.next(now),
                          .type = kUserUpdated,
                          .tenant = caller.tenant.value,
                          .scope = events::EventScope::kUser,
                          .key = user.id.value,
                          .number = user.version,  // one event for each version
                          .time = now,
                          .subject = user.id.value,
                          .data = user_data(user)});
}

void WriteContext::save(const ConversationRow& conversation) {
  const Conversation& view = conversation.view;
  db.update_one(
      collection::kConversations, make_document("_id", Uuid{conversation.key}),
      make_document("$set", make_document("last_seq", view.last_seq, "live", conversation.live, "event_number",
                                          conversation.event_number, "member_count", view.member_count, "owner_count",
                                          conversation.owner_count, "last_activity_at", view.last_activity_at)));
}

Result<std::optional<UuidBytes>> find_request(mongo::Database& db, const Digest& key, const Digest& request) {
  const auto row = db.find_one(collection::kIdempotency, make_document("_id", Binary{key}));
  if (!row) return std::nullopt;
  if (!std::ranges::equal(row->view().bytes("request"), request)) return key_of_another_request();
  return uuid_of(row->view().bytes("resource"));
}

void remember_request(mongo::Database& db, const Digest& key, const Digest& request, const UuidBytes& resource) {
  db.insert(collection::kIdempotency,
            make_document("_id", Binary{key}, "request", Binary{request}, "resource", Uuid{resource}));
}

}  // namespace parley::messaging::mongodb
