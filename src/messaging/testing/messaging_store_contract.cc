#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging::testing {

namespace {

Caller caller_of(const char* id, const char* tenant, TenantRoles roles) {
  return {.tenant = TenantId(tenant), .user = UserId(id), .roles = roles, .name = std::string("Name of ") + id};
}

}  // namespace

using Suite = MessagingStoreContract;

Suite::MessagingStoreContract() : random_(1), loops_(2) {
  loops_.start();
  under_test_ = GetParam()(clock_, random_);
}
void Suite::SetUp() {
  if (!under_test_) GTEST_SKIP() << "no engine to test the adapter with";
}
Suite::~MessagingStoreContract() {
  if (under_test_) EXPECT_THAT(under_test_->problems(loops_.at(0)), ::testing::IsEmpty());
  under_test_.reset();
  loops_.stop();
}

Caller Suite::user(const char* id, const char* tenant) {
  return caller_of(id, tenant, {});
}
Caller Suite::tenant_admin(const char* id, const char* tenant) {
  return caller_of(id, tenant, {.admin = true});
}
Caller Suite::service(const char* id, const char* tenant) {
  return caller_of(id, tenant, {.admin = false, .service = true});
}

Conversation Suite::make_group(const Caller& owner, const char* id, std::vector<const char*> with) {
  CreateConversation command;
  command.id = ConversationId(id);
  for (const char* member : with) command.members.emplace_back(member);
  auto made = create(owner, std::move(command));
  EXPECT_TRUE(made.has_value() && made->changed);
  return made ? made->value : Conversation{};
}
Conversation Suite::make_direct(const Caller& caller, const char* other) {
  CreateConversation command;
  command.kind = ConversationKind::kDirect;
  command.members.emplace_back(other);
  auto made = create(caller, std::move(command));
  EXPECT_TRUE(made.has_value());
  return made ? made->value : Conversation{};
}
Conversation Suite::make_imported(const char* id) {
  CreateConversation command;
  command.id = ConversationId(id);
  command.imported = true;
  auto made = create(service("importer"), std::move(command));
  EXPECT_TRUE(made.has_value() && made->changed);
  return made ? made->value : Conversation{};
}

Result<Written<Message>> Suite::send(const Caller& caller, const char* to, std::string content) {
  SendMessage command;
  command.conversation_id = ConversationId(to);
  command.content = std::move(content);
  return send(caller, std::move(command));
}
Result<Written<Message>> Suite::send(const Caller& caller, SendMessage command) {
  return wait(store().send_message(caller, std::move(command), kNoHurry));
}
Message Suite::sent(const Caller& caller, const char* to, std::string content) {
  auto result = send(caller, to, std::move(content));
  EXPECT_TRUE(result.has_value() && result->changed) << (result ? "" : result.error().detail);
  return result ? result->value : Message{};
}
SendMessage Suite::with_files(const char* to, std::vector<FileId> files, std::string content) {
  SendMessage command;
  command.conversation_id = ConversationId(to);
  command.content = std::move(content);
  for (const FileId& id : files) command.files.push_back({id, "name of " + id.value, 12, "application/pdf"});
  command.attachments = std::move(files);
  return command;
}
Message Suite::attached(const Caller& caller, const char* to, std::vector<FileId> files, std::string content) {
  auto result = send(caller, with_files(to, std::move(files), std::move(content)));
  EXPECT_TRUE(result.has_value() && result->changed) << (result ? "" : result.error().detail);
  return result ? result->value : Message{};
}
std::int64_t Suite::forget(std::vector<FileId> files, const char* tenant) {
  const auto messages = wait(store().forget_files(TenantId(tenant), std::move(files), kNoHurry));
  EXPECT_TRUE(messages.has_value()) << (messages ? "" : messages.error().detail);
  return messages.value_or(-1);
}
bool Suite::readable(const Caller& caller, const FileId& file) {
  const auto answer = wait(store().may_read_file(caller, file, kNoHurry));
  EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().detail);
  return answer.value_or(false);
}
Message Suite::replied(const Caller& caller, const Message& to, std::string content) {
  SendMessage command;
  command.conversation_id = to.conversation_id;
  command.content = std::move(content);
  command.reply_to = to.id;
  auto result = send(caller, std::move(command));
  EXPECT_TRUE(result.has_value() && result->changed) << (result ? "" : result.error().detail);
  return result ? result->value : Message{};
}
Result<Written<Message>> Suite::edit(const Caller& caller, const Message& message, std::string content,
                                     VersionGuard guard) {
  EditMessage command;
  command.message_id = message.id;
  command.content = std::move(content);
  command.if_match = std::move(guard);
  return wait(store().edit_message(caller, std::move(command), kNoHurry));
}
Result<Written<Message>> Suite::remove(const Caller& caller, const Message& message, VersionGuard guard) {
  return wait(store().delete_message(caller, {message.id, std::move(guard)}, kNoHurry));
}
Result<Written<ReactionSummary>> Suite::react(const Caller& caller, const Message& message, std::string reaction) {
  return wait(store().add_reaction(caller, {message.id, std::move(reaction)}, kNoHurry));
}
Result<Written<ReactionSummary>> Suite::unreact(const Caller& caller, const Message& message, std::string reaction) {
  return wait(store().remove_reaction(caller, {message.id, std::move(reaction)}, kNoHurry));
}
Result<Message> Suite::get(const Caller& caller, const Message& message) {
  return wait(store().get_message(caller, message.id, kNoHurry));
}
Result<Conversation> Suite::conversation(const Caller& caller, const char* id) {
  return wait(store().get_conversation(caller, ConversationId(id), kNoHurry));
}
Result<MessagePage> Suite::page(const Caller& caller, ListMessages query) {
  return wait(store().list_messages(caller, std::move(query), kNoHurry));
}
Result<MessagePage> Suite::around(const Caller& caller, const char* id, Seq seq, std::size_t limit) {
  MessagesAround query;
  query.conversation_id = ConversationId(id);
  query.seq = seq;
  query.limit = limit;
  return wait(store().messages_around(caller, std::move(query), kNoHurry));
}
Result<MessagePage> Suite::replies(const Caller& caller, const Message& root, SeqOrder order, std::optional<Seq> from,
                                   std::size_t limit) {
  return wait(store().list_replies(caller, {root.id, order, from, limit}, kNoHurry));
}
Result<Page<MessageVersion>> Suite::versions(const Caller& caller, const Message& message, std::optional<Version> below,
                                             std::size_t limit) {
  return wait(store().list_versions(caller, {message.id, below, limit}, kNoHurry));
}
Result<Page<Conversation>> Suite::conversations(const Caller& caller, std::size_t limit,
                                                std::optional<ConversationListPoint> after) {
  return wait(store().list_conversations(caller, {std::move(after), limit}, kNoHurry));
}
Result<Page<Member>> Suite::members(const Caller& caller, const char* id, std::size_t limit,
                                    std::optional<MemberListPoint> after) {
  return wait(store().list_members(caller, {ConversationId(id), std::move(after), limit}, kNoHurry));
}

