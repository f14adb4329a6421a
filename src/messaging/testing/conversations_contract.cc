// Conversations, members, read state and profiles, as every store must keep them.
#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

std::vector<std::string> ids_of(const Page<Conversation>& page) {
  std::vector<std::string> ids;
  for (const auto& item : page.items) ids.push_back(item.id.value);
  return ids;
}
std::vector<std::string> users_of(const Page<Member>& page) {
  std::vector<std::string> ids;
  for (const auto& item : page.items) ids.push_back(item.user_id.value);
  return ids;
}

}  // namespace

TEST_P(MessagingStoreContract, AGroupIsReadBackAsItWasMade) {
  CreateConversation command;
  command.id = ConversationId("c/漢 1");
  command.name = "General";
  command.topic = "";
  command.metadata = R"({"k":"v"})";
  command.members = {UserId("u2"), UserId("u3")};
  const auto made = create(user("u1"), command);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->changed);
  const auto seen = conversation(user("u2"), "c/漢 1");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->kind, ConversationKind::kGroup);
  EXPECT_EQ(seen->name, "General");
  EXPECT_EQ(seen->topic, "");
  EXPECT_EQ(seen->metadata, command.metadata);
  EXPECT_EQ(seen->created_by.value, "u1");
  EXPECT_EQ(seen->created_at, clock_.wall_now());
  EXPECT_EQ(seen->last_activity_at, seen->created_at);
  EXPECT_EQ(seen->version, 1);
  EXPECT_EQ(seen->member_count, 3);
  EXPECT_EQ(seen->last_seq, 0);
  EXPECT_FALSE(seen->last_message || seen->archived || seen->imported);
  EXPECT_EQ(seen->my_role, MemberRole::kMember);
  EXPECT_EQ(made->value.my_role, MemberRole::kOwner);
  EXPECT_THAT(event_types("c/漢 1"),
              ElementsAre("conversation.created", "member.added", "member.added", "member.added"));
}

TEST_P(MessagingStoreContract, AConversationWithoutAChosenIdGetsAUuid) {
  const auto made = create(user("u1"), {});
  ASSERT_TRUE(made);
  EXPECT_TRUE(is_uuid(made->value.id.value));
}

TEST_P(MessagingStoreContract, AHeldIdAnswersAMemberWhoAsksForTheSameAndNobodyElse) {
  CreateConversation command;
  command.id = ConversationId("c");
  command.name = "n";
  command.metadata = R"({"a":1,"b":2})";
  ASSERT_TRUE(create(user("u1"), command));
  command.metadata = R"({"b":2,"a":1})";
  command.members = {UserId("u9")};
  const auto again = create(user("u1"), command);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->value.member_count, 1);
  EXPECT_THAT(create(user("u2"), command), FailsWith("conversation_exists"));
  command.name = "other";
  EXPECT_THAT(create(user("u1"), command), FailsWith("conversation_exists"));
  ASSERT_TRUE(drop(user("u1"), "c"));
  command.name = "n";
  EXPECT_THAT(create(user("u1"), command), FailsWith("conversation_exists"));
  EXPECT_TRUE(create(user("u1", "other"), command)->changed);
}

TEST_P(MessagingStoreContract, APairHasOneDirectConversation) {
  const Conversation first = make_direct(user("u1"), "u2");
  EXPECT_EQ(first.my_role, MemberRole::kMember);
  EXPECT_EQ(first.member_count, 2);
  EXPECT_EQ(make_direct(user("u2"), "u1").id, first.id);
  EXPECT_NE(make_direct(user("u2"), "u3").id, first.id);
  EXPECT_NE(make_direct(user("u1", "other"), "u2").id, first.id);
  CreateConversation named;
  named.kind = ConversationKind::kDirect;
  named.members = {UserId("u2")};
  named.id = ConversationId("chosen");
  const auto again = create(user("u1"), named);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->value.id, first.id);
}

TEST_P(MessagingStoreContract, PairsWhoseIdsRunTogetherAreDifferent) {
  EXPECT_NE(make_direct(user("a"), "b:c").id, make_direct(user("a:b"), "c").id);
  EXPECT_NE(make_direct(user("1"), "23").id, make_direct(user("12"), "3").id);
}

