// Idempotency, tenants, events, imports, restarts and many writers at once, as every store must hold them.
#include <set>
#include <thread>

#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

SendMessage keyed(const char* conversation, std::string content, const char* key) {
  SendMessage command;
  command.conversation_id = ConversationId(conversation);
  command.content = std::move(content);
  command.idempotency_key = key;
  return command;
}

}  // namespace

TEST_P(MessagingStoreContract, TheSameKeyGivesTheSameMessageForGood) {
  make_group(user("u1"), "c", {"u2"});
  const auto first = send(user("u1"), keyed("c", "hi", "k"));
  ASSERT_TRUE(first);
  ASSERT_TRUE(edit(user("u1"), first->value, "edited"));
  clock_.advance(std::chrono::hours(24 * 365));
  reopen();
  const auto again = send(user("u1"), keyed("c", "hi", "k"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->value.id, first->value.id);
  EXPECT_EQ(again->value.content, "edited");
  EXPECT_THAT(send(user("u1"), keyed("c", "other", "k")), FailsWith("idempotency_mismatch"));
  EXPECT_TRUE(send(user("u2"), keyed("c", "hi", "k"))->changed);
  EXPECT_EQ(conversation(user("u1"), "c")->last_seq, 2);
}

TEST_P(MessagingStoreContract, RequestsAreComparedByTheirParsedFields) {
  make_group(user("u1"), "c");
  SendMessage command = keyed("c", "hi", "k");
  command.metadata = R"({"a":{"x":1,"y":2},"b":[1,2]})";
  ASSERT_TRUE(send(user("u1"), command)->changed);
  command.metadata = R"({"b":[1,2],"a":{"y":2,"x":1}})";
  EXPECT_FALSE(send(user("u1"), command)->changed);
  command.metadata = R"({"b":[2,1],"a":{"y":2,"x":1}})";
  EXPECT_THAT(send(user("u1"), command), FailsWith("idempotency_mismatch"));
}

TEST_P(MessagingStoreContract, AKeyIsOfOneRouteOverAllConversations) {
  make_group(user("u1"), "c");
  make_group(user("u1"), "d");
  ASSERT_TRUE(send(user("u1"), keyed("c", "hi", "k"))->changed);
  EXPECT_THAT(send(user("u1"), keyed("d", "hi", "k")), FailsWith("idempotency_mismatch"));
  CreateConversation create_command;
  create_command.idempotency_key = "k";
  EXPECT_TRUE(create(user("u1"), create_command)->changed);
}

TEST_P(MessagingStoreContract, AClientMessageIdIsOfOneConversation) {
  make_group(user("u1"), "c");
  make_group(user("u1"), "d");
  SendMessage command;
  command.conversation_id = ConversationId("c");
  command.content = "hi";
  command.client_message_id = "m";
  const auto first = send(user("u1"), command);
  EXPECT_FALSE(send(user("u1"), command)->changed);
  command.content = "other";
  EXPECT_THAT(send(user("u1"), command), FailsWith("idempotency_mismatch"));
  command.conversation_id = ConversationId("d");
  EXPECT_TRUE(send(user("u1"), command)->changed);

  command = keyed("c", "hi", "k");
  command.client_message_id = "m";
  const auto joined = send(user("u1"), command);
  EXPECT_EQ(joined->value.id, first->value.id);
  command.client_message_id = {};
  EXPECT_THAT(send(user("u1"), command), FailsWith("idempotency_mismatch"));  // a field is missing now
}

TEST_P(MessagingStoreContract, TwoKeysThatPointAtDifferentMessagesAreAMismatch) {
  make_group(user("u1"), "c");
  SendMessage first = keyed("c", "hi", "k1");
  first.client_message_id = "m1";
  SendMessage second = keyed("c", "hi", "k2");
  second.client_message_id = "m2";
  ASSERT_TRUE(send(user("u1"), first));
  ASSERT_TRUE(send(user("u1"), second));
  SendMessage mixed = first;
  mixed.client_message_id = "m2";
  EXPECT_THAT(send(user("u1"), mixed), FailsWith("idempotency_mismatch"));
}

TEST_P(MessagingStoreContract, RightsComeBeforeReplays) {
  make_group(user("u1"), "c", {"u2"});
  const auto first = send(user("u2"), keyed("c", "hi", "k"));
  UpdateConversation archive;
  archive.conversation_id = ConversationId("c");
  archive.archived = true;
  ASSERT_TRUE(update(user("u1"), archive));
  EXPECT_FALSE(send(user("u2"), keyed("c", "hi", "k"))->changed);
  ASSERT_TRUE(remove(user("u2"), first->value));
  EXPECT_TRUE(send(user("u2"), keyed("c", "hi", "k"))->value.deleted_at);
  ASSERT_TRUE(leave(user("u2"), "c", "u2"));
  EXPECT_THAT(send(user("u2"), keyed("c", "hi", "k")), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, ASendForAReplayOnlyStoresNothing) {
  make_group(user("u1"), "c");
  SendMessage command = keyed("c", "hi", "k");
  command.only_replay = true;
  EXPECT_THAT(send(user("u1"), command), FailsWith("rate_limited"));
  EXPECT_EQ(conversation(user("u1"), "c")->last_seq, 0);
  ASSERT_TRUE(send(user("u1"), keyed("c", "hi", "k")));
  const auto replay = send(user("u1"), command);
  ASSERT_TRUE(replay);
  EXPECT_FALSE(replay->changed);
}

TEST_P(MessagingStoreContract, AConversationIsMadeOnceForAKey) {
  CreateConversation command;
  command.name = "n";
  command.idempotency_key = "k";
  const auto first = create(user("u1"), command);
  const auto again = create(user("u1"), command);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->value.id, first->value.id);
  command.name = "other";
  EXPECT_THAT(create(user("u1"), command), FailsWith("idempotency_mismatch"));
  ASSERT_TRUE(drop(user("u1"), first->value.id.value.c_str()));
  command.name = "n";
  EXPECT_THAT(create(user("u1"), command), FailsWith("not_found"));
}

TEST_P(MessagingStoreContract, TwoTenantsWithTheSameIdsNeverMeet) {
  for (const char* tenant : {"acme", "other"}) {
    ASSERT_TRUE(see(user("u1", tenant)));
    make_group(user("u1", tenant), "c", {"u2"});
  }
  const Message ours = sent(user("u1"), "c", "ours");
  SendMessage command = keyed("c", "theirs", "k");
  ASSERT_TRUE(send(user("u1"), keyed("c", "ours too", "k")));
  const auto theirs = send(user("u1", "other"), command);
  ASSERT_TRUE(theirs);
  EXPECT_EQ(theirs->value.seq, 1);
  for (const Caller& stranger : {user("u1", "other"), tenant_admin("root", "other"), service("u1", "other")}) {
    EXPECT_THAT(get(stranger, ours), FailsWith("not_found"));
    EXPECT_THAT(edit(stranger, ours, "x"), FailsWith("not_found"));
    EXPECT_THAT(remove(stranger, ours), FailsWith("not_found"));
    EXPECT_THAT(react(stranger, ours, "x"), FailsWith("not_found"));
    EXPECT_THAT(unreact(stranger, ours, "x"), FailsWith("not_found"));
    EXPECT_THAT(versions(stranger, ours), FailsWith("not_found"));
    EXPECT_THAT(replies(stranger, ours), FailsWith("not_found"));
  }
  SendMessage across = keyed("c", "x", "k3");
  across.reply_to = ours.id;
  EXPECT_THAT(send(user("u1", "other"), across), IsInvalid("/reply_to"));
  ListMessages query;
  query.conversation_id = ConversationId("c");
  EXPECT_EQ(page(user("u1", "other"), query)->items.front().content, "theirs");
  EXPECT_THAT(page(user("u1", "other"), query)->items, SizeIs(1));
  EXPECT_THAT(conversations(user("u1", "other"))->items, SizeIs(1));
  EXPECT_THAT(wait(scan().scan_tenants({}, 10, kNoHurry))->items, ElementsAre(TenantId("acme"), TenantId("other")));
}

TEST_P(MessagingStoreContract, APositionIsBoundToItsTenantAndGrowsWithEachWrite) {
  make_group(user("u1"), "c");
  make_group(user("u1", "other"), "c");
  const auto first = send(user("u1"), "c", "1");
  const auto second = send(user("u1"), "c", "2");
  const auto a = log().offset_of(TenantId("acme"), first->position);
  const auto b = log().offset_of(TenantId("acme"), second->position);
  ASSERT_TRUE(a && b);
  EXPECT_LT(*a, *b);
  EXPECT_EQ(*b, *wait(log().head(kNoHurry)));
  EXPECT_FALSE(log().offset_of(TenantId("other"), first->position));
  for (const char* junk : {"", "x", "AAAAAAAAAAAAAAAAAAAAAA", "!!!!!!!!!!!!!!!!!!!!!!"}) {
    EXPECT_FALSE(log().offset_of(TenantId("acme"), junk));
  }
}

TEST_P(MessagingStoreContract, EveryChangeIsOneEventWithADenseNumberAndAStableId) {
  make_group(user("u1"), "c", {"u2"});
  const Message message = sent(user("u1"), "c", "one");
  ASSERT_TRUE(edit(user("u1"), message, "two"));
  ASSERT_TRUE(react(user("u2"), message, "+1"));
  ASSERT_TRUE(read(user("u2"), "c", 1));
  const auto before = all_events();
  EXPECT_THAT(event_types("c"), ElementsAre("conversation.created", "member.added", "member.added", "message.created",
                                            "message.edited", "reaction.added", "read.updated"));
  std::int64_t number = 0;
  std::set<EventId> ids;
  for (const auto& event : before) {
    EXPECT_EQ(event.number, ++number);
    EXPECT_EQ(event.tenant.value, "acme");
    EXPECT_TRUE(ids.insert(event.id).second);
    EXPECT_TRUE(is_uuid(event.id.value));
  }
  EXPECT_NE(before[3].data.find(R"("content":"one")"), std::string::npos) << before[3].data;
  EXPECT_NE(before[3].data.find(R"("version":1)"), std::string::npos);
  EXPECT_EQ(before[3].data.find("edited_at"), std::string::npos);
  EXPECT_NE(before[4].data.find(R"("content":"two")"), std::string::npos);
  EXPECT_EQ(before[3].subject, message.id.value);
  reopen();
  const auto after = all_events();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].id, before[i].id);
    EXPECT_EQ(after[i].offset, before[i].offset);
    EXPECT_EQ(after[i].data, before[i].data);
  }
}

