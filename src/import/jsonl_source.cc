#include "import/jsonl_source.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.h"
#include "import/line_reader.h"

namespace parley::import {

namespace json = boost::json;

namespace {

// A text of 16 KiB in \u escapes and 50 reactions of 100 users fit; the server's own limit for a batch.
constexpr std::size_t kMaxLineBytes = 1024 * 1024;
constexpr std::size_t kMaxDepth = 8;

JsonlFault wrong(std::string_view field, std::string_view what) {
  return {std::string(field).append(": ").append(what)};
}

std::optional<JsonlFault> read_text(const json::object& object, std::string_view field, bool required,
                                    std::string& out) {
  const json::value* value = object.if_contains(field);
  if (!value || (!required && value->is_null())) {
    if (required) return wrong(field, "is missing");
    return std::nullopt;
  }
  if (!value->is_string()) return wrong(field, "must be a string");
  out = std::string_view(value->get_string());
  if (out.empty()) return wrong(field, "must not be empty");
  return std::nullopt;
}

std::optional<JsonlFault> read_reaction(const json::value& value, ImportReaction& out) {
  if (!value.is_object()) return wrong("reactions", "must hold objects {reaction, users}");
  for (const auto& [key, ignored] : value.get_object()) {
    if (key != "reaction" && key != "users") return wrong("reactions", "has the unknown field " + std::string(key));
  }
  if (auto fault = read_text(value.get_object(), "reaction", true, out.reaction)) return fault;
  if (out.reaction.size() > kMaxReactionBytes || has_control_characters(out.reaction) || is_dot_segment(out.reaction)) {
    return wrong("reaction", "must have 64 bytes at most and no control characters, and not be . or ..");
  }
  const json::value* users = value.get_object().if_contains("users");
  if (!users || !users->is_array() || users->get_array().empty() || users->get_array().size() > kMaxReactionUsers) {
    return wrong("users", "must be a list of 1 to 100 ids");
  }
  for (const json::value& user : users->get_array()) {
    if (!user.is_string() || !is_valid_author(user.get_string())) {
      return wrong("users", "must hold ids of the form source:name, 128 bytes at most");
    }
    if (std::ranges::find(out.users, std::string_view(user.get_string())) != out.users.end()) {
      return wrong("users", "names one twice");
    }
    out.users.emplace_back(std::string_view(user.get_string()));
  }
  return std::nullopt;
}

std::optional<JsonlFault> read_reactions(const json::object& object, std::vector<ImportReaction>& out) {
  const json::value* value = object.if_contains("reactions");
  if (!value) return std::nullopt;
  if (!value->is_array() || value->get_array().size() > kMaxReactions) {
    return wrong("reactions", "must be a list of 50 at most");
  }
  for (const json::value& item : value->get_array()) {
    if (auto fault = read_reaction(item, out.emplace_back())) return fault;
  }
  return std::nullopt;
}

std::optional<JsonlFault> read_conversation(const json::object& object, std::string_view prefix,
                                            ImportConversation& out) {
  std::string id;
  if (auto fault = read_text(object, "conversation", true, id)) return fault;
  if (auto fault = read_text(object, "conversation_name", false, out.name)) return fault;
  if (out.name.empty()) out.name = id;
  out.id = ConversationId(std::string(prefix) + id);
  if (!is_valid_id(out.id.value)) return wrong("conversation", "must be an id: " + std::string(kIdRule));
  if (out.name.size() > kMaxNameBytes || has_control_characters(out.name)) {
    return wrong("conversation_name", "must have 256 bytes at most and no control characters");
  }
  return std::nullopt;
}

std::optional<JsonlFault> read_message(const json::object& object, std::string_view place, WallTime now,
                                       ImportLine& out) {
  std::string time;
  if (auto fault = read_text(object, "external_id", false, out.external_id)) return fault;
  if (auto fault = read_text(object, "author", true, out.author)) return fault;
  if (auto fault = read_text(object, "content", true, out.content)) return fault;
  if (auto fault = read_text(object, "created_at", true, time)) return fault;
  if (auto fault = read_text(object, "reply_to", false, out.reply_to)) return fault;
  if (auto fault = read_reactions(object, out.reactions)) return fault;
  if (out.external_id.empty()) out.external_id = place;
  if (out.reply_to.size() > kMaxExternalIdBytes || has_control_characters(out.reply_to)) {
    return wrong("reply_to", "must have 255 bytes at most and no control characters");
  }
  const auto created_at = parse_rfc3339(time);
  if (!created_at) return wrong("created_at", "must be a time as 2026-01-02T03:04:05Z");
  out.created_at = *created_at;
  if (const auto fault = fault_of(out, now)) return JsonlFault{std::string(*fault)};
  return std::nullopt;
}

}  // namespace

std::variant<JsonlMessage, JsonlFault> parse_jsonl_line(std::string_view text, std::string_view place,
                                                        std::string_view conversation_prefix, WallTime now) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  const json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return JsonlFault{"no JSON object in UTF-8"};
  constexpr std::array<std::string_view, 8> kFields{"conversation", "conversation_name", "external_id", "author",
                                                    "content",      "created_at",        "reply_to",    "reactions"};
  for (const auto& [key, ignored] : value.get_object()) {
    if (std::ranges::find(kFields, std::string_view(key)) == kFields.end()) {
      return wrong(cut_utf8(key, 64), "is no field of a message");
    }
  }
  JsonlMessage message;
  message.line.place = place;
  if (auto fault = read_conversation(value.get_object(), conversation_prefix, message.conversation)) return *fault;
  if (auto fault = read_message(value.get_object(), place, now, message.line)) return *fault;
  return message;
}

JsonlSource::JsonlSource(std::vector<SourceFile> files, std::string conversation_prefix, const Clock& clock)
    : files_(std::move(files)), conversation_prefix_(std::move(conversation_prefix)), clock_(clock) {}

Result<> JsonlSource::read(ImportSink& sink) {
  for (const SourceFile& file : files_) {
    LineReader reader(file.path, kMaxLineBytes);
    if (auto opened = reader.opened(); !opened) return opened;
    LineReader::Line line;
    while (reader.next(line)) {
      sink.advanced(line.bytes);
      if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) {
        sink.left_out("blank line");
        continue;
      }
      const std::string place = place_in(file.name, line.number);
      if (line.too_long) {
        sink.left_out(LeftOut::kFault, "line over 1 MiB", place, {});
        continue;
      }
      auto parsed = parse_jsonl_line(line.text, place, conversation_prefix_, clock_.wall_now());
      if (const auto* fault = std::get_if<JsonlFault>(&parsed)) {
        sink.left_out(LeftOut::kFault, "bad line", place, fault->message);
        continue;
      }
      auto& message = std::get<JsonlMessage>(parsed);
      if (!sink.message(message.conversation, std::move(message.line))) return {};
    }
    if (reader.failed()) {
      return fail(ErrorKind::kInvalid, "unreadable_file", "Reading " + file.path.string() + " failed.");
    }
    sink.file_done();
  }
  return {};
}

}  // namespace parley::import
