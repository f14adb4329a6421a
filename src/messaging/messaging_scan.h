// MessagingScan: reads everything of one tenant, past membership, in a stable order and in bounded pages. For reindex,
// check and the host's own commands only: never behind a user's route. Each `after` is the last id or seq of the page
// before; the first page gives none. Called on any event loop.
#pragma once
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "messaging/types.h"

namespace parley::messaging {

// A conversation with all its members' ids, as nobody in particular sees it.
struct ScannedConversation {
  Conversation conversation;  // no my_role, no last_message
  std::vector<UserId> members;
};

class MessagingScan {
 public:
  virtual ~MessagingScan() = default;

  // Every tenant that holds a conversation or a user, ascending bytes.
  virtual Task<Result<Page<TenantId>>> scan_tenants(std::optional<TenantId> after, std::size_t limit,
                                                    SteadyTime deadline) = 0;
  // By id, ascending bytes; deleted ones are left out.
  virtual Task<Result<Page<ScannedConversation>>> scan_conversations(TenantId tenant,
                                                                     std::optional<ConversationId> after,
                                                                     std::size_t limit, SteadyTime deadline) = 0;
  // By seq, tombstones included, with `files`, reactions without `mine`. not_found for an unknown or deleted
  // conversation.
  virtual Task<Result<Page<Message>>> scan_messages(TenantId tenant, ConversationId conversation, Seq after,
                                                    std::size_t limit, SteadyTime deadline) = 0;
  virtual Task<Result<Page<User>>> scan_users(TenantId tenant, std::optional<UserId> after, std::size_t limit,
                                              SteadyTime deadline) = 0;
};

}  // namespace parley::messaging
