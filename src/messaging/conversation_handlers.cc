#include <algorithm>

#include "base/text.h"
#include "messaging/cursor.h"
#include "messaging/handler_parts.h"
#include "messaging/if_match.h"

namespace parley::messaging {

namespace {

Result<CreateConversation> parse_create(const Call& call) {
  const json::object& body = call.request.body();
  CreateConversation command;
  command.id = id_field<ConversationId>(body, "id");
  command.kind = *parse_conversation_kind(text_field(body, "type").value_or("group"));
  command.name = nullable_text_field(body, "name").value_or(std::nullopt);
  command.topic = nullable_text_field(body, "topic").value_or(std::nullopt);
  command.metadata = metadata_field(body).value_or("{}");
  command.members = ids_field<UserId>(body, "members").value_or(std::vector<UserId>());
  command.imported = boolean_field(body, "imported").value_or(false);
  command.idempotency_key = text_parameter(call, "Idempotency-Key");
  // The caller is a member anyway; clients name it or not.
  std::erase(command.members, call.caller->user);
  if (command.kind == ConversationKind::kDirect && command.members.size() != 1) {
    return invalid_field("/members", "must be the caller and exactly one other user in a direct conversation");
  }
  return command;
}

Task<std::optional<Version>> present_version(Call& call) {
  const auto present = co_await call.store().get_conversation(
      *call.caller, path_id<ConversationId>(call, "conversation_id"), call.deadline);
  co_return present ? std::optional(present->version) : std::nullopt;
}

}  // namespace

Answer create_conversation(Call& call) {
  auto command = parse_create(call);
  if (!command) co_return fail(std::move(command.error()));
  auto written = co_await call.store().create_conversation(*call.caller, std::move(*command), call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  const auto& [conversation, created, position] = *written;
  http::Response response = written_response(created ? 201 : 200, encode(conversation, position_of(position)), position,
                                             conversation.version);
  response.headers.add("Location", "conversations/" + percent_encode(conversation.id.value));
  co_return response;
}

Answer list_conversations(Call& call) {
  const CursorScope scope("list_conversations", *call.caller, {});
  ListConversations query{{}, page_limit(call)};
  if (const auto cursor = call.request.find_text("cursor")) {
    const auto payload = scope.open(*cursor);
    if (!payload) co_return fail(payload.error());
    auto point = parse_conversation_point(*payload);
    if (!point) co_return fail(std::move(point.error()));
    query.after = std::move(*point);
  }
  auto page = co_await call.store().list_conversations(*call.caller, std::move(query), call.deadline);
  if (!page) co_return fail(std::move(page.error()));
  PageCursors cursors;
  if (page->has_more) {
    const Conversation& last = page->items.back();
    cursors.next = scope.seal(to_payload(ConversationListPoint{last.last_activity_at, last.id}));
  }
  co_return read_response(encode_list(page->items, cursors));
}

Answer get_conversation(Call& call) {
  auto conversation = co_await call.store().get_conversation(
      *call.caller, path_id<ConversationId>(call, "conversation_id"), call.deadline);
  if (!conversation) co_return fail(std::move(conversation.error()));
  co_return read_response(encode(*conversation), conversation->version);
}

Answer update_conversation(Call& call) {
  auto guard = parse_if_match(call.request.find_text("If-Match"));
  if (!guard) co_return fail(std::move(guard.error()));
  const json::object& body = call.request.body();
  UpdateConversation command{path_id<ConversationId>(call, "conversation_id"),
                             nullable_text_field(body, "name"),
                             nullable_text_field(body, "topic"),
                             metadata_field(body),
                             boolean_field(body, "archived"),
                             std::move(*guard)};
  auto written = co_await call.store().update_conversation(*call.caller, std::move(command), call.deadline);
  if (written) {
    co_return written_response(200, encode(written->value, position_of(written->position)), written->position,
                               written->value.version);
  }
  if (written.error().kind != ErrorKind::kPreconditionFailed) co_return fail(std::move(written.error()));
  co_return precondition_problem(call, written.error(), co_await present_version(call));
}

Answer delete_conversation(Call& call) {
  auto guard = parse_if_match(call.request.find_text("If-Match"));
  if (!guard) co_return fail(std::move(guard.error()));
  auto written = co_await call.store().delete_conversation(
      *call.caller, DeleteConversation{path_id<ConversationId>(call, "conversation_id"), std::move(*guard)},
      call.deadline);
  if (written) co_return deleted_response(written->position);
  if (written.error().kind != ErrorKind::kPreconditionFailed) co_return fail(std::move(written.error()));
  co_return precondition_problem(call, written.error(), co_await present_version(call));
}

Answer set_read_mark(Call& call) {
  const Seq seq = call.request.body().at("seq").get_int64();
  auto written = co_await call.store().set_read_mark(
      *call.caller, SetReadMark{path_id<ConversationId>(call, "conversation_id"), seq}, call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return written_response(200, encode(written->value, position_of(written->position)), written->position);
}

}  // namespace parley::messaging