TEST_P(MessagingStoreContract, WhatWasAnsweredIsThereAfterARestart) {
  make_group(user("u1"), "c", {"u2"});
  const Message message = sent(user("u1"), "c", "kept");
  ASSERT_TRUE(react(user("u2"), message, "+1"));
  ASSERT_TRUE(see(user("u1")));
  reopen();
  const auto seen = get(user("u2"), message);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->content, "kept");
  EXPECT_THAT(seen->reactions, SizeIs(1));
  EXPECT_EQ(unread(user("u2"), "c"), 1);
  EXPECT_EQ(sent(user("u1"), "c", "next").seq, 2);
}

TEST_P(MessagingStoreContract, AnImportKeepsAuthorsTimesAndThreadsAndIsDoneOnce) {
  make_imported("log");
  std::vector<ImportedMessage> lines = {line(0, "x1", "irc:a", "one"), line(1, "x2", "irc:b", "two")};
  lines[1].reply_to_external_id = "x1";
  lines[1].reactions = {{"+1", {UserId("irc:a"), UserId("irc:c")}}};
  const auto first = import(service("importer"), "log", lines);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->value.created, 2);
  EXPECT_EQ(first->value.last_seq, 2);
  lines.push_back(line(2, "x3", "irc:a", "three"));
  lines.push_back(line(3, "x3", "irc:a", "the same line again"));
  lines[2].reply_to_external_id = "x2";
  const auto second = import(service("importer"), "log", lines);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->value.created, 1);
  EXPECT_EQ(second->value.existing, 3);
  EXPECT_FALSE(import(service("importer"), "log", lines)->changed);

  ListMessages query;
  query.conversation_id = ConversationId("log");
  query.order = SeqOrder::kOldestFirst;
  const auto seen = page(service("importer"), query)->items;
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_EQ(seen[0].sender_id.value, "irc:a");
  EXPECT_EQ(seen[0].created_at, lines[0].created_at);
  EXPECT_TRUE(seen[0].imported);
  EXPECT_EQ(seen[0].reply_count, 2);
  EXPECT_EQ(seen[1].thread_root, seen[0].id);
  EXPECT_EQ(seen[1].reactions.front().count, 2);
  EXPECT_EQ(seen[2].reply_to, seen[1].id);
  EXPECT_EQ(conversation(service("importer"), "log")->last_activity_at, lines[2].created_at);
  EXPECT_EQ(unread(service("importer"), "log"), 3);
}

