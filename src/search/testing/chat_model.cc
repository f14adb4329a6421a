#include "search/testing/chat_model.h"

#include <algorithm>

#include "base/check.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace parley::search::testing {

namespace {

std::string conversation_data(const std::string& id, const std::string& name) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("id").string(id).key("type").string("group").key("name").string(name);
  json.key("topic").null().key("archived").boolean(false).end_object();
  return text;
}

std::string id_data(std::string_view name, const std::string& id) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key(name).string(id).end_object();
  return text;
}

// A page out of `items`, which stand by key; `make` turns one into what is scanned.
template <class T, class Items, class Make>
ScanPage<T> page_of(const Items& items, const StoreScan::After& after, std::size_t limit, Make make) {
  ScanPage<T> page;
  std::string last;
  for (const auto& [key, value] : items) {
    if (after && key <= *after) continue;
    if (page.items.size() == limit) {
      page.next = last;
      break;
    }
    last = key;
    if (auto one = make(key, value)) page.items.push_back(std::move(*one));
  }
  return page;
}

}  // namespace

void ChatModel::append(std::string type, std::string key, std::string data, const char* tenant,
                       events::EventScope scope) {
  const std::int64_t number = ++tenants_[tenant].numbers[key];
  events_.push_back({.offset = {static_cast<std::int64_t>(events_.size()) + 1},
                     .id = EventId("e" + std::to_string(events_.size() + 1)),
                     .type = std::move(type),
                     .tenant = TenantId(tenant),
                     .scope = scope,
                     .key = std::move(key),
                     .number = number,
                     .time = clock_.wall_now(),
                     .subject = "s",
                     .data = std::move(data)});
  signal_.notify();
}

void ChatModel::make_conversation(const char* id, const char* name, const char* tenant) {
  tenants_[tenant].rooms[id].name = name;
  append("conversation.created", id, conversation_data(id, name), tenant);
}

MessageId ChatModel::say(const char* conversation, std::string content, const char* tenant) {
  Room& room = tenants_[tenant].rooms[conversation];
  Stored stored;
  stored.message.id = MessageId("m" + std::to_string(1000 + ++messages_made_));
  stored.message.seq = static_cast<std::int64_t>(room.messages.size()) + 1;
  stored.message.sender = UserId("ada");
  stored.message.created_at = clock_.wall_now();
  stored.message.content = std::move(content);
  stored.message.has_reaction = false;
  room.messages.push_back(stored);
  append("message.created", conversation, message_data(conversation, stored), tenant);
  return stored.message.id;
}

ChatModel::Stored& ChatModel::find(const char* conversation, const MessageId& id, const char* tenant) {
  auto& messages = tenants_[tenant].rooms[conversation].messages;
  const auto found = std::ranges::find_if(messages, [&id](const Stored& each) { return each.message.id == id; });
  CHECK(found != messages.end());
  return *found;
}

void ChatModel::edit(const char* conversation, const MessageId& id, std::string content, const char* tenant) {
  Stored& stored = find(conversation, id, tenant);
  stored.message.content = std::move(content);
  append("message.edited", conversation, message_data(conversation, stored), tenant);
}

void ChatModel::remove(const char* conversation, const MessageId& id, const char* tenant) {
  find(conversation, id, tenant).deleted = true;
  append("message.deleted", conversation, id_data("id", id.value), tenant);
}

void ChatModel::react(const char* conversation, const MessageId& id, bool any, const char* tenant) {
  find(conversation, id, tenant).message.has_reaction = any;
  append(any ? "reaction.added" : "reaction.removed", conversation,
         R"({"message_id":")" + id.value + R"(","total":)" + (any ? "1}" : "0}"), tenant);
}

void ChatModel::erase_conversation(const char* id, const char* tenant) {
  tenants_[tenant].rooms[id].deleted = true;
  append("conversation.deleted", id, id_data("id", id), tenant);
}

void ChatModel::name_user(const char* id, const char* name, const char* tenant) {
  tenants_[tenant].users[id] = name;
  append("user.updated", id, R"({"id":")" + std::string(id) + R"(","name":")" + name + "\"}", tenant,
         events::EventScope::kUser);
}

