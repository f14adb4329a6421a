#include "search/stores/opensearch_documents.h"

#include "search/message_text.h"
#include "search/stores/opensearch_schema.h"
#include "search/text/name_match.h"

namespace parley::search {

namespace {

// Ids have no control characters.
constexpr char kBetween = '\x1f';

std::string with_prefix(const Target& target, std::string_view rest) {
  return target.tenant.value + kBetween + std::to_string(target.generation) + kBetween + std::string(rest);
}

json::array lines_array(const Lines& lines) {
  json::array texts;
  for (const std::string_view line : split_lines(lines)) texts.emplace_back(line);
  return texts;
}

void add_names(json::array& names, int kind, const Lines& lines) {
  for (const std::string_view line : split_lines(lines)) names.push_back({{"kind", kind}, {"text", line}});
}

}  // namespace

std::string message_document_id(const Target& target, const ConversationId& conversation, const MessageId& message) {
  return with_prefix(target, std::string("m") + kBetween + conversation.value + kBetween + message.value);
}
std::string told_document_id(const Target& target, const ConversationId& conversation, const MessageId& message) {
  return message_document_id(target, conversation, message) + kBetween + "told";
}
std::string conversation_document_id(const Target& target, const ConversationId& conversation) {
  return with_prefix(target, std::string("c") + kBetween + conversation.value);
}
std::string erasure_document_id(const Target& target, const ConversationId& conversation) {
  return with_prefix(target, std::string("e") + kBetween + conversation.value);
}
std::string person_document_id(const Target& target, const UserId& user) {
  return with_prefix(target, std::string("u") + kBetween + user.value);
}

json::object bare_document(const Target& target, const ConversationId& conversation, std::int64_t number) {
  return {{"tenant", target.tenant.value},
          {"generation", target.generation},
          {"conversation", conversation.value},
          {"number", number}};
}

json::object message_document(const Target& target, const ConversationId& conversation, std::int64_t number,
                              const MessageWritten& message, bool has_reaction) {
  json::object made = bare_document(target, conversation, number);
  json::array mentions;
  for (const UserId& user : message.mentions) mentions.emplace_back(user.value);
  made["message"] = message.id.value;
  made["live"] = true;
  made["seq"] = message.seq;
  made["created_at"] = message.created_at.time_since_epoch().count();
  made["sender"] = message.sender.value;
  made["mentions"] = std::move(mentions);
  made["has_file"] = message.has_file || !message.file_names.empty();
  made["has_link"] = has_link(message.content);
  made["has_reaction"] = has_reaction;
  made["content"] = message.content;
  made["file_names"] = to_array(message.file_names);
  made["terms"] = as_terms(message_text(message.content, message.file_names));
  return made;
}

json::object message_tombstone(const Target& target, const ConversationId& conversation, std::int64_t number,
                               const MessageId& message) {
  json::object made = bare_document(target, conversation, number);
  made["message"] = message.value;
  made["live"] = false;
  return made;
}

json::object told_document(const Target& target, const ConversationId& conversation, std::int64_t number,
                           const MessageId& message, bool any) {
  json::object made = message_tombstone(target, conversation, number, message);
  made["told"] = true;
  made["any"] = any;
  return made;
}

json::object erasure_document(const Target& target, const ConversationId& conversation, std::int64_t number) {
  json::object made = bare_document(target, conversation, number);
  made["kind"] = "erasure";
  return made;
}

json::object conversation_document(const Target& target, const ConversationId& conversation, std::int64_t number,
                                   const ConversationWritten& entry) {
  const std::string name = entry.name.value_or(""), topic = entry.topic.value_or("");
  json::object made = bare_document(target, conversation, number);
  made["kind"] = "conversation";
  made["live"] = true;
  made["name"] = name;
  made["topic"] = topic;
  made["archived"] = entry.archived;
  made["spellings"] = lines_array(spelling_lines({name}));
  made["terms"] = lines_array(term_lines({name}));
  made["topic_terms"] = lines_array(term_lines({topic}));
  return made;
}

json::object conversation_tombstone(const Target& target, const ConversationId& conversation, std::int64_t number) {
  json::object made = bare_document(target, conversation, number);
  made["kind"] = "conversation";
  made["live"] = false;
  return made;
}

json::object person_document(const Target& target, std::int64_t number, const UserWritten& entry) {
  const std::string_view name = entry.name, id = entry.user.value;
  const Lines spellings = spelling_lines({name, id}), terms = term_lines({name, id});
  json::array names;
  add_names(names, 0, spellings);
  add_names(names, 1, terms);
  return {{"kind", "person"},
          {"tenant", target.tenant.value},
          {"generation", target.generation},
          {"user", entry.user.value},
          {"number", number},
          {"live", true},
          {"name", entry.name},
          {"spellings", lines_array(spellings)},
          {"terms", lines_array(terms)},
          {"names", std::move(names)}};
}

std::string lines_in(const json::object& document, std::string_view name) {
  std::string lines;
  for (const json::value& each : array_in(document, name)) {
    if (!each.is_string()) continue;
    if (lines.empty()) lines += '\n';
    lines += std::string_view(each.get_string());
    lines += '\n';
  }
  return lines;
}

}  // namespace parley::search
