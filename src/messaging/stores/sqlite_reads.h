// The store's reads, each one snapshot's worth of work on a reader's thread. Rights first; what the caller may not see
// is not_found. Throws sqlite::Failure.
#pragma once
#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "messaging/commands.h"
#include "messaging/messaging_scan.h"
#include "messaging/types.h"
#include "tenancy/caller.h"

namespace parley::messaging {

Result<Message> get_message(sqlite::Connection& db, const Caller& caller, const MessageId& id);
Result<MessagePage> list_messages(sqlite::Connection& db, const Caller& caller, const ListMessages& query);
Result<MessagePage> messages_around(sqlite::Connection& db, const Caller& caller, const MessagesAround& query);
Result<MessagePage> list_replies(sqlite::Connection& db, const Caller& caller, const ListReplies& query);
Result<Page<MessageVersion>> list_versions(sqlite::Connection& db, const Caller& caller, const ListVersions& query);
Result<Conversation> get_conversation(sqlite::Connection& db, const Caller& caller, const ConversationId& id);
Result<Page<Conversation>> list_conversations(sqlite::Connection& db, const Caller& caller,
                                              const ListConversations& query);
Result<Page<Member>> list_members(sqlite::Connection& db, const Caller& caller, const ListMembers& query);
Result<User> get_user(sqlite::Connection& db, const Caller& caller, const UserId& user);

// sqlite_batch_reads.cc
Result<Page<ConversationId>> get_scope(sqlite::Connection& db, const Caller& caller, const std::size_t& limit);
Result<LookedUp> look_up(sqlite::Connection& db, const Caller& caller, const LookUp& query);
Result<bool> may_read_file(sqlite::Connection& db, const Caller& caller, const FileId& file);

// sqlite_scan.cc
Result<Page<TenantId>> scan_tenants(sqlite::Connection& db, const std::optional<TenantId>& after, std::size_t limit);
Result<Page<ScannedConversation>> scan_conversations(sqlite::Connection& db, const TenantId& tenant,
                                                     const std::optional<ConversationId>& after, std::size_t limit);
Result<Page<Message>> scan_messages(sqlite::Connection& db, const TenantId& tenant, const ConversationId& conversation,
                                    Seq after, std::size_t limit);
Result<Page<User>> scan_users(sqlite::Connection& db, const TenantId& tenant, const std::optional<UserId>& after,
                              std::size_t limit);

}  // namespace parley::messaging
