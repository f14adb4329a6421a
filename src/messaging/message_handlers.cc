#include "base/text.h"
#include "http/problem.h"
#include "messaging/cursor.h"
#include "messaging/handler_parts.h"
#include "messaging/if_match.h"

namespace parley::messaging {

namespace {

Result<SendMessage> parse_send(const Call& call) {
  const json::object& body = call.request.body();
  SendMessage command;
  command.conversation_id = *id_field<ConversationId>(body, "conversation_id");
  command.content = text_field(body, "content").value_or("");
  command.type = text_field(body, "type").value_or("text");
  command.attachments = ids_field<FileId>(body, "attachments").value_or(std::vector<FileId>());
  command.reply_to = id_field<MessageId>(body, "reply_to");
  command.mentions = ids_field<UserId>(body, "mentions").value_or(std::vector<UserId>());
  command.metadata = metadata_field(body).value_or("{}");
  command.client_message_id = text_field(body, "client_message_id");
  command.idempotency_key = text_parameter(call, "Idempotency-Key");
  if (command.content.empty() && command.attachments.empty()) {
    return invalid_field("/content", body.contains("content") ? "must not be empty unless attachments are given"
                                                              : "is required unless attachments are given");
  }
  return command;
}

void add_rate_limit_headers(http::Response& response, const std::optional<RateDecision>& decision) {
  if (!decision) return;
  for (const auto& [name, value] : rate_limit_fields(*decision)) response.headers.add(name, value);
}

// Where a page of messages was asked from: by cursor, else from the start of the order.
Result<SeqPoint> start_of(const Call& call, const CursorScope& scope, bool& from_cursor) {
  const auto cursor = call.request.find_text("cursor");
  from_cursor = cursor.has_value();
  if (!cursor) return SeqPoint();
  const auto payload = scope.open(*cursor);
  if (!payload) return fail(payload.error());
  return parse_seq_point(*payload);
}

http::Response page_response(const MessagePage& page, const CursorScope& scope, bool two_way) {
  PageCursors cursors;
  cursors.two_way = two_way;
  if (!page.items.empty()) {
    if (page.has_after) cursors.next = scope.seal(to_payload(SeqPoint{page.items.back().seq, two_way, false}));
    if (two_way && page.has_before) cursors.prev = scope.seal(to_payload(SeqPoint{page.items.front().seq, true, true}));
  }
  return read_response(encode_list(page.items, cursors));
}

}  // namespace

Answer send_message(Call& call) {
  auto command = parse_send(call);
  if (!command) co_return fail(std::move(command.error()));
  LimitedSender::Outcome outcome = co_await call.messaging.sender.send(
      call.caller, std::move(*command), {call.exchange.request_id, call.exchange.traceparent}, call.deadline);
  http::Response response;
  if (outcome.written) {
    const auto& [message, created, position] = *outcome.written;
    response = written_response(created ? 201 : 200, encode(message, position_of(position)), position, message.version);
    response.headers.add("Location", "messages/" + percent_encode(message.id.value));
  } else {
    response = http::problem_response(outcome.written.error(), call.exchange.request_id);
  }
  add_rate_limit_headers(response, outcome.decision);
  co_return response;
}

Answer list_messages(Call& call) {
  const auto conversation = path_id<ConversationId>(call, "conversation_id");
  const CursorScope scope("list_messages", *call.caller, {conversation.value, call.request.text("order")});
  const auto around = call.request.find_integer("around");
  if (around && call.request.find_text("cursor"))
    co_return invalid_field("query.around", "must not be given with cursor");
  if (around) {
    auto page = co_await call.store().messages_around(
        *call.caller, MessagesAround{conversation, seq_order(call), *around, page_limit(call)}, call.deadline);
    if (!page) co_return fail(std::move(page.error()));
    co_return page_response(*page, scope, true);
  }
  bool from_cursor = false;
  const auto start = start_of(call, scope, from_cursor);
  if (!start) co_return fail(start.error());
  ListMessages query{conversation, seq_order(call), {}, start->backwards, page_limit(call)};
  if (from_cursor) query.from = start->seq;
  auto page = co_await call.store().list_messages(*call.caller, std::move(query), call.deadline);
  if (!page) co_return fail(std::move(page.error()));
  co_return page_response(*page, scope, start->two_way);
}

Answer get_message(Call& call) {
  auto message = co_await call.store().get_message(*call.caller, path_id<MessageId>(call, "message_id"), call.deadline);
  if (!message) co_return fail(std::move(message.error()));
  co_return read_response(encode(*message), message->version);
}

Answer edit_message(Call& call) {
  auto guard = parse_if_match(call.request.find_text("If-Match"));
  if (!guard) co_return fail(std::move(guard.error()));
  const json::object& body = call.request.body();
  EditMessage command{path_id<MessageId>(call, "message_id"), text_field(body, "content"),
                      ids_field<UserId>(body, "mentions"), metadata_field(body), std::move(*guard)};
  auto written = co_await call.store().edit_message(*call.caller, std::move(command), call.deadline);
  if (written) {
    co_return written_response(200, encode(written->value, position_of(written->position)), written->position,
                               written->value.version);
  }
  if (written.error().kind != ErrorKind::kPreconditionFailed) co_return fail(std::move(written.error()));
  const auto present =
      co_await call.store().get_message(*call.caller, path_id<MessageId>(call, "message_id"), call.deadline);
  co_return precondition_problem(call, written.error(), present ? std::optional(present->version) : std::nullopt);
}

Answer delete_message(Call& call) {
  auto guard = parse_if_match(call.request.find_text("If-Match"));
  if (!guard) co_return fail(std::move(guard.error()));
  auto written = co_await call.store().delete_message(
      *call.caller, DeleteMessage{path_id<MessageId>(call, "message_id"), std::move(*guard)}, call.deadline);
  if (written) co_return deleted_response(written->position);
  if (written.error().kind != ErrorKind::kPreconditionFailed) co_return fail(std::move(written.error()));
  const auto present =
      co_await call.store().get_message(*call.caller, path_id<MessageId>(call, "message_id"), call.deadline);
  co_return precondition_problem(call, written.error(), present ? std::optional(present->version) : std::nullopt);
}

Answer get_message_history(Call& call) {
  const auto message = path_id<MessageId>(call, "message_id");
  const CursorScope scope("get_message_history", *call.caller, {message.value});
  bool from_cursor = false;
  const auto start = start_of(call, scope, from_cursor);
  if (!start) co_return fail(start.error());
  ListVersions query{message, {}, page_limit(call)};
  if (from_cursor) query.below = start->seq;
  auto page = co_await call.store().list_versions(*call.caller, std::move(query), call.deadline);
  if (!page) co_return fail(std::move(page.error()));
  PageCursors cursors;
  if (page->has_more) cursors.next = scope.seal(to_payload(SeqPoint{page->items.back().version}));
  co_return read_response(encode_list(page->items, cursors));
}

Answer list_replies(Call& call) {
  const auto message = path_id<MessageId>(call, "message_id");
  const CursorScope scope("list_replies", *call.caller, {message.value, call.request.text("order")});
  bool from_cursor = false;
  const auto start = start_of(call, scope, from_cursor);
  if (!start) co_return fail(start.error());
  ListReplies query{message, seq_order(call), {}, page_limit(call)};
  if (from_cursor) query.from = start->seq;
  auto page = co_await call.store().list_replies(*call.caller, std::move(query), call.deadline);
  if (!page) co_return fail(std::move(page.error()));
  co_return page_response(*page, scope, false);
}

Answer add_reaction(Call& call) {
  const auto message = path_id<MessageId>(call, "message_id");
  auto written = co_await call.store().add_reaction(
      *call.caller, React{message, *text_field(call.request.body(), "reaction")}, call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return written_response(written->changed ? 201 : 200,
                             encode(written->value, message, position_of(written->position)), written->position);
}

Answer remove_reaction(Call& call) {
  auto written = co_await call.store().remove_reaction(
      *call.caller, React{path_id<MessageId>(call, "message_id"), std::string(call.request.text("reaction"))},
      call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return deleted_response(written->position);
}

}  // namespace parley::messaging
