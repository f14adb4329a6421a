// Sending, reading, editing, deleting, reacting and threads, as every store must do them.
#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(MessagingStoreContract, AMessageGetsTheNextSeqAndIsReadBackAsItWasSent) {
  make_group(user("u1"), "c", {"u2"});
  SendMessage command;
  command.conversation_id = ConversationId("c");
  command.content = std::string("Grüße 會議 \xF0\x9F\x91\x8D \"quoted\"\n");
  command.type = "note";
  command.mentions = {UserId("u2"), UserId("stranger")};
  command.metadata = R"({"a":[1,{"b":null}]})";
  command.client_message_id = "mine-1";
  const auto result = send(user("u1"), command);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->changed);
  EXPECT_FALSE(result->position.empty());

  const auto message = get(user("u2"), result->value);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->id, result->value.id);
  EXPECT_TRUE(is_uuid(message->id.value));
  EXPECT_EQ(message->conversation_id.value, "c");
  EXPECT_EQ(message->seq, 1);
  EXPECT_EQ(message->sender_id.value, "u1");
  EXPECT_EQ(message->content, command.content);
  EXPECT_EQ(message->type, "note");
  EXPECT_EQ(message->mentions, command.mentions);
  EXPECT_EQ(message->metadata, command.metadata);
  EXPECT_EQ(message->client_message_id, "mine-1");
  EXPECT_EQ(message->created_at, clock_.wall_now());
  EXPECT_EQ(message->version, 1);
  EXPECT_FALSE(message->edited_at || message->deleted_at || message->reply_to || message->thread_root);
  EXPECT_FALSE(message->imported);
  EXPECT_EQ(sent(user("u2"), "c", "next").seq, 2);
}

TEST_P(MessagingStoreContract, SendingNeedsAMembership) {
  make_group(user("u1"), "c");
  EXPECT_THAT(send(user("u2"), "c", "hi"), FailsWith("not_found"));
  EXPECT_THAT(send(tenant_admin("root"), "c", "hi"), FailsWith("not_found"));
  EXPECT_THAT(send(user("u1"), "unknown", "hi"), FailsWith("not_found"));
  EXPECT_EQ(send(user("u2"), "c", "hi").error().detail, send(user("u2"), "unknown", "hi").error().detail);
}

TEST_P(MessagingStoreContract, AnArchivedConversationTakesNoContentButDeletes) {
  make_group(user("u1"), "c");
  const Message message = sent(user("u1"), "c", "before");
  ASSERT_TRUE(react(user("u1"), message, "+1"));
  UpdateConversation archive;
  archive.conversation_id = ConversationId("c");
  archive.archived = true;
  ASSERT_TRUE(update(user("u1"), archive));
  EXPECT_THAT(send(user("u1"), "c", "after"), FailsWith("conversation_archived"));
  EXPECT_THAT(edit(user("u1"), message, "after"), FailsWith("conversation_archived"));
  EXPECT_THAT(react(user("u1"), message, "-1"), FailsWith("conversation_archived"));
  EXPECT_THAT(unreact(user("u1"), message, "+1"), FailsWith("conversation_archived"));
  EXPECT_TRUE(read(user("u1"), "c", 1));
  EXPECT_TRUE(remove(user("u1"), message));
}

