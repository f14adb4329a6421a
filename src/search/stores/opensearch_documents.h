// Documents of the OpenSearch index: their ids, what they hold, and the versions that they are written with. A document
// belongs to a generation of a tenant, which its id begins with. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>

#include "search/search_index.h"
#include "search/stores/opensearch_json.h"

namespace parley::search {

// One generation of one tenant, to which changes go.
struct Target {
  TenantId tenant;
  std::int64_t generation = 0;
  bool building = false;
  auto operator<=>(const Target&) const = default;
};

// The number of a tombstone that nothing outlives.
inline constexpr std::int64_t kFinalNumber = std::int64_t{1} << 62;
// Numbers count from 0, and a document of version 0 can be deleted by no query.
constexpr std::int64_t version_of(std::int64_t number) {
  return number + 1;
}

std::string message_document_id(const Target& target, const ConversationId& conversation, const MessageId& message);
// What events said of a message's reactions while the generation was being built.
std::string told_document_id(const Target& target, const ConversationId& conversation, const MessageId& message);
std::string conversation_document_id(const Target& target, const ConversationId& conversation);
std::string erasure_document_id(const Target& target, const ConversationId& conversation);
std::string person_document_id(const Target& target, const UserId& user);

// Without content, at first: tenant, generation, conversation, number.
json::object bare_document(const Target& target, const ConversationId& conversation, std::int64_t number);
json::object message_document(const Target& target, const ConversationId& conversation, std::int64_t number,
                              const MessageWritten& message, bool has_reaction);
json::object message_tombstone(const Target& target, const ConversationId& conversation, std::int64_t number,
                               const MessageId& message);
json::object told_document(const Target& target, const ConversationId& conversation, std::int64_t number,
                           const MessageId& message, bool any);
json::object erasure_document(const Target& target, const ConversationId& conversation, std::int64_t number);
json::object conversation_document(const Target& target, const ConversationId& conversation, std::int64_t number,
                                   const ConversationWritten& entry);
json::object conversation_tombstone(const Target& target, const ConversationId& conversation, std::int64_t number);
json::object person_document(const Target& target, std::int64_t number, const UserWritten& entry);

// `spellings`, `terms` and the like of a document, as name_match.h takes them.
std::string lines_in(const json::object& document, std::string_view name);

}  // namespace parley::search
