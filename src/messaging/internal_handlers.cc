// What other roles ask. get_scope and look_up run on behalf of a user, with that user's token; the scans are for the
// role itself and read past membership, and check_attachment names a user who may be gone by then (the signer of an
// address), so these take an internal token only.
#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "messaging/event_data.h"
#include "messaging/handler_parts.h"

namespace parley::messaging {

namespace {

constexpr std::size_t kMaxScope = 5'000;
// A page of a scan ends with the item that makes it this long, so that no answer is much longer.
constexpr std::size_t kScanBytes = 1024 * 1024;
// Items of a scan that are held at once: conversations may have very many members, messages much content.
constexpr std::size_t kConversationsAtOnce = 10;
constexpr std::size_t kItemsAtOnce = 100;

// As scans tell of things: of some more than their own GET does.
void write_scanned(JsonWriter& json, const TenantId& tenant) {
  json.string(tenant.value);
}
void write_scanned(JsonWriter& json, const User& user) {
  write(json, user);
}
void write_scanned(JsonWriter& json, const Message& message) {
  json.begin_object();
  write_fields_of(json, message);
  write_files(json.key("files"), message.files);
  json.end_object();
}
void write_scanned(JsonWriter& json, const ScannedConversation& scanned) {
  json.begin_object();
  write_fields_of(json, scanned.conversation);
  json.key("members").begin_array();
  for (const UserId& member : scanned.members) json.string(member.value);
  json.end_array().end_object();
}

template <class Tag>
void write_next(JsonWriter& json, const std::optional<Id<Tag>>& last) {
  last ? json.string(last->value) : json.null();
}
void write_next(JsonWriter& json, Seq last) {
  json.number(last);
}

TenantId place_of(const TenantId& tenant) {
  return tenant;
}
ConversationId place_of(const ScannedConversation& scanned) {
  return scanned.conversation.id;
}
Seq place_of(const Message& message) {
  return message.seq;
}
UserId place_of(const User& user) {
  return user.id;
}

template <class T>
void write_list(JsonWriter& json, std::string_view name, const std::vector<T>& items) {
  json.key(name).begin_array();
  for (const T& item : items) write(json, item);
  json.end_array();
}

// Asks for a few items at a time, until there are `limit`, the text is long enough or nothing is left.
template <class Place, class Ask>
Answer answer_scan(Call& call, Place last, std::size_t at_once, Ask ask) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  bool more = true;
  for (std::size_t left = page_limit(call); more && left > 0 && text.size() < kScanBytes;) {
    const auto page = co_await ask(last, std::min(left, at_once));
    if (!page) co_return fail(page.error());
    more = page->has_more;
    for (const auto& item : page->items) {
      if (text.size() >= kScanBytes) {
        more = true;
        break;
      }
      write_scanned(json, item);
      last = place_of(item);
      --left;
    }
  }
  json.end_array().key("next");
  more ? write_next(json, last) : void(json.null());
  json.end_object();
  co_return read_response(std::move(text));
}

template <class SomeId>
std::optional<SomeId> after_id(const Call& call) {
  const auto after = call.request.find_text("after");
  return after ? std::optional(SomeId(*after)) : std::nullopt;
}

}  // namespace

Answer get_scope(Call& call) {
  const auto scope = co_await call.store().get_scope(*call.caller, kMaxScope, call.deadline);
  if (!scope) co_return fail(scope.error());
  std::string text;
  text.reserve(scope->items.size() * 40 + 64);
  JsonWriter json(text);
  json.begin_object().key("conversations").begin_array();
  for (const ConversationId& id : scope->items) json.string(id.value);
  json.end_array().key("complete").boolean(!scope->has_more).end_object();
  co_return read_response(std::move(text));
}

Answer look_up(Call& call) {
  const json::object& body = call.request.body();
  LookUp query{ids_field<MessageId>(body, "messages").value_or(std::vector<MessageId>()),
               ids_field<ConversationId>(body, "conversations").value_or(std::vector<ConversationId>()),
               ids_field<UserId>(body, "users").value_or(std::vector<UserId>())};
  const auto found = co_await call.store().look_up(*call.caller, std::move(query), call.deadline);
  if (!found) co_return fail(found.error());
  std::string text;
  text.reserve(found->messages.size() * 640 + 64);
  JsonWriter json(text);
  json.begin_object();
  write_list(json, "messages", found->messages);
  write_list(json, "conversations", found->conversations);
  write_list(json, "users", found->users);
  json.end_object();
  co_return read_response(std::move(text));
}

Answer check_attachment(Call& call) {
  const json::object& body = call.request.body();
  const Caller reader{
      .tenant = *id_field<TenantId>(body, "tenant"), .user = *id_field<UserId>(body, "user"), .roles = {}, .name = {}};
  const auto readable = co_await call.store().may_read_file(reader, *id_field<FileId>(body, "file"), call.deadline);
  if (!readable) co_return fail(readable.error());
  std::string text;
  JsonWriter(text).begin_object().key("readable").boolean(*readable).end_object();
  co_return read_response(std::move(text));
}

Answer forget_files(Call& call) {
  const json::object& body = call.request.body();
  const auto messages = co_await call.store().forget_files(*id_field<TenantId>(body, "tenant"),
                                                           *ids_field<FileId>(body, "files"), call.deadline);
  if (!messages) co_return fail(messages.error());
  std::string text;
  JsonWriter(text).begin_object().key("messages").number(*messages).end_object();
  co_return read_response(std::move(text));
}

Answer read_log(Call& call) {
  const auto head = co_await call.messaging.log.head(call.deadline);
  if (!head) co_return fail(head.error());
  const auto tail = co_await call.messaging.log.tail(call.deadline);
  if (!tail) co_return fail(tail.error());
  const auto secret = call.messaging.log.position_secret();
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("head").number(head->value);
  json.key("tail").number(tail->value);
  json.key("position_secret").string(secret ? std::optional(hex_encode(*secret)) : std::nullopt);
  json.end_object();
  co_return read_response(std::move(text));
}

Answer scan_tenants(Call& call) {
  return answer_scan(call, after_id<TenantId>(call), kItemsAtOnce, [&call](auto after, std::size_t limit) {
    return call.messaging.scan.scan_tenants(std::move(after), limit, call.deadline);
  });
}

Answer scan_conversations(Call& call) {
  return answer_scan(call, after_id<ConversationId>(call), kConversationsAtOnce,
                     [&call](auto after, std::size_t limit) {
                       return call.messaging.scan.scan_conversations(TenantId(call.request.text("tenant")),
                                                                     std::move(after), limit, call.deadline);
                     });
}

Answer scan_messages(Call& call) {
  return answer_scan(call, Seq{call.request.integer("after_seq")}, kItemsAtOnce, [&call](Seq after, std::size_t limit) {
    return call.messaging.scan.scan_messages(TenantId(call.request.text("tenant")),
                                             ConversationId(call.request.text("conversation_id")), after, limit,
                                             call.deadline);
  });
}

Answer scan_users(Call& call) {
  return answer_scan(call, after_id<UserId>(call), kItemsAtOnce, [&call](auto after, std::size_t limit) {
    return call.messaging.scan.scan_users(TenantId(call.request.text("tenant")), std::move(after), limit,
                                          call.deadline);
  });
}

}  // namespace parley::messaging