TEST_P(MessagingStoreContract, AnEditKeepsTheVersionsBeforeIt) {
  make_group(user("u1"), "c");
  const Message message = sent(user("u1"), "c", "one");
  clock_.advance(std::chrono::seconds(1));
  const auto second = edit(user("u1"), message, "two");
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->changed);
  EXPECT_EQ(second->value.version, 2);
  EXPECT_EQ(second->value.content, "two");
  EXPECT_EQ(second->value.edited_at, clock_.wall_now());
  EXPECT_EQ(second->value.created_at, message.created_at);
  clock_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(edit(user("u1"), message, "three"));

  const auto history = versions(user("u1"), message);
  ASSERT_TRUE(history);
  ASSERT_THAT(history->items, SizeIs(3));
  EXPECT_FALSE(history->has_more);
  EXPECT_EQ(history->items[0].content, "three");
  EXPECT_EQ(history->items[1].content, "two");
  EXPECT_EQ(history->items[1].version, 2);
  EXPECT_EQ(history->items[1].created_at, second->value.edited_at);
  EXPECT_EQ(history->items[2].content, "one");
  EXPECT_EQ(history->items[2].created_at, message.created_at);

  const auto first_page = versions(user("u1"), message, {}, 2);
  EXPECT_TRUE(first_page->has_more);
  const auto rest = versions(user("u1"), message, first_page->items.back().version, 2);
  ASSERT_THAT(rest->items, SizeIs(1));
  EXPECT_FALSE(rest->has_more);
  EXPECT_EQ(rest->items[0].version, 1);
}

TEST_P(MessagingStoreContract, AnEditThatChangesNothingLeavesVersionAndLogAlone) {
  make_group(user("u1"), "c");
  const Message message = sent(user("u1"), "c", "same");
  const auto events = all_events().size();
  const auto result = edit(user("u1"), message, "same");
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->changed);
  EXPECT_EQ(result->value.version, 1);
  EXPECT_FALSE(result->value.edited_at);
  EXPECT_EQ(all_events().size(), events);
}

TEST_P(MessagingStoreContract, AnEditIsGuardedByVersionAndBySender) {
  make_group(user("u1"), "c", {"u2"});
  const Message message = sent(user("u1"), "c", "one");
  EXPECT_THAT(edit(user("u1"), message, "two", std::vector<Version>{2}), FailsWith("precondition_failed"));
  EXPECT_THAT(edit(user("u1"), message, "two", std::vector<Version>{}), FailsWith("precondition_failed"));
  EXPECT_TRUE(edit(user("u1"), message, "two", std::vector<Version>{7, 1}));
  EXPECT_THAT(edit(user("u2"), message, "three"), FailsWith("forbidden"));
  EXPECT_THAT(edit(user("stranger"), message, "three"), FailsWith("not_found"));
  EXPECT_THAT(edit(tenant_admin("root"), message, "three"), FailsWith("not_found"));
  Message unknown = message;
  for (const char* id : {"", "x", "0192f3a1-7c00-7a3e-8f00-0000000000c1", "ZZ92f3a1-7c00-7a3e-8f00-0000000000c1"}) {
    unknown.id = MessageId(id);
    EXPECT_THAT(edit(user("u1"), unknown, "three"), FailsWith("not_found"));
  }
}

TEST_P(MessagingStoreContract, AnEditMayChangeMentionsAndMetadataAlone) {
  make_group(user("u1"), "c");
  const Message message = sent(user("u1"), "c", "one");
  EditMessage command;
  command.message_id = message.id;
  command.mentions = std::vector{UserId("u9")};
  command.metadata = R"({"k":1})";
  const auto result = wait(store().edit_message(user("u1"), command, kNoHurry));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->value.content, "one");
  EXPECT_THAT(result->value.mentions, ElementsAre(UserId("u9")));
  EXPECT_EQ(result->value.metadata, R"({"k":1})");
  EXPECT_EQ(result->value.version, 2);
}

