// What the API shows of messaging's values, as JSON text written straight to a string: the schemas under "answers" in
// api/messaging.yaml. `position` stands in answers to writes only. Pure, any thread.
#pragma once
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "messaging/commands.h"
#include "messaging/types.h"

namespace parley::messaging {

using Position = std::optional<std::string>;

// As a value of something larger.
void write(JsonWriter& json, const Message& message, const Position& position = {});
void write(JsonWriter& json, const Conversation& conversation, const Position& position = {});
void write(JsonWriter& json, const User& user, const Position& position = {});
// What its object holds, without the braces.
void write_fields_of(JsonWriter& json, const Message& message);
void write_fields_of(JsonWriter& json, const Conversation& conversation);

std::string encode(const Message& message, const Position& position = {});
std::string encode(const Conversation& conversation, const Position& position = {});
std::string encode(const Member& member, const Position& position = {});
std::string encode(const User& user, const Position& position = {});
std::string encode(const ReadState& state, const Position& position);
std::string encode(const ImportSummary& summary, const Position& position);
std::string encode(const ReactionSummary& reaction, const MessageId& message, const Position& position);

// {"items": […], "next_cursor": …}, and prev_cursor where the page is one that goes both ways.
struct PageCursors {
  std::optional<std::string> next;
  std::optional<std::string> prev;
  bool two_way = false;
};
std::string encode_list(const std::vector<Message>& items, const PageCursors& cursors);
std::string encode_list(const std::vector<MessageVersion>& items, const PageCursors& cursors);
std::string encode_list(const std::vector<Conversation>& items, const PageCursors& cursors);
std::string encode_list(const std::vector<Member>& items, const PageCursors& cursors);

}  // namespace parley::messaging