TEST_P(MessagingStoreContract, ADirectConversationKeepsItsMembersAndItsName) {
  const Conversation direct = make_direct(user("u1"), "u2");
  const char* id = direct.id.value.c_str();
  EXPECT_THAT(add(user("u1"), id, "u3"), FailsWith("direct_conversation"));
  EXPECT_THAT(leave(user("u1"), id, "u1"), FailsWith("direct_conversation"));
  EXPECT_THAT(leave(user("u1"), id, "u2"), FailsWith("direct_conversation"));
  EXPECT_THAT(rank(user("u1"), id, "u2", MemberRole::kOwner), FailsWith("direct_conversation"));
  EXPECT_THAT(drop(user("u1"), id), FailsWith("forbidden"));
  EXPECT_THAT(conversation(tenant_admin("root"), id), FailsWith("not_found"));
  EXPECT_THAT(members(tenant_admin("root"), id), FailsWith("not_found"));
  EXPECT_THAT(add(tenant_admin("root"), id, "root"), FailsWith("not_found"));
  UpdateConversation rename;
  rename.conversation_id = direct.id;
  rename.metadata = R"({"k":1})";
  EXPECT_TRUE(update(user("u2"), rename)->changed);
  rename.name = std::optional<std::string>("n");
  EXPECT_THAT(update(user("u2"), rename), FailsWith("direct_conversation"));
  EXPECT_TRUE(drop(tenant_admin("root"), id));
  EXPECT_NE(make_direct(user("u1"), "u2").id, direct.id);
}

TEST_P(MessagingStoreContract, AnUpdateChangesTheFieldsGiven) {
  make_group(user("u1"), "c", {"u2"});
  UpdateConversation command;
  command.conversation_id = ConversationId("c");
  command.name = std::optional<std::string>("n");
  command.topic = std::optional<std::string>("t");
  ASSERT_TRUE(update(user("u1"), command));
  command = {};
  command.conversation_id = ConversationId("c");
  command.topic = std::optional<std::string>();
  clock_.advance(std::chrono::seconds(1));
  const auto result = update(user("u1"), command);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->value.name, "n");
  EXPECT_FALSE(result->value.topic);
  EXPECT_EQ(result->value.version, 3);
  EXPECT_EQ(result->value.updated_at, clock_.wall_now());
  EXPECT_FALSE(update(user("u1"), command)->changed);
  command.archived = true;
  command.if_match = std::vector<Version>{2};
  EXPECT_THAT(update(user("u1"), command), FailsWith("precondition_failed"));
  command.if_match = {};
  EXPECT_THAT(update(user("u2"), command), FailsWith("forbidden"));
  EXPECT_THAT(update(user("u3"), command), FailsWith("not_found"));
  EXPECT_TRUE(update(tenant_admin("root"), command)->changed);
  EXPECT_TRUE(conversation(user("u1"), "c")->archived);
}

TEST_P(MessagingStoreContract, ADeletedConversationIsUnknownToAll) {
  make_group(user("u1"), "c", {"u2"});
  const Message message = sent(user("u2"), "c", "secret");
  EXPECT_THAT(drop(user("u2"), "c"), FailsWith("forbidden"));
  EXPECT_THAT(drop(user("u1"), "c", std::vector<Version>{2}), FailsWith("precondition_failed"));
  ASSERT_TRUE(drop(user("u1"), "c"));
  EXPECT_THAT(conversation(user("u1"), "c"), FailsWith("not_found"));
  EXPECT_THAT(conversation(tenant_admin("root"), "c"), FailsWith("not_found"));
  EXPECT_THAT(get(user("u2"), message), FailsWith("not_found"));
  EXPECT_THAT(send(user("u2"), "c", "x"), FailsWith("not_found"));
  EXPECT_THAT(remove(user("u2"), message), FailsWith("not_found"));
  EXPECT_THAT(drop(user("u1"), "c"), FailsWith("not_found"));
  EXPECT_THAT(conversations(user("u1"))->items, IsEmpty());
  for (const auto& event : all_events()) EXPECT_EQ(event.data.find("secret"), std::string::npos);
  EXPECT_EQ(event_types("c").back(), "conversation.deleted");
}

