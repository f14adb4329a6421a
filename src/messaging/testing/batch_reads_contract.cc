// What search asks of a store: where a caller may look, and many things at once.
#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

template <class T>
std::vector<std::string> ids_of(const std::vector<T>& items) {
  std::vector<std::string> ids;
  for (const T& item : items) ids.push_back(item.id.value);
  return ids;
}
std::vector<std::string> texts_of(const std::vector<ConversationId>& ids) {
  std::vector<std::string> texts;
  for (const auto& id : ids) texts.push_back(id.value);
  return texts;
}

}  // namespace

TEST_P(MessagingStoreContract, AScopeIsWhereTheCallerIsAMemberNewestActivityFirst) {
  const auto scope = [this](const Caller& caller, std::size_t limit = 5'000) {
    return wait(store().get_scope(caller, limit, kNoHurry)).value();
  };
  EXPECT_THAT(scope(user("u1")).items, IsEmpty());
  for (const char* id : {"a", "b", "c"}) {
    clock_.advance(std::chrono::seconds(1));
    make_group(user("u1"), id, {"u2"});
  }
  make_group(user("u3"), "not-ours");
  make_group(user("u1", "other"), "theirs");
  clock_.advance(std::chrono::seconds(1));
  sent(user("u2"), "b", "hello");
  EXPECT_THAT(texts_of(scope(user("u1")).items), ElementsAre("b", "c", "a"));
  EXPECT_FALSE(scope(user("u1")).has_more);
  EXPECT_THAT(texts_of(scope(user("u1"), 2).items), ElementsAre("b", "c"));
  EXPECT_TRUE(scope(user("u1"), 2).has_more);
  EXPECT_FALSE(scope(user("u1"), 3).has_more);

  ASSERT_TRUE(leave(user("u2"), "b", "u2"));
  EXPECT_THAT(texts_of(scope(user("u2")).items), ElementsAre("c", "a"));
  ASSERT_TRUE(drop(user("u1"), "c"));
  EXPECT_THAT(texts_of(scope(user("u2")).items), ElementsAre("a"));
  EXPECT_THAT(scope(tenant_admin("root")).items, IsEmpty());  // manages groups, reads none
  EXPECT_THAT(texts_of(scope(user("u1", "other")).items), ElementsAre("theirs"));
  EXPECT_THAT(scope(user("u2", "other")).items, IsEmpty());
}

TEST_P(MessagingStoreContract, ALookUpAnswersEachThingAsItsOwnGetDoesInTheOrderAskedFor) {
  make_group(user("u1"), "a", {"u2"});
  make_group(user("u1"), "b", {"u2"});
  ASSERT_TRUE(see(user("u1")));
  ASSERT_TRUE(see(user("u2")));
  const Message first = sent(user("u1"), "a", "one");
  const Message other = sent(user("u2"), "b", "two");
  const Message reply = replied(user("u2"), first, "three");
  ASSERT_TRUE(react(user("u2"), first, "+1"));
  ASSERT_TRUE(edit(user("u1"), first, "one!"));

  const auto found = wait(store().look_up(user("u2"),
                                          {.messages = {reply.id, other.id, first.id},
                                           .conversations = {ConversationId("b"), ConversationId("a")},
                                           .users = {UserId("u2"), UserId("u1")}},
                                          kNoHurry));
  ASSERT_TRUE(found);
  EXPECT_THAT(ids_of(found->messages), ElementsAre(reply.id.value, other.id.value, first.id.value));
  EXPECT_THAT(ids_of(found->conversations), ElementsAre("b", "a"));
  EXPECT_THAT(ids_of(found->users), ElementsAre("u2", "u1"));

  const auto alone = get(user("u2"), first);
  ASSERT_TRUE(alone);
  const Message& seen = found->messages[2];
  EXPECT_EQ(seen.content, alone->content);
  EXPECT_EQ(seen.version, alone->version);
  EXPECT_EQ(seen.reply_count, 1);
  EXPECT_EQ(seen.edited_at, alone->edited_at);
  ASSERT_THAT(seen.reactions, SizeIs(1));
  EXPECT_TRUE(seen.reactions[0].mine);
  EXPECT_EQ(found->messages[0].thread_root, first.id);
  EXPECT_EQ(found->messages[1].conversation_id, ConversationId("b"));
  const Conversation& talk = found->conversations[1];
  EXPECT_EQ(talk.unread_count, unread(user("u2"), "a"));
  EXPECT_EQ(talk.my_role, MemberRole::kMember);
  EXPECT_EQ(talk.last_message->id, reply.id);
  EXPECT_EQ(found->users[1].name, "Name of u1");
}