TEST_P(MessagingStoreContract, ADeletedMessageLeavesATombstoneAndNothingOfWhatItSaid) {
  make_group(user("u1"), "c", {"u2"});
  SendMessage command;
  command.conversation_id = ConversationId("c");
  command.content = "secret";
  command.mentions = {UserId("u2")};
  command.metadata = R"({"secret":true})";
  command.client_message_id = "m";
  const Message message = send(user("u1"), command)->value;
  ASSERT_TRUE(edit(user("u1"), message, "secret too"));
  ASSERT_TRUE(react(user("u2"), message, "+1"));
  clock_.advance(std::chrono::seconds(1));
  const auto result = remove(user("u1"), message);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->changed);

  const auto tombstone = get(user("u2"), message);
  ASSERT_TRUE(tombstone);
  EXPECT_EQ(tombstone->seq, 1);
  EXPECT_EQ(tombstone->sender_id.value, "u1");
  EXPECT_FALSE(tombstone->content || tombstone->client_message_id);
  EXPECT_EQ(tombstone->deleted_at, clock_.wall_now());
  EXPECT_EQ(tombstone->version, 3);
  EXPECT_THAT(tombstone->mentions, IsEmpty());
  EXPECT_THAT(tombstone->reactions, IsEmpty());
  EXPECT_EQ(tombstone->metadata, "{}");
  EXPECT_THAT(versions(user("u1"), message)->items, IsEmpty());
  for (const auto& event : all_events()) {
    EXPECT_EQ(event.data.find("secret"), std::string::npos) << event.type << " " << event.data;
  }

  const auto again = remove(user("u1"), message);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_THAT(edit(user("u1"), message, "x"), FailsWith("message_deleted"));
  EXPECT_THAT(react(user("u2"), message, "+1"), FailsWith("message_deleted"));
  EXPECT_FALSE(unreact(user("u2"), message, "+1")->changed);
}

TEST_P(MessagingStoreContract, DeletingIsForTheSenderTheRanksAboveMemberAndTenantAdmins) {
  make_group(user("owner"), "c", {"u1", "u2", "mod"});
  ASSERT_TRUE(rank(user("owner"), "c", "mod", MemberRole::kModerator));
  const Message first = sent(user("u1"), "c", "1");
  const Message second = sent(user("u1"), "c", "2");
  EXPECT_THAT(remove(user("u2"), first), FailsWith("forbidden"));
  EXPECT_THAT(remove(user("stranger"), first), FailsWith("not_found"));
  EXPECT_THAT(remove(tenant_admin("root", "other"), first), FailsWith("not_found"));
  EXPECT_THAT(remove(user("mod"), first, std::vector<Version>{9}), FailsWith("precondition_failed"));
  EXPECT_TRUE(remove(user("mod"), first, std::vector<Version>{1})->changed);
  EXPECT_TRUE(remove(tenant_admin("root"), second)->changed);
}

TEST_P(MessagingStoreContract, ReactionsAreCountedAndComeInTheOrderTheyWereGiven) {
  make_group(user("u1"), "c", {"u2", "u3"});
  const Message message = sent(user("u1"), "c", "hi");
  EXPECT_TRUE(react(user("u3"), message, "👍")->changed);
  EXPECT_TRUE(react(user("u2"), message, "a/b")->changed);
  const auto second = react(user("u1"), message, "👍");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->value.count, 2);
  EXPECT_TRUE(second->value.mine);
  EXPECT_FALSE(react(user("u1"), message, "👍")->changed);

  const auto seen = get(user("u2"), message);
  ASSERT_THAT(seen->reactions, SizeIs(2));
  EXPECT_EQ(seen->reactions[0].reaction, "👍");
  EXPECT_THAT(seen->reactions[0].users, ElementsAre(UserId("u3"), UserId("u1")));
  EXPECT_FALSE(seen->reactions[0].mine);
  EXPECT_TRUE(seen->reactions[1].mine);
  EXPECT_EQ(seen->version, 1);

  EXPECT_EQ(unreact(user("u3"), message, "👍")->value.count, 1);
  EXPECT_FALSE(unreact(user("u3"), message, "👍")->changed);
  EXPECT_FALSE(unreact(user("u3"), message, "never")->changed);
  EXPECT_THAT(react(user("stranger"), message, "x"), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, AMessageHoldsFiftyKindsOfReactionsAndShowsTwentyUsersOfEach) {
  std::vector<std::string> names;
  for (int i = 0; i < 25; ++i) names.push_back("m" + std::to_string(i));
  std::vector<const char*> ids;
  for (const auto& name : names) ids.push_back(name.c_str());
  make_group(user("u1"), "c", ids);
  const Message message = sent(user("u1"), "c", "hi");
  for (const char* id : ids) ASSERT_TRUE(react(user(id), message, "r0"));
  for (int i = 1; i < 50; ++i) ASSERT_TRUE(react(user("u1"), message, "r" + std::to_string(i)));
  EXPECT_THAT(react(user("u1"), message, "r50"), FailsWith("too_many_reactions"));
  EXPECT_TRUE(react(user("u1"), message, "r0")->changed);
  const auto seen = get(user("u1"), message);
  EXPECT_EQ(seen->reactions[0].count, 26);
  EXPECT_THAT(seen->reactions[0].users, SizeIs(20));
  EXPECT_TRUE(seen->reactions[0].mine);
}