Result<Written<Conversation>> Suite::create(const Caller& caller, CreateConversation command) {
  return wait(store().create_conversation(caller, std::move(command), kNoHurry));
}
Result<Written<Conversation>> Suite::update(const Caller& caller, UpdateConversation command) {
  return wait(store().update_conversation(caller, std::move(command), kNoHurry));
}
Result<Written<Nothing>> Suite::drop(const Caller& caller, const char* id, VersionGuard guard) {
  return wait(store().delete_conversation(caller, {ConversationId(id), std::move(guard)}, kNoHurry));
}
Result<Written<Member>> Suite::add(const Caller& caller, const char* id, const char* who,
                                   std::optional<MemberRole> role) {
  return wait(store().add_member(caller, {ConversationId(id), UserId(who), role}, kNoHurry));
}
Result<Written<Nothing>> Suite::leave(const Caller& caller, const char* id, const char* who) {
  return wait(store().remove_member(caller, {ConversationId(id), UserId(who)}, kNoHurry));
}
Result<Written<Member>> Suite::rank(const Caller& caller, const char* id, const char* who, MemberRole role) {
  return wait(store().set_member_role(caller, {ConversationId(id), UserId(who), role}, kNoHurry));
}
Result<Written<ReadState>> Suite::read(const Caller& caller, const char* id, Seq seq) {
  return wait(store().set_read_mark(caller, {ConversationId(id), seq}, kNoHurry));
}
std::int64_t Suite::unread(const Caller& caller, const char* id) {
  auto view = conversation(caller, id);
  EXPECT_TRUE(view.has_value());
  return view ? view->unread_count : -1;
}
Result<Written<User>> Suite::see(const Caller& caller) {
  return wait(store().see_user(caller, kNoHurry));
}

Result<Written<ImportSummary>> Suite::import(const Caller& caller, const char* id,
                                             std::vector<ImportedMessage> messages) {
  return wait(store().import_messages(caller, {ConversationId(id), std::move(messages)}, kNoHurry));
}
ImportedMessage Suite::line(std::int64_t number, const char* external_id, const char* author, std::string content) {
  ImportedMessage message;
  message.line = number;
  message.external_id = external_id;
  message.author = UserId(author);
  message.content = std::move(content);
  message.created_at = WallTime(std::chrono::milliseconds(1'000'000 + number));
  return message;
}

std::vector<events::Event> Suite::all_events() {
  std::vector<events::Event> all;
  for (events::LogOffset after;;) {
    auto batch = wait(log().read(after, 100, kNoHurry));
    EXPECT_TRUE(batch.has_value());
    if (!batch || batch->events.empty()) return all;
    after = batch->through;
    std::ranges::move(batch->events, std::back_inserter(all));
  }
}
std::vector<std::string> Suite::event_types(const char* key) {
  std::vector<std::string> types;
  for (auto& event : all_events()) {
    if (event.key == key) types.push_back(event.type);
  }
  return types;
}

std::vector<Seq> seqs_of(const std::vector<Message>& messages) {
  std::vector<Seq> seqs;
  for (const auto& message : messages) seqs.push_back(message.seq);
  return seqs;
}

}  // namespace parley::messaging::testing
