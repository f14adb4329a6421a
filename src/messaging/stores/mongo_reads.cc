#include "messaging/stores/mongo_reads.h"

#include <algorithm>

#include "messaging/seq_range.h"

namespace parley::messaging::mongodb {

using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

std::int64_t one_more(std::size_t limit) {
  return static_cast<std::int64_t>(limit) + 1;
}

std::vector<MessageRow> read_messages(const std::vector<Document>& documents) {
  std::vector<MessageRow> rows;
  rows.reserve(documents.size());
  for (const Document& document : documents) rows.push_back(read_message(document.view()));
  return rows;
}

MessagePage load_range(Database& db, const ConversationRow& conversation, const SeqRange& range, SeqOrder order,
                       const UserId& user) {
  std::vector<Message> messages;
  if (range.low <= range.high) {
    const auto found = db.find(collection::kMessages,
                               make_document("conversation", Uuid{conversation.key}, "seq",
                                             make_document("$gte", range.low, "$lte", range.high)),
                               {.sort = make_document("seq", 1)});
    messages = complete(db, read_messages(found), conversation.view.id, user);
  }
  return page_of(std::move(messages), range, conversation.view.last_seq, order);
}

Result<ConversationRow> enter(Database& db, const Caller& caller, const ConversationId& id,
                              Result<> (*may)(const Standing&)) {
  auto conversation = find_conversation(db, caller, id);
  if (!conversation) return not_found("conversation");
  if (auto allowed = may(conversation->standing(caller)); !allowed) return fail(allowed.error());
  return std::move(*conversation);
}

Result<FoundMessage> enter_message(Database& db, const Caller& caller, const MessageId& id) {
  auto found = find_message(db, caller, id);
  if (!found) return not_found("message");
  if (auto allowed = may_read_message(found->conversation.standing(caller)); !allowed) return fail(allowed.error());
  return std::move(*found);
}

}  // namespace

Result<Message> get_message(Database& db, const Caller& caller, const MessageId& id) {
  auto found = enter_message(db, caller, id);
  if (!found) return fail(found.error());
  return complete(db, std::move(found->row), caller.user);
}

Result<MessagePage> list_messages(Database& db, const Caller& caller, const ListMessages& query) {
  const auto conversation = enter(db, caller, query.conversation_id, may_read_messages);
  if (!conversation) return fail(conversation.error());
  return load_range(db, *conversation, range_of(query, conversation->view.last_seq), query.order, caller.user);
}

Result<MessagePage> messages_around(Database& db, const Caller& caller, const MessagesAround& query) {
  const auto conversation = enter(db, caller, query.conversation_id, may_read_messages);
  if (!conversation) return fail(conversation.error());
  return load_range(db, *conversation, range_of(query, conversation->view.last_seq), query.order, caller.user);
}

Result<MessagePage> list_replies(Database& db, const Caller& caller, const ListReplies& query) {
  const auto root = enter_message(db, caller, query.message_id);
  if (!root) return fail(root.error());
  const bool newest_first = query.order == SeqOrder::kNewestFirst;
  const Seq from = std::clamp<Seq>(query.from.value_or(newest_first ? kMaxSeq : 0), 0, kMaxSeq);
  const auto found = db.find(
      collection::kMessages,
      make_document("thread_root", Uuid{root->row.id}, "seq", make_document(newest_first ? "$lt" : "$gt", from)),
      {.sort = make_document("seq", newest_first ? -1 : 1), .limit = one_more(query.limit)});
  auto rows = cut_page(read_messages(found), query.limit);
  MessagePage page;
  page.has_before = query.from.has_value();
  page.has_after = rows.has_more;
  page.items = complete(db, std::move(rows.items), root->conversation.view.id, caller.user);
  return page;
}

Result<Page<MessageVersion>> list_versions(Database& db, const Caller& caller, const ListVersions& query) {
  auto found = enter_message(db, caller, query.message_id);
  if (!found) return fail(found.error());
  const Message& message = found->row.message;
  if (message.deleted_at) return Page<MessageVersion>{};
  std::vector<MessageVersion> versions;
  if (!query.below || message.version < *query.below) {
    versions.push_back({message.version, message.content.value_or(""), message.mentions, message.metadata,
                        message.edited_at.value_or(message.created_at)});
  }
  const Version before = std::min(message.version, query.below.value_or(message.version));
  const std::int64_t wanted = one_more(query.limit) - static_cast<std::int64_t>(versions.size());
  if (wanted > 0) {
    for (const Document& old :
         db.find(collection::kVersions,
                 make_document("message", Uuid{found->row.id}, "version", make_document("$lt", before)),
                 {.sort = make_document("version", -1), .limit = wanted})) {
      versions.push_back(read_version(old.view()));
    }
  }
  return cut_page(std::move(versions), query.limit);
}

Result<Conversation> get_conversation(Database& db, const Caller& caller, const ConversationId& id) {
  auto conversation = enter(db, caller, id, may_see_conversation);
  if (!conversation) return fail(conversation.error());
  return view_of(db, std::move(*conversation), caller);
}

Result<Page<Conversation>> list_conversations(Database& db, const Caller& caller, const ListConversations& query) {
  auto rows = cut_page(list_of_member(db, caller, query.after, query.limit + 1), query.limit);
  return Page<Conversation>{views_of(db, std::move(rows.items), caller), rows.has_more};
}

Result<Page<Member>> list_members(Database& db, const Caller& caller, const ListMembers& query) {
  const auto conversation = enter(db, caller, query.conversation_id, may_list_members);
  if (!conversation) return fail(conversation.error());
  Document filter = make_document("conversation", Uuid{conversation->key});
  if (query.after) {
    const auto& [time, user] = *query.after;
    filter.add("$or", mongo::make_array(make_document("joined_at", make_document("$gt", time)),
                                        make_document("joined_at", time, "user", make_document("$gt", user.value))));
  }
  std::vector<Member> members;
  std::vector<UserId> users;
  for (const Document& document :
       db.find(collection::kMembers, filter,
               {.sort = make_document("joined_at", 1, "user", 1), .limit = one_more(query.limit)})) {
    const MemberRow row = read_member(document.view());
    users.emplace_back(document.view().text("user"));
    members.push_back({users.back(), row.role, std::nullopt, row.joined_at,
                       conversation->role ? std::optional(row.read_seq) : std::nullopt});
  }
  const auto names = find_user_names(db, caller.tenant, users);
  for (Member& member : members) {
    if (const auto at = names.find(member.user_id.value); at != names.end()) member.name = at->second;
  }
  return cut_page(std::move(members), query.limit);
}

Result<User> get_user(Database& db, const Caller& caller, const UserId& user) {
  auto found = find_user(db, caller.tenant, user);
  if (!found) return not_found("user");
  return std::move(*found);
}

}  // namespace parley::messaging::mongodb
