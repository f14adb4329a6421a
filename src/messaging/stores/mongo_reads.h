// The reads of the MongoDB store: functions of a snapshot, the caller and a query. What the caller may not see is not
// found. Throws mongo::Failure.
#pragma once
#include "messaging/commands.h"
#include "messaging/messaging_scan.h"
#include "messaging/stores/mongo_lookups.h"

namespace parley::messaging::mongodb {

Result<Message> get_message(mongo::Database& db, const Caller& caller, const MessageId& id);
Result<MessagePage> list_messages(mongo::Database& db, const Caller& caller, const ListMessages& query);
Result<MessagePage> messages_around(mongo::Database& db, const Caller& caller, const MessagesAround& query);
Result<MessagePage> list_replies(mongo::Database& db, const Caller& caller, const ListReplies& query);
Result<Page<MessageVersion>> list_versions(mongo::Database& db, const Caller& caller, const ListVersions& query);
Result<Conversation> get_conversation(mongo::Database& db, const Caller& caller, const ConversationId& id);
Result<Page<Conversation>> list_conversations(mongo::Database& db, const Caller& caller,
                                              const ListConversations& query);
Result<Page<Member>> list_members(mongo::Database& db, const Caller& caller, const ListMembers& query);
Result<User> get_user(mongo::Database& db, const Caller& caller, const UserId& user);

// mongo_batch_reads.cc
Result<Page<ConversationId>> get_scope(mongo::Database& db, const Caller& caller, const std::size_t& limit);
Result<LookedUp> look_up(mongo::Database& db, const Caller& caller, const LookUp& query);
Result<bool> may_read_file(mongo::Database& db, const Caller& caller, const FileId& file);
// The conversations that the caller is a member of, last activity first, behind `after`.
std::vector<ConversationRow> list_of_member(mongo::Database& db, const Caller& caller,
                                            const std::optional<ConversationListPoint>& after, std::size_t limit);

// mongo_scan.cc
Result<Page<TenantId>> scan_tenants(mongo::Database& db, const std::optional<TenantId>& after, std::size_t limit);
Result<Page<ScannedConversation>> scan_conversations(mongo::Database& db, const TenantId& tenant,
                                                     const std::optional<ConversationId>& after, std::size_t limit);
Result<Page<Message>> scan_messages(mongo::Database& db, const TenantId& tenant, const ConversationId& conversation,
                                    Seq after, std::size_t limit);
Result<Page<User>> scan_users(mongo::Database& db, const TenantId& tenant, const std::optional<UserId>& after,
                              std::size_t limit);

}  // namespace parley::messaging::mongodb
