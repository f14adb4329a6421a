#include "import/batch.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/text.h"

namespace parley::import {

namespace json = boost::json;

BatchLine encode_line(ImportLine line) {
  json::object object;
  object["external_id"] = line.external_id;
  object["author"] = line.author;
  object["content"] = line.content;
  object["created_at"] = format_rfc3339(line.created_at);
  if (!line.reply_to.empty()) object["reply_to_external_id"] = line.reply_to;
  if (!line.reactions.empty()) {
    json::array reactions;
    for (const ImportReaction& reaction : line.reactions) {
      json::array users(reaction.users.begin(), reaction.users.end());
      reactions.push_back({{"reaction", reaction.reaction}, {"users", std::move(users)}});
    }
    object["reactions"] = std::move(reactions);
  }
  return {json::serialize(object), std::move(line.place)};
}

std::optional<std::string> without_field(const std::string& text, std::string_view field) {
  json::value value = json::parse(text);
  if (value.as_object().erase(field) == 0) return std::nullopt;
  return json::serialize(value);
}

std::optional<Batch> BatchCollector::add(const ImportConversation& conversation, BatchLine line) {
  const std::size_t bytes = line.json.size() + 1;
  std::optional<Batch> due;
  auto at = open_.find(conversation.id);
  if (at != open_.end() && (at->second.lines.size() == kMaxBatchLines || at->second.bytes + bytes > kMaxBatchBytes)) {
    due = take(at);
    at = open_.end();
  } else if (lines_ == kMaxLines || bytes_ + bytes > kMaxBytes) {
    const auto largest = std::ranges::max_element(open_, {}, [](const auto& open) { return open.second.bytes; });
    due = take(largest);
    at = open_.find(conversation.id);
  }
  if (at == open_.end()) at = open_.emplace(conversation.id, Batch{conversation, {}, 0}).first;
  at->second.lines.push_back(std::move(line));
  at->second.bytes += bytes;
  ++lines_;
  bytes_ += bytes;
  return due;
}

Batch BatchCollector::take(Open::iterator at) {
  Batch batch = std::move(at->second);
  open_.erase(at);
  lines_ -= batch.lines.size();
  bytes_ -= batch.bytes;
  return batch;
}

std::optional<Batch> BatchCollector::take(const ConversationId& id) {
  const auto at = open_.find(id);
  if (at == open_.end()) return std::nullopt;
  return take(at);
}

std::optional<Batch> BatchCollector::take_rest() {
  if (open_.empty()) return std::nullopt;
  return take(open_.begin());
}

}  // namespace parley::import
