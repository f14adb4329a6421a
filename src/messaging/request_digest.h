// Digests by which stores know a repeated request: the scope of a client's key, and the request's fields as parsed,
// defaults filled in and members of objects in any order. Pure; the same in every store adapter.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "messaging/commands.h"
#include "tenancy/caller.h"

namespace parley::messaging {

using Digest = std::array<std::uint8_t, 16>;

// Of an Idempotency-Key; route is "send_message" or "create_conversation".
Digest idempotency_scope(const Caller& caller, std::string_view route, std::string_view key);
// Of a client_message_id.
Digest client_message_scope(const Caller& caller, const ConversationId& conversation, std::string_view key);

Digest request_digest(const SendMessage& command);
Digest request_digest(const CreateConversation& command);

// Whether two JSON objects say the same, whatever the order of their members.
bool same_metadata(std::string_view a, std::string_view b);

}  // namespace parley::messaging
