// One text for each record, the same from every kind of store: two records are equal when their texts are. It is what
// the checksums of a move are over. Not for people. Pure; any thread.
#pragma once
#include <string>

#include "base/canonical_text.h"
#include "messaging/transfer/records.h"

namespace parley::messaging::transfer {

std::string canonical(const ConversationRecord& record);
std::string canonical(const MemberRecord& record);
std::string canonical(const MessageRecord& record);
std::string canonical(const UserRecord& record);
std::string canonical(const DeletedFileRecord& record);
std::string canonical(const RequestRecord& record);
std::string canonical(const LastEvent& event);

}  // namespace parley::messaging::transfer
