#include "messaging/stores/mongo_event_payload.h"

#include <map>
#include <set>

#include "base/check.h"
#include "messaging/event_data.h"
#include "messaging/stores/mongo_lookups.h"
#include "messaging/write_rules.h"

namespace parley::messaging::mongodb {

using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

using Referring = std::vector<events::MongoEventLog::Referring>;

std::map<UuidBytes, MessageRow> find_referred(Database& db, const Referring& events) {
  mongo::Array ids;
  for (const auto& [event, reference] : events) ids.add(Uuid{reference.document});
  std::map<UuidBytes, MessageRow> rows;
  for (const Document& document : db.find(collection::kMessages, make_document("_id", among(ids)))) {
    MessageRow row = read_message(document.view());
    rows.emplace(row.id, std::move(row));
  }
  return rows;
}

std::set<ConversationKey> find_deleted(Database& db, const std::map<UuidBytes, MessageRow>& rows) {
  std::set<ConversationKey> keys;
  for (const auto& [id, row] : rows) keys.insert(row.conversation);
  mongo::Array ids;
  for (const ConversationKey& key : keys) ids.add(Uuid{key});
  std::set<ConversationKey> deleted;
  for (const Document& document : db.find(
           collection::kConversations, make_document("_id", among(ids), "deleted_at", make_document("$exists", true)),
           {.sort = {}, .fields = make_document("_id", 1)})) {
    deleted.insert(uuid_of(document.view().bytes("_id")));
  }
  return deleted;
}

void take_old_version(Database& db, const UuidBytes& id, Version version, Message& message) {
  const auto document = db.find_one(collection::kVersions, make_document("_id", version_id(id, version)));
  if (!document) return;
  MessageVersion old = read_version(document->view());
  message.content = std::move(old.content);
  message.mentions = std::move(old.mentions);
  message.metadata = std::move(old.metadata);
  message.edited_at = version == 1 ? std::nullopt : std::optional(old.created_at);
}

}  // namespace

void resolve_message_events(Database& db, Referring& events) {
  const auto rows = find_referred(db, events);
  const auto deleted = find_deleted(db, rows);
  for (auto& [event, reference] : events) {
    const auto at = rows.find(reference.document);
    CHECK(at != rows.end());
    Message message = at->second.message;
    message.conversation_id = ConversationId(event->key);
    if (message.deleted_at || deleted.contains(at->second.conversation)) {
      say_nothing(message);
    } else if (message.version != reference.version) {
      take_old_version(db, reference.document, reference.version, message);
    }
    date_back(message, reference.version, event->time);
    event->data = message_data(message);
  }
}

}  // namespace parley::messaging::mongodb