TEST_P(MessagingStoreContract, ABadLineKeepsTheWholeBatchOut) {
  make_imported("log");
  ASSERT_TRUE(see(user("irc:known")));
  auto bad_author = line(7, "x2", "irc:known", "two");
  EXPECT_THAT(import(service("importer"), "log", {line(0, "x1", "irc:a", "one"), bad_author}), IsInvalid("/7/author"));
  auto bad_reply = line(5, "x2", "irc:a", "two");
  bad_reply.reply_to_external_id = "x2";
  EXPECT_THAT(import(service("importer"), "log", {line(0, "x1", "irc:a", "one"), bad_reply}),
              IsInvalid("/5/reply_to_external_id"));
  EXPECT_EQ(conversation(service("importer"), "log")->last_seq, 0);
}

TEST_P(MessagingStoreContract, ImportingIsForAdminsAndServicesWhoRunTheConversation) {
  CreateConversation command;
  command.imported = true;
  EXPECT_THAT(create(user("u1"), command), FailsWith("forbidden"));
  make_imported("log");
  make_group(service("importer"), "plain");
  ASSERT_TRUE(add(service("importer"), "log", "u1", MemberRole::kOwner));
  ASSERT_TRUE(add(service("importer"), "log", "u2"));
  const std::vector lines = {line(0, "x1", "irc:a", "one")};
  EXPECT_THAT(import(user("u1"), "log", lines), FailsWith("forbidden"));
  EXPECT_THAT(import(service("u2"), "log", lines), FailsWith("forbidden"));
  EXPECT_THAT(import(tenant_admin("root"), "log", lines), FailsWith("not_found"));
  EXPECT_THAT(import(service("importer"), "plain", lines), FailsWith("conversation_not_imported"));
  EXPECT_THAT(import(service("importer"), "unknown", lines), FailsWith("not_found"));
  EXPECT_TRUE(import(tenant_admin("u1"), "log", lines));
}