TEST_P(MessagingStoreContract, ALookUpLeavesOutWhatTheCallerMayNotRead) {
  make_group(user("u1"), "a", {"u2"});
  make_group(user("u1"), "gone");
  make_group(user("u1", "other"), "theirs");
  ASSERT_TRUE(see(user("u1")));
  ASSERT_TRUE(see(user("x", "other")));
  const Message kept = sent(user("u1"), "a", "kept");
  const Message deleted = sent(user("u1"), "a", "deleted");
  const Message lost = sent(user("u1"), "gone", "lost");
  const Message theirs = sent(user("u1", "other"), "theirs", "theirs");
  ASSERT_TRUE(remove(user("u1"), deleted));
  ASSERT_TRUE(drop(user("u1"), "gone"));
  const LookUp everything{
      .messages = {deleted.id, MessageId("no-uuid"), MessageId("0198c5a2-7f00-7000-8000-000000000001"), lost.id,
                   theirs.id, MessageId(kept.id.value + "x"), kept.id},
      .conversations = {ConversationId("gone"), ConversationId("theirs"), ConversationId("unknown"),
                        ConversationId("a")},
      .users = {UserId("x"), UserId("nobody"), UserId("u1")}};
  const auto ask = [&](const Caller& caller) { return wait(store().look_up(caller, everything, kNoHurry)).value(); };

  for (const Caller& member : {user("u1"), user("u2"), service("u2")}) {
    EXPECT_THAT(ids_of(ask(member).messages), ElementsAre(kept.id.value));
    EXPECT_THAT(ids_of(ask(member).conversations), ElementsAre("a"));
    EXPECT_THAT(ids_of(ask(member).users), ElementsAre("u1"));
  }
  EXPECT_THAT(ask(user("u3")).messages, IsEmpty());
  EXPECT_THAT(ask(user("u3")).conversations, IsEmpty());
  EXPECT_THAT(ids_of(ask(user("u3")).users), ElementsAre("u1"));  // profiles are the whole tenant's
  // As with get: a tenant admin sees the group, without what was said.
  EXPECT_THAT(ask(tenant_admin("root")).messages, IsEmpty());
  ASSERT_THAT(ids_of(ask(tenant_admin("root")).conversations), ElementsAre("a"));
  EXPECT_FALSE(ask(tenant_admin("root")).conversations[0].last_message);

  for (const Caller& stranger : {user("u2", "other"), tenant_admin("u2", "other"), service("u2", "other")}) {
    EXPECT_THAT(ask(stranger).messages, IsEmpty());
    EXPECT_THAT(ids_of(ask(stranger).users), ElementsAre("x"));
  }
  ASSERT_TRUE(leave(user("u2"), "a", "u2"));
  EXPECT_THAT(ask(user("u2")).messages, IsEmpty());
  EXPECT_THAT(ask(user("u2")).conversations, IsEmpty());
}

TEST_P(MessagingStoreContract, ALookUpOfNothingIsNothingAndOneOfManyIsWhole) {
  make_group(user("u1"), "a");
  LookUp query;
  const auto nothing = wait(store().look_up(user("u1"), query, kNoHurry));
  ASSERT_TRUE(nothing);
  EXPECT_THAT(nothing->messages, IsEmpty());
  for (int i = 0; i < 100; ++i) query.messages.push_back(sent(user("u1"), "a", std::to_string(i)).id);
  const auto all = wait(store().look_up(user("u1"), query, kNoHurry));
  ASSERT_TRUE(all);
  ASSERT_THAT(all->messages, SizeIs(100));
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(all->messages[i].content, std::to_string(i));
}

}  // namespace parley::messaging::testing