TEST_P(MessagingStoreContract, RepliesFormThreadsOfOneLevelWithCountsOfTheLiving) {
  make_group(user("u1"), "c");
  make_group(user("u1"), "d");
  const Message root = sent(user("u1"), "c", "root");
  clock_.advance(std::chrono::seconds(1));
  const Message first = replied(user("u1"), root, "first");
  clock_.advance(std::chrono::seconds(1));
  const Message second = replied(user("u1"), first, "second");
  EXPECT_EQ(first.thread_root, root.id);
  EXPECT_EQ(second.reply_to, first.id);
  EXPECT_EQ(second.thread_root, root.id);
  EXPECT_EQ(get(user("u1"), second)->thread_root, root.id);
  EXPECT_EQ(get(user("u1"), root)->reply_count, 2);
  EXPECT_EQ(get(user("u1"), root)->last_reply_at, second.created_at);
  EXPECT_THAT(seqs_of(replies(user("u1"), root)->items), ElementsAre(3, 2));
  EXPECT_THAT(seqs_of(replies(user("u1"), root, SeqOrder::kOldestFirst)->items), ElementsAre(2, 3));
  EXPECT_THAT(replies(user("u1"), first)->items, IsEmpty());

  const auto page_one = replies(user("u1"), root, SeqOrder::kOldestFirst, {}, 1);
  EXPECT_TRUE(page_one->has_after);
  const auto page_two = replies(user("u1"), root, SeqOrder::kOldestFirst, 2, 1);
  EXPECT_THAT(seqs_of(page_two->items), ElementsAre(3));
  EXPECT_FALSE(page_two->has_after);

  ASSERT_TRUE(remove(user("u1"), second));
  EXPECT_EQ(get(user("u1"), root)->reply_count, 1);
  EXPECT_EQ(get(user("u1"), root)->last_reply_at, first.created_at);
  EXPECT_THAT(replies(user("u1"), root)->items, SizeIs(2));
  const Message late = replied(user("u1"), second, "to a tombstone");
  EXPECT_EQ(late.thread_root, root.id);
  ASSERT_TRUE(remove(user("u1"), first));
  ASSERT_TRUE(remove(user("u1"), late));
  EXPECT_EQ(get(user("u1"), root)->reply_count, 0);
  EXPECT_FALSE(get(user("u1"), root)->last_reply_at);

  SendMessage stray;
  stray.conversation_id = ConversationId("d");
  stray.content = "x";
  stray.reply_to = root.id;
  EXPECT_THAT(send(user("u1"), stray), IsInvalid("/reply_to"));
  stray.reply_to = MessageId("nonsense");
  EXPECT_THAT(send(user("u1"), stray), IsInvalid("/reply_to"));
  EXPECT_THAT(replies(user("u2"), root), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, MessagesArePagedBothWaysEachOnce) {
  make_group(user("u1"), "c");
  for (int i = 1; i <= 10; ++i) sent(user("u1"), "c", std::to_string(i));
  ListMessages query;
  query.conversation_id = ConversationId("c");
  query.limit = 4;
  auto newest = page(user("u1"), query);
  EXPECT_THAT(seqs_of(newest->items), ElementsAre(10, 9, 8, 7));
  EXPECT_FALSE(newest->has_before);
  EXPECT_TRUE(newest->has_after);
  sent(user("u1"), "c", "meanwhile");
  query.from = 7;
  EXPECT_THAT(seqs_of(page(user("u1"), query)->items), ElementsAre(6, 5, 4, 3));
  query.from = 3;
  newest = page(user("u1"), query);
  EXPECT_THAT(seqs_of(newest->items), ElementsAre(2, 1));
  EXPECT_TRUE(newest->has_before);
  EXPECT_FALSE(newest->has_after);
  query.backwards = true;
  EXPECT_THAT(seqs_of(page(user("u1"), query)->items), ElementsAre(7, 6, 5, 4));

  query = {};
  query.conversation_id = ConversationId("c");
  query.order = SeqOrder::kOldestFirst;
  query.limit = 4;
  EXPECT_THAT(seqs_of(page(user("u1"), query)->items), ElementsAre(1, 2, 3, 4));
  query.from = 8;
  const auto last = page(user("u1"), query);
  EXPECT_THAT(seqs_of(last->items), ElementsAre(9, 10, 11));
  EXPECT_FALSE(last->has_after);
  query.backwards = true;
  EXPECT_THAT(seqs_of(page(user("u1"), query)->items), ElementsAre(4, 5, 6, 7));
  query.from = 1;
  EXPECT_THAT(page(user("u1"), query)->items, IsEmpty());
}

TEST_P(MessagingStoreContract, PagingStaysWithinTheConversationAtItsEnds) {
  make_group(user("u1"), "a");
  make_group(user("u1"), "b");
  sent(user("u1"), "a", "1");
  sent(user("u1"), "b", "1");
  ListMessages query;
  query.conversation_id = ConversationId("a");
  query.from = 1'000'000;
  EXPECT_THAT(seqs_of(page(user("u1"), query)->items), ElementsAre(1));
  query.order = SeqOrder::kOldestFirst;
  EXPECT_THAT(page(user("u1"), query)->items, IsEmpty());
  query.from = INT64_MAX - 1;
  EXPECT_THAT(page(user("u1"), query)->items, IsEmpty());
  query.order = SeqOrder::kNewestFirst;
  EXPECT_THAT(seqs_of(page(user("u1"), query)->items), ElementsAre(1));
  EXPECT_THAT(page(user("stranger"), query), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, APageAroundASeqHasItInItsMiddle) {
  make_group(user("u1"), "c");
  EXPECT_THAT(around(user("u1"), "c", 5, 4)->items, IsEmpty());
  for (int i = 1; i <= 10; ++i) sent(user("u1"), "c", std::to_string(i));
  const auto middle = around(user("u1"), "c", 5, 4);
  EXPECT_THAT(seqs_of(middle->items), ElementsAre(6, 5, 4, 3));
  EXPECT_TRUE(middle->has_before);
  EXPECT_TRUE(middle->has_after);
  EXPECT_THAT(seqs_of(around(user("u1"), "c", 1, 4)->items), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(seqs_of(around(user("u1"), "c", 10, 4)->items), ElementsAre(10, 9, 8, 7));
  EXPECT_THAT(seqs_of(around(user("u1"), "c", 999'999'999'999, 4)->items), ElementsAre(10, 9, 8, 7));
  EXPECT_THAT(seqs_of(around(user("u1"), "c", 5, 1)->items), ElementsAre(5));
  EXPECT_THAT(around(user("u1"), "c", 5, 100)->items, SizeIs(10));
  EXPECT_THAT(around(user("stranger"), "c", 5, 4), FailsWith("not_found"));
}

}  // namespace parley::messaging::testing
