// AbsentStore: a MessagingStore that is not there: every call answers kUnavailable. A test overrides what it asks for.
#pragma once
#include "messaging/messaging_store.h"

namespace parley::messaging::testing {

class AbsentStore : public MessagingStore {
 public:
  Task<Result<Written<Message>>> send_message(Caller, SendMessage, SteadyTime) override { co_return absent(); }
  Task<Result<Written<Message>>> edit_message(Caller, EditMessage, SteadyTime) override { co_return absent(); }
  Task<Result<Written<Message>>> delete_message(Caller, DeleteMessage, SteadyTime) override { co_return absent(); }
  Task<Result<Message>> get_message(Caller, MessageId, SteadyTime) override { co_return absent(); }
  Task<Result<MessagePage>> list_messages(Caller, ListMessages, SteadyTime) override { co_return absent(); }
  Task<Result<MessagePage>> messages_around(Caller, MessagesAround, SteadyTime) override { co_return absent(); }
  Task<Result<MessagePage>> list_replies(Caller, ListReplies, SteadyTime) override { co_return absent(); }
  Task<Result<Page<MessageVersion>>> list_versions(Caller, ListVersions, SteadyTime) override { co_return absent(); }
  Task<Result<Written<ReactionSummary>>> add_reaction(Caller, React, SteadyTime) override { co_return absent(); }
  Task<Result<Written<ReactionSummary>>> remove_reaction(Caller, React, SteadyTime) override { co_return absent(); }
  Task<Result<Written<Conversation>>> create_conversation(Caller, CreateConversation, SteadyTime) override {
    co_return absent();
  }
  Task<Result<Conversation>> get_conversation(Caller, ConversationId, SteadyTime) override { co_return absent(); }
  Task<Result<Page<Conversation>>> list_conversations(Caller, ListConversations, SteadyTime) override {
    co_return absent();
  }
  Task<Result<Written<Conversation>>> update_conversation(Caller, UpdateConversation, SteadyTime) override {
    co_return absent();
  }
  Task<Result<Written<Nothing>>> delete_conversation(Caller, DeleteConversation, SteadyTime) override {
    co_return absent();
  }
  Task<Result<Written<Member>>> add_member(Caller, AddMember, SteadyTime) override { co_return absent(); }
  Task<Result<Written<Nothing>>> remove_member(Caller, RemoveMember, SteadyTime) override { co_return absent(); }
  Task<Result<Written<Member>>> set_member_role(Caller, SetMemberRole, SteadyTime) override { co_return absent(); }
  Task<Result<Page<Member>>> list_members(Caller, ListMembers, SteadyTime) override { co_return absent(); }
  Task<Result<Written<ReadState>>> set_read_mark(Caller, SetReadMark, SteadyTime) override { co_return absent(); }
  Task<Result<Written<User>>> see_user(Caller, SteadyTime) override { co_return absent(); }
  Task<Result<Written<User>>> update_user(Caller, UpdateUser, SteadyTime) override { co_return absent(); }
  Task<Result<User>> get_user(Caller, UserId, SteadyTime) override { co_return absent(); }
  Task<Result<Page<ConversationId>>> get_scope(Caller, std::size_t, SteadyTime) override { co_return absent(); }
  Task<Result<LookedUp>> look_up(Caller, LookUp, SteadyTime) override { co_return absent(); }
  Task<Result<bool>> may_read_file(Caller, FileId, SteadyTime) override { co_return absent(); }
  Task<Result<std::int64_t>> forget_files(TenantId, std::vector<FileId>, SteadyTime) override { co_return absent(); }
  Task<Result<Written<ImportSummary>>> import_messages(Caller, ImportMessages, SteadyTime) override {
    co_return absent();
  }
  Task<Result<>> ping(SteadyTime) override { co_return absent(); }

 private:
  static std::unexpected<Error> absent() { return unavailable("unavailable", "There is no store here."); }
};

}  // namespace parley::messaging::testing