TEST_P(MessagingStoreContract, AScanReadsEverythingOfATenantInPages) {
  make_group(user("u1"), "a", {"u2"});
  make_group(user("u1"), "b");
  make_direct(user("u1"), "u2");
  make_group(user("u1", "other"), "c");
  ASSERT_TRUE(see(user("u1")));
  ASSERT_TRUE(see(user("u2")));
  for (int i = 0; i < 5; ++i) sent(user("u1"), "a", std::to_string(i));
  ASSERT_TRUE(drop(user("u1"), "b"));
  const TenantId acme("acme");
  const auto first = wait(scan().scan_conversations(acme, {}, 1, kNoHurry));
  ASSERT_THAT(first->items, SizeIs(1));
  EXPECT_TRUE(first->has_more);
  const auto rest = wait(scan().scan_conversations(acme, first->items[0].conversation.id, 10, kNoHurry));
  EXPECT_THAT(rest->items, SizeIs(1));
  EXPECT_FALSE(rest->has_more);
  const auto messages = wait(scan().scan_messages(acme, ConversationId("a"), 2, 2, kNoHurry));
  EXPECT_THAT(seqs_of(messages->items), ElementsAre(3, 4));
  EXPECT_TRUE(messages->has_more);
  EXPECT_THAT(wait(scan().scan_messages(acme, ConversationId("c"), 0, 2, kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(wait(scan().scan_users(acme, UserId("u1"), 10, kNoHurry))->items, SizeIs(1));
  EXPECT_THAT(wait(scan().scan_tenants(TenantId("acme"), 10, kNoHurry))->items, ElementsAre(TenantId("other")));
  EXPECT_THAT(wait(scan().scan_tenants(TenantId("other"), 10, kNoHurry))->items, IsEmpty());
}

TEST_P(MessagingStoreContract, ManyWritersAtOnceGetDenseSeqs) {
  make_group(user("u1"), "c", {"u2"});
  constexpr int kEach = 50;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<Seq> seqs;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        SendMessage command;
        command.conversation_id = ConversationId("c");
        command.content = std::to_string(t) + "/" + std::to_string(i);
        auto result = wait(store().send_message(user(t % 2 ? "u1" : "u2"), std::move(command), kNoHurry), t % 2);
        ASSERT_TRUE(result);
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(seqs.insert(result->value.seq).second);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seqs.size(), 8u * kEach);
  EXPECT_EQ(*seqs.rbegin(), 8 * kEach);
  EXPECT_EQ(unread(user("u1"), "c"), 4 * kEach);
}

TEST_P(MessagingStoreContract, ARaceForOneKeyMakesOneMessage) {
  make_group(user("u1"), "c");
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::string> ids;
  int made = 0;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        auto result = wait(
            store().send_message(user("u1"), keyed("c", "same", ("k" + std::to_string(i)).c_str()), kNoHurry), t % 2);
        ASSERT_TRUE(result);
        const std::lock_guard lock(mutex);
        ids.insert(result->value.id.value);
        made += result->changed ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ids.size(), 20u);
  EXPECT_EQ(made, 20);
  EXPECT_EQ(conversation(user("u1"), "c")->last_seq, 20);
}

TEST_P(MessagingStoreContract, ARaceForOneDirectConversationMakesOne) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::string> ids;
  for (std::size_t t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      CreateConversation command;
      command.kind = ConversationKind::kDirect;
      command.members = {UserId(t % 2 ? "u1" : "u2")};
      auto result = wait(store().create_conversation(user(t % 2 ? "u2" : "u1"), std::move(command), kNoHurry), t % 2);
      ASSERT_TRUE(result);
      const std::lock_guard lock(mutex);
      ids.insert(result->value.id.value);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ids.size(), 1u);
}

