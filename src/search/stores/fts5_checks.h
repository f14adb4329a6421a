// What the index holds, for those who compare it with the store. A message counts when it could be found: its document
// and its entry are there. Inside one snapshot, on a reader's thread.
#pragma once
#include <optional>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

struct CountRequest {
  TenantId tenant;
  ConversationId conversation;
};
Result<std::int64_t> count_messages(sqlite::Connection& db, const CountRequest& request);

struct ConversationsRequest {
  TenantId tenant;
  std::optional<ConversationId> after;
  std::size_t limit;
};
Result<std::vector<IndexedConversation>> list_conversations(sqlite::Connection& db,
                                                            const ConversationsRequest& request);

struct LookupRequest {
  TenantId tenant;
  ConversationId conversation;
  std::vector<MessageId> ids;
};
Result<std::vector<IndexedMessage>> look_up_messages(sqlite::Connection& db, const LookupRequest& request);

}  // namespace parley::search