TEST_P(MessagingStoreContract, ATenantAdminSeesAGroupButNotItsTalk) {
  make_group(user("u1"), "c");
  const Message message = sent(user("u1"), "c", "secret");
  const auto seen = conversation(tenant_admin("root"), "c");
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->my_role || seen->last_message);
  EXPECT_EQ(seen->read_seq, 0);
  EXPECT_EQ(seen->unread_count, 0);
  EXPECT_EQ(seen->last_seq, 1);
  EXPECT_FALSE(members(tenant_admin("root"), "c")->items.front().read_seq);
  EXPECT_THAT(get(tenant_admin("root"), message), FailsWith("not_found"));
  EXPECT_THAT(versions(tenant_admin("root"), message), FailsWith("not_found"));
  EXPECT_THAT(replies(tenant_admin("root"), message), FailsWith("not_found"));
  EXPECT_THAT(react(tenant_admin("root"), message, "x"), FailsWith("not_found"));
  EXPECT_THAT(read(tenant_admin("root"), "c", 1), FailsWith("not_found"));
  EXPECT_THAT(conversations(tenant_admin("root"))->items, IsEmpty());
  ASSERT_TRUE(add(tenant_admin("root"), "c", "root", MemberRole::kOwner));
  EXPECT_TRUE(get(tenant_admin("root"), message));
}

TEST_P(MessagingStoreContract, ConversationsAreListedByLastActivityAndEachOnce) {
  for (const char* id : {"a", "b", "c", "d"}) {
    make_group(user("u1"), id);
    clock_.advance(std::chrono::seconds(1));
  }
  make_group(user("u2"), "not mine");
  sent(user("u1"), "b", "hi");
  auto first = conversations(user("u1"), 2);
  EXPECT_THAT(ids_of(*first), ElementsAre("b", "d"));
  EXPECT_TRUE(first->has_more);
  EXPECT_EQ(first->items[0].last_message->content, "hi");
  clock_.advance(std::chrono::seconds(1));
  sent(user("u1"), "a", "moves to the top while the list is paged");
  const auto& last = first->items.back();
  const auto second = conversations(user("u1"), 2, ConversationListPoint{last.last_activity_at, last.id});
  EXPECT_THAT(ids_of(*second), ElementsAre("c"));
  EXPECT_FALSE(second->has_more);
  EXPECT_THAT(ids_of(*conversations(user("u1"))), ElementsAre("a", "b", "d", "c"));
}

TEST_P(MessagingStoreContract, ConversationsOfOneMomentAreListedById) {
  for (const char* id : {"b", "a", "c"}) make_group(user("u1"), id);
  const auto first = conversations(user("u1"), 2);
  EXPECT_THAT(ids_of(*first), ElementsAre("a", "b"));
  const auto& last = first->items.back();
  EXPECT_THAT(ids_of(*conversations(user("u1"), 2, ConversationListPoint{last.last_activity_at, last.id})),
              ElementsAre("c"));
}

TEST_P(MessagingStoreContract, AGroupTakesAsManyMembersAsItMayAndNoMore) {
  CreateConversation command;
  command.id = ConversationId("c");
  for (int i = 1; i <= kMembersUnderTest; ++i) command.members.emplace_back("m" + std::to_string(i));
  EXPECT_THAT(create(user("u1"), command), FailsWith("too_many_members"));
  EXPECT_THAT(conversation(user("u1"), "c"), FailsWith("not_found"));
  command.members.pop_back();
  ASSERT_EQ(create(user("u1"), command)->value.member_count, kMembersUnderTest);
  EXPECT_THAT(add(user("u1"), "c", "late"), FailsWith("too_many_members"));
  EXPECT_THAT(add(tenant_admin("root"), "c", "root"), FailsWith("too_many_members"));
  EXPECT_THAT(add(user("m1"), "c", "late"), FailsWith("forbidden"));
  EXPECT_THAT(add(user("stranger"), "c", "late"), FailsWith("not_found"));
  EXPECT_FALSE(add(user("u1"), "c", "m1")->changed);
  ASSERT_TRUE(leave(user("m1"), "c", "m1"));
  EXPECT_TRUE(add(user("u1"), "c", "late")->changed);
  EXPECT_THAT(add(user("u1"), "c", "later"), FailsWith("too_many_members"));
  EXPECT_EQ(conversation(user("u1"), "c")->member_count, kMembersUnderTest);
}