TEST_P(MessagingStoreContract, RandomTalkKeepsEveryCounterRight) {
  SeededRandom dice(20261124);
  const std::vector<const char*> people = {"u1", "u2", "u3"};
  make_group(user("u1"), "c", {"u2", "u3"});
  std::vector<Message> messages;
  for (int step = 0; step < 300; ++step) {
    const Caller who = user(people[dice.below(people.size())]);
    const auto pick = [&]() -> const Message& { return messages[dice.below(messages.size())]; };
    switch (messages.empty() ? 0 : dice.below(9)) {
      case 0:
      case 1:
      case 2:
        if (auto result = send(who, "c", "m"); result) messages.push_back(result->value);
        break;
      case 3: {
        SendMessage reply;
        reply.conversation_id = ConversationId("c");
        reply.content = "r";
        reply.reply_to = pick().id;
        if (auto result = send(who, reply); result) messages.push_back(result->value);
        break;
      }
      case 4:
        (void)remove(who, pick());
        break;
      case 5:
        (void)read(who, "c", static_cast<Seq>(1 + dice.below(messages.size())));
        break;
      case 6:
        (void)react(who, pick(), dice.below(2) ? "+1" : "-1");
        break;
      case 7:
        (void)unreact(who, pick(), dice.below(2) ? "+1" : "-1");
        break;
      case 8:
        if (dice.below(2)) {
          (void)leave(user("u1"), "c", "u3");
        } else {
          (void)add(user("u1"), "c", "u3");
        }
        break;
    }
  }
  // The fixture asks the store for its problems when the test ends.
}

}  // namespace parley::messaging::testing