std::string ChatModel::message_data(const std::string& conversation, const Stored& stored) const {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("id").string(stored.message.id.value).key("conversation_id").string(conversation);
  json.key("seq").number(stored.message.seq).key("sender_id").string(stored.message.sender.value);
  json.key("content").string(stored.message.content).key("files").begin_array();
  for (const std::string& name : stored.message.file_names)
    json.begin_object().key("filename").string(name).end_object();
  json.end_array();
  json.key("mentions").begin_array().end_array().key("created_at").time(stored.message.created_at).end_object();
  return text;
}

std::vector<std::string> ChatModel::contents(const char* conversation, const char* tenant) const {
  std::vector<std::string> all;
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return all;
  const auto room = found->second.rooms.find(conversation);
  if (room == found->second.rooms.end() || room->second.deleted) return all;
  for (const Stored& stored : room->second.messages) {
    if (!stored.deleted) all.push_back(stored.message.content);
  }
  return all;
}

// --- StoreScan ------------------------------------------------------------------------------------------------------

Result<> ChatModel::scan_gate(const std::optional<TenantId>& tenant) {
  const bool is_away = away && tenant == away;
  if (scan_failures == 0 && !is_away) return {};
  if (!is_away) --scan_failures;
  return unavailable("unavailable", "the store is away");
}

Task<Result<ScanPage<TenantId>>> ChatModel::tenants(After after, std::size_t limit, SteadyTime) {
  if (auto open = scan_gate(); !open) co_return std::unexpected(std::move(open.error()));
  co_return page_of<TenantId>(tenants_, after, std::min<std::size_t>(limit, 1),
                              [](const std::string& id, const Tenant&) { return std::optional(TenantId(id)); });
}

Task<Result<ScanPage<UserWritten>>> ChatModel::users(TenantId tenant, After after, std::size_t limit, SteadyTime) {
  if (auto open = scan_gate(tenant); !open) co_return std::unexpected(std::move(open.error()));
  co_return page_of<UserWritten>(
      tenants_[tenant.value].users, after, std::min<std::size_t>(limit, 2),
      [](const std::string& id, const std::string& name) { return std::optional(UserWritten{UserId(id), name}); });
}

Task<Result<ScanPage<ScannedConversation>>> ChatModel::conversations(TenantId tenant, After after, std::size_t limit,
                                                                     SteadyTime) {
  if (auto open = scan_gate(tenant); !open) co_return std::unexpected(std::move(open.error()));
  co_return page_of<ScannedConversation>(
      tenants_[tenant.value].rooms, after, std::min<std::size_t>(limit, 2),
      [](const std::string& id, const Room& room) -> std::optional<ScannedConversation> {
        if (room.deleted) return std::nullopt;
        ScannedConversation scanned{
            .id = ConversationId(id), .last_seq = static_cast<std::int64_t>(room.messages.size()), .entry = {}};
        scanned.entry.name = room.name;
        return scanned;
      });
}

Task<Result<ScanPage<ScannedMessage>>> ChatModel::messages(TenantId tenant, ConversationId conversation, After after,
                                                           std::size_t limit, SteadyTime) {
  if (auto open = scan_gate(tenant); !open) co_return std::unexpected(std::move(open.error()));
  const auto& rooms = tenants_[tenant.value].rooms;
  const auto room = rooms.find(conversation.value);
  if (room == rooms.end() || room->second.deleted) co_return not_found("conversation");
  ScanPage<ScannedMessage> page;
  const auto all = static_cast<std::int64_t>(room->second.messages.size());
  std::int64_t seq = after ? static_cast<std::int64_t>(parse_u64(*after).value()) : 0;
  for (; seq < all && page.items.size() < std::min<std::size_t>(limit, 3); ++seq) {
    const Stored& stored = room->second.messages[static_cast<std::size_t>(seq)];
    ScannedMessage scanned{.seq = seq + 1, .what = stored.message};
    if (stored.deleted) scanned.what = MessageRemoved{stored.message.id};
    page.items.push_back(std::move(scanned));
  }
  if (seq < all) page.next = std::to_string(seq);
  co_return page;
}

// --- EventLog -------------------------------------------------------------------------------------------------------

Task<Result<events::EventBatch>> ChatModel::read(events::LogOffset after, std::size_t limit, SteadyTime) {
  events::EventBatch batch;
  batch.through = after;
  for (const events::Event& event : events_) {
    if (event.offset <= std::max(after, tail_)) continue;
    if (batch.events.size() == limit) break;
    batch.events.push_back(event);
    batch.through = event.offset;
  }
  co_return batch;
}

}  // namespace parley::search::testing
