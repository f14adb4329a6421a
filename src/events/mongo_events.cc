#include "events/mongo_events.h"

#include <algorithm>

#include "base/check.h"
#include "telemetry/log.h"

namespace parley::events {

namespace {

using mongo::Database;
using mongo::Document;
using mongo::make_document;

Document event_document(const NewMongoEvent& event, std::int64_t number) {
  Document document = make_document("_id", number, "id", mongo::Uuid{event.id}, "type", event.type, "tenant",
                                    event.tenant, "scope", static_cast<int>(event.scope), "key", event.key, "number",
                                    event.number, "time", event.time, "subject", event.subject, "data", event.data);
  if (!event.data) document.add("ref", mongo::Uuid{event.reference.document}).add("version", event.reference.version);
  if (!event.erasable.empty()) document.add("erasable", event.erasable);
  return document;
}

}  // namespace

void prepare_events(Database& database, const MongoEventCollections& collections) {
  const mongo::Index erasable[] = {{.name = "by_erasable",
                                    .keys = make_document("erasable", 1),
                                    .only_where = make_document("erasable", make_document("$exists", true))}};
  mongo::prepare_collection(database, collections.events, erasable);
  mongo::prepare_collection(database, collections.consumers, {});
  mongo::prepare_collection(database, collections.log, {});
}

PositionCodec::Secret load_position_secret(Database& database, const MongoEventCollections& collections,
                                           Random& random) {
  const char* const log = collections.log.c_str();
  const Document wanted = make_document("_id", "position_secret");
  auto row = database.find_one(log, wanted);
  if (!row) {
    PositionCodec::Secret fresh;
    random.fill(fresh);
    try {
      database.insert(log, make_document("_id", "position_secret", "value", mongo::Binary{fresh}));
    } catch (const mongo::Failure& failure) {
      if (failure.kind() != mongo::FailureKind::kDuplicateKey) throw;  // else another process was first
    }
    row = database.find_one(log, wanted);
  }
  PositionCodec::Secret secret{};
  CHECK(row && row->view().bytes("value").size() == secret.size());
  std::ranges::copy(row->view().bytes("value"), secret.begin());
  return secret;
}

EventTicket MongoEventAppender::append(NewMongoEvent event) {
  events_.push_back(std::move(event));
  return {block_, static_cast<std::int64_t>(events_.size()) - 1};
}

void MongoEventAppender::before_commit(mongo::Transaction& transaction) {
  if (events_.empty()) return;
  const auto count = static_cast<std::int64_t>(events_.size());
  auto outside = transaction.outside();
  block_->first = outside.add_to_counter(collections_.log.c_str(), "numbers", "last", count) - count + 1;
  std::vector<Document> documents;
  documents.reserve(events_.size());
  for (std::int64_t i = 0; i < count; ++i) {
    documents.push_back(event_document(events_[static_cast<std::size_t>(i)], block_->first + i));
  }
  transaction.insert(collections_.events.c_str(), documents);
}

void MongoEventAppender::after_commit() {
  if (!events_.empty()) signal_.notify();
}

void MongoEventAppender::after_abort(Database& database) {
  if (block_->first == 0) return;
  const LogOffset last{block_->first + static_cast<std::int64_t>(events_.size()) - 1};
  // Whatever this leaves open, readers fill in when it has been open for long.
  if (fill_with_voids(database, collections_, {block_->first}, last)) signal_.notify();
}

void begin_behind(Database& database, const MongoEventCollections& collections,
                  const std::vector<NumberedMongoEvent>& events) {
  if (events.empty()) return;
  const char* const log = collections.log.c_str();
  std::vector<Document> documents;
  for (const auto& [event, number] : events) {
    // Numbers are dense here: those that the other log had given to nobody are void.
    const std::int64_t before = documents.empty() ? number.value : documents.back().view().integer("_id") + 1;
    for (std::int64_t open = before; open < number.value; ++open) {
      documents.push_back(make_document("_id", open, "void", true));
    }
    documents.push_back(event_document(event, number.value));
  }
  database.delete_many(collections.events.c_str(), {});
  database.insert(collections.events.c_str(), documents);
  database.update_one(log, make_document("_id", "pruned"),
                      make_document("$set", make_document("through", events.front().number.value - 1)), true);
  database.update_one(log, make_document("_id", "numbers"),
                      make_document("$set", make_document("last", events.back().number.value)), true);
}

Event read_event(mongo::View row) {
  return {
      .offset = {row.integer("_id")},
      .id = EventId(format_uuid(row.bytes("id"))),
      .type = std::string(row.text("type")),
      .tenant = TenantId(row.text("tenant")),
      .scope = row.integer("scope") == 0 ? EventScope::kConversation : EventScope::kUser,
      .key = std::string(row.text("key")),
      .number = row.integer("number"),
      .time = row.time("time"),
      .subject = std::string(row.text("subject")),
      .data = std::string(row.text("data")),
  };
}

NewMongoEvent new_mongo_event_of(const Event& event) {
  const auto id = parse_uuid(event.id.value);
  CHECK(id.has_value());
  return {.id = *id,
          .type = event.type,
          .tenant = event.tenant.value,
          .scope = event.scope,
          .key = event.key,
          .number = event.number,
          .time = event.time,
          .subject = event.subject,
          .data = event.data};
}

LogOffset last_event(Database& database, const MongoEventCollections& collections) {
  const auto last =
      database.find_one(collections.events.c_str(), make_document("void", make_document("$exists", false)),
                        {.sort = make_document("_id", -1), .fields = make_document("_id", 1)});
  return {last ? last->view().integer("_id") : 0};
}

void change_data(Database& database, const MongoEventCollections& collections, std::string_view erasable,
                 const std::function<std::string(const std::string&)>& change) {
  const char* const events = collections.events.c_str();
  const auto found =
      database.find(events, make_document("erasable", erasable), {.sort = {}, .fields = make_document("data", 1)});
  for (const Document& event : found) {
    const std::string data = change(std::string(event.view().text("data")));
    database.update_one(events, make_document("_id", event.view().integer("_id")),
                        make_document("$set", make_document("data", data)));
  }
}

bool fill_with_voids(Database& database, const MongoEventCollections& collections, LogOffset first, LogOffset last) {
  for (std::int64_t number = first.value; number <= last.value; ++number) {
    try {
      database.insert(collections.events.c_str(), make_document("_id", number, "void", true));
    } catch (const mongo::Failure& failure) {
      if (failure.kind() == mongo::FailureKind::kDuplicateKey) continue;
      log_warn("a number of the event log stays open", {{"error", failure.what()}, {"code", failure.code()}});
      return false;
    }
  }
  return true;
}

}  // namespace parley::events
