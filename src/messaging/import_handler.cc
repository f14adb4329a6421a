// POST /conversations/{id}/import: the lines are read as they arrive, each held against its schema; the batch then goes
// to the store as one step.
#include <fmt/format.h>

#include "base/text.h"
#include "http/openapi/ndjson.h"
#include "messaging/handler_parts.h"

namespace parley::messaging {

namespace {

// "irc:alice": a source, a colon, a name.
bool has_source(std::string_view author) {
  const std::size_t colon = author.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < author.size();
}

std::vector<ImportedReaction> reactions_of(const json::object& line) {
  std::vector<ImportedReaction> reactions;
  const json::value* list = line.if_contains("reactions");
  if (list == nullptr) return reactions;
  for (const json::value& entry : list->get_array()) {
    const json::object& reaction = entry.get_object();
    reactions.push_back({*text_field(reaction, "reaction"), *ids_field<UserId>(reaction, "users")});
  }
  return reactions;
}

Result<ImportedMessage> parse_line(const json::object& line, std::size_t number, WallTime now) {
  ImportedMessage message;
  message.line = static_cast<std::int64_t>(number);
  message.external_id = *text_field(line, "external_id");
  message.author = *id_field<UserId>(line, "author");
  message.content = *text_field(line, "content");
  message.created_at = *parse_rfc3339(*text_field(line, "created_at"));
  message.reply_to_external_id = text_field(line, "reply_to_external_id");
  message.reactions = reactions_of(line);
  if (!has_source(message.author.value)) {
    return invalid_field(fmt::format("/{}/author", number), "must name its source, such as irc:alice");
  }
  if (message.created_at > now)
    return invalid_field(fmt::format("/{}/created_at", number), "must not lie in the future");
  return message;
}

}  // namespace

Answer import_messages(Call& call) {
  const WallTime now = call.messaging.clock.wall_now();
  ImportMessages command{path_id<ConversationId>(call, "conversation_id"), {}};
  http::openapi::NdjsonReader lines(call.request.operation(), *call.exchange.request.body);
  for (;;) {
    auto line = co_await lines.next();
    if (!line) co_return fail(std::move(line.error()));
    if (!*line) break;
    auto message = parse_line((*line)->value.value().get_object(), (*line)->number, now);
    if (!message) co_return fail(std::move(message.error()));
    command.messages.push_back(std::move(*message));
  }
  if (command.messages.empty()) co_return invalid_field("", "must have at least one line");
  auto written = co_await call.store().import_messages(*call.caller, std::move(command), call.exchange.due());
  if (!written) co_return fail(std::move(written.error()));
  co_return written_response(200, encode(written->value, position_of(written->position)), written->position);
}

}  // namespace parley::messaging