TEST_P(MessagingStoreContract, MembersAreAddedRankedAndRemoved) {
  make_group(user("u1"), "c");
  const auto added = add(user("u1"), "c", "u2");
  ASSERT_TRUE(added);
  EXPECT_TRUE(added->changed);
  EXPECT_EQ(added->value.role, MemberRole::kMember);
  EXPECT_FALSE(added->value.name);
  EXPECT_FALSE(add(user("u1"), "c", "u2")->changed);
  EXPECT_FALSE(add(user("u1"), "c", "u2", MemberRole::kMember)->changed);
  EXPECT_THAT(add(user("u1"), "c", "u2", MemberRole::kAdmin), FailsWith("member_exists"));
  EXPECT_THAT(add(user("u2"), "c", "u3"), FailsWith("forbidden"));
  EXPECT_THAT(add(user("u9"), "c", "u9"), FailsWith("not_found"));
  ASSERT_TRUE(rank(user("u1"), "c", "u2", MemberRole::kModerator));
  EXPECT_FALSE(rank(user("u1"), "c", "u2", MemberRole::kModerator)->changed);
  EXPECT_TRUE(add(user("u2"), "c", "u3")->changed);
  EXPECT_THAT(rank(user("u2"), "c", "u3", MemberRole::kModerator), FailsWith("forbidden"));
  EXPECT_THAT(rank(user("u1"), "c", "nobody", MemberRole::kModerator), FailsWith("not_found"));
  EXPECT_TRUE(leave(user("u2"), "c", "u3"));
  EXPECT_THAT(leave(user("u2"), "c", "u3"), FailsWith("not_found"));
  EXPECT_THAT(conversation(user("u3"), "c"), FailsWith("not_found"));
  EXPECT_TRUE(leave(user("u2"), "c", "u2"));
  EXPECT_EQ(conversation(user("u1"), "c")->member_count, 1);
  EXPECT_THAT(event_types("c"), ElementsAre("conversation.created", "member.added", "member.added",
                                            "member.role_changed", "member.added", "member.removed", "member.removed"));
}

TEST_P(MessagingStoreContract, TheLastOwnerStaysUntilThereIsAnother) {
  make_group(user("u1"), "c", {"u2"});
  EXPECT_THAT(leave(user("u1"), "c", "u1"), FailsWith("last_owner"));
  EXPECT_THAT(leave(tenant_admin("root"), "c", "u1"), FailsWith("last_owner"));
  EXPECT_THAT(rank(user("u1"), "c", "u1", MemberRole::kMember), FailsWith("last_owner"));
  ASSERT_TRUE(rank(user("u1"), "c", "u2", MemberRole::kOwner));
  EXPECT_TRUE(rank(user("u1"), "c", "u1", MemberRole::kMember));
  EXPECT_THAT(leave(user("u2"), "c", "u2"), FailsWith("last_owner"));
}

TEST_P(MessagingStoreContract, MembersAreListedInTheOrderOfJoining) {
  make_group(user("u1"), "c", {"z", "a"});
  clock_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(see(user("b")));
  ASSERT_TRUE(add(user("u1"), "c", "b"));
  const auto first = members(user("a"), "c", 2);
  EXPECT_THAT(users_of(*first), ElementsAre("a", "u1"));
  EXPECT_TRUE(first->has_more);
  const auto& last = first->items.back();
  const auto second = members(user("a"), "c", 2, MemberListPoint{last.joined_at, last.user_id});
  EXPECT_THAT(users_of(*second), ElementsAre("z", "b"));
  EXPECT_FALSE(second->has_more);
  EXPECT_EQ(second->items.back().name, "Name of b");
  EXPECT_THAT(members(user("stranger"), "c"), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, UnreadAreMessagesByOthersThatLiveAboveTheMark) {
  make_group(user("u1"), "c", {"u2"});
  std::vector<Message> messages;
  for (int i = 0; i < 6; ++i) messages.push_back(sent(user(i % 2 == 0 ? "u1" : "u2"), "c", "m"));  // odd seqs: u1
  EXPECT_EQ(unread(user("u1"), "c"), 3);
  EXPECT_EQ(unread(user("u2"), "c"), 3);
  const auto marked = read(user("u2"), "c", 2);
  ASSERT_TRUE(marked);
  EXPECT_EQ(marked->value.read_seq, 2);
  EXPECT_EQ(marked->value.last_seq, 6);
  EXPECT_EQ(marked->value.unread_count, 2);
  ASSERT_TRUE(remove(user("u1"), messages[0]));  // read by u2
  EXPECT_EQ(unread(user("u2"), "c"), 2);
  ASSERT_TRUE(remove(user("u1"), messages[2]));  // not read
  EXPECT_EQ(unread(user("u2"), "c"), 1);
  ASSERT_TRUE(remove(user("u2"), messages[5]));  // its own
  EXPECT_EQ(unread(user("u2"), "c"), 1);
  EXPECT_EQ(unread(user("u1"), "c"), 2);
  EXPECT_EQ(read(user("u2"), "c", 5)->value.unread_count, 0);
  EXPECT_EQ(read(user("u1"), "c", 6)->value.unread_count, 0);
  sent(user("u2"), "c", "new");
  EXPECT_EQ(unread(user("u1"), "c"), 1);
  EXPECT_EQ(unread(user("u2"), "c"), 0);
}

TEST_P(MessagingStoreContract, TheMarkNeverGoesBackNorAboveTheLastSeq) {
  make_group(user("u1"), "c");
  sent(user("u1"), "c", "1");
  sent(user("u1"), "c", "2");
  EXPECT_THAT(read(user("u1"), "c", 3), IsInvalid("/seq"));
  EXPECT_TRUE(read(user("u1"), "c", 2)->changed);
  const auto back = read(user("u1"), "c", 1);
  EXPECT_FALSE(back->changed);
  EXPECT_EQ(back->value.read_seq, 2);
  EXPECT_FALSE(read(user("u1"), "c", 0)->changed);
  EXPECT_THAT(read(user("u2"), "c", 1), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, OneWhoJoinsStartsWithNothingUnreadAlsoTheSecondTime) {
  make_group(user("u1"), "c");
  const Message old = sent(user("u1"), "c", "old");
  ASSERT_TRUE(add(user("u1"), "c", "u2"));
  EXPECT_EQ(unread(user("u2"), "c"), 0);
  const Message own = sent(user("u2"), "c", "own");
  sent(user("u1"), "c", "unread");
  EXPECT_EQ(unread(user("u2"), "c"), 1);
  ASSERT_TRUE(leave(user("u2"), "c", "u2"));
  sent(user("u1"), "c", "missed");
  ASSERT_TRUE(add(user("u1"), "c", "u2"));
  EXPECT_EQ(unread(user("u2"), "c"), 0);
  EXPECT_EQ(conversation(user("u2"), "c")->read_seq, 4);
  ASSERT_TRUE(remove(user("u1"), old));
  ASSERT_TRUE(remove(user("u2"), own));
  EXPECT_EQ(unread(user("u2"), "c"), 0);
  EXPECT_TRUE(get(user("u2"), old));
}

TEST_P(MessagingStoreContract, AProfileIsMadeAtFirstSightAndChangedByItsUser) {
  EXPECT_THAT(wait(store().get_user(user("u2"), UserId("u1"), kNoHurry)), FailsWith("not_found"));
  const auto first = see(user("u1"));
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->changed);
  EXPECT_EQ(first->value.name, "Name of u1");
  EXPECT_EQ(first->value.version, 1);
  EXPECT_FALSE(see(user("u1"))->changed);
  UpdateUser command;
  command.name = std::optional<std::string>("Ada");
  command.avatar_url = std::optional<std::string>("https://example.org/a.png");
  command.metadata = R"({"k":1})";
  clock_.advance(std::chrono::seconds(1));
  const auto changed = wait(store().update_user(user("u1"), command, kNoHurry));
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->value.version, 2);
  EXPECT_FALSE(wait(store().update_user(user("u1"), command, kNoHurry))->changed);
  command.if_match = std::vector<Version>{1};
  EXPECT_THAT(wait(store().update_user(user("u1"), command, kNoHurry)), FailsWith("precondition_failed"));
  command = {};
  command.name = std::optional<std::string>();
  ASSERT_TRUE(wait(store().update_user(user("u1"), command, kNoHurry)));
  const auto seen = wait(store().get_user(user("u2"), UserId("u1"), kNoHurry));
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->name);
  EXPECT_EQ(seen->avatar_url, "https://example.org/a.png");
  EXPECT_EQ(seen->metadata, R"({"k":1})");
  EXPECT_EQ(seen->version, 3);
  EXPECT_EQ(seen->updated_at, clock_.wall_now());
  EXPECT_FALSE(see(user("u1"))->changed);
  EXPECT_THAT(event_types("u1"), ElementsAre("user.updated", "user.updated", "user.updated"));
  EXPECT_THAT(wait(store().get_user(user("u2", "other"), UserId("u1"), kNoHurry)), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, AProfileMayBeChangedBeforeItWasSeen) {
  UpdateUser command;
  command.name = std::optional<std::string>("Ada");
  const auto made = wait(store().update_user(user("u1"), command, kNoHurry));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->value.name, "Ada");
  EXPECT_EQ(made->value.version, 2);
}

}  // namespace parley::messaging::testing
