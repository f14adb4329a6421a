#include "messaging/request_digest.h"

#include <gtest/gtest.h>

#include <set>

namespace parley::messaging {
namespace {

SendMessage message() {
  SendMessage command;
  command.conversation_id = ConversationId("c");
  command.content = "hi";
  return command;
}

TEST(RequestDigest, EveryFieldOfAMessageCounts) {
  std::set<Digest> digests = {request_digest(message())};
  const auto differs = [&](auto change) {
    SendMessage command = message();
    change(command);
    return digests.insert(request_digest(command)).second;
  };
  EXPECT_TRUE(differs([](SendMessage& c) { c.conversation_id = ConversationId("d"); }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.content = "ho"; }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.type = "note"; }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.attachments = {FileId("f")}; }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.reply_to = MessageId("m"); }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.mentions = {UserId("u")}; }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.metadata = R"({"a":1})"; }));
  EXPECT_TRUE(differs([](SendMessage& c) { c.client_message_id = "m"; }));
  EXPECT_FALSE(differs([](SendMessage& c) { c.idempotency_key = "k"; }));
  EXPECT_FALSE(differs([](SendMessage& c) { c.only_replay = true; }));
}

TEST(RequestDigest, EveryFieldOfAConversationCounts) {
  std::set<Digest> digests = {request_digest(CreateConversation{})};
  const auto differs = [&](auto change) {
    CreateConversation command;
    change(command);
    return digests.insert(request_digest(command)).second;
  };
  EXPECT_TRUE(differs([](CreateConversation& c) { c.id = ConversationId("d"); }));
  EXPECT_TRUE(differs([](CreateConversation& c) { c.kind = ConversationKind::kDirect; }));
  EXPECT_TRUE(differs([](CreateConversation& c) { c.name = ""; }));
  EXPECT_TRUE(differs([](CreateConversation& c) { c.topic = ""; }));
  EXPECT_TRUE(differs([](CreateConversation& c) { c.metadata = R"({"a":1})"; }));
  EXPECT_TRUE(differs([](CreateConversation& c) { c.members = {UserId("u")}; }));
  EXPECT_TRUE(differs([](CreateConversation& c) { c.imported = true; }));
}

TEST(RequestDigest, TheOrderOfAnObjectsMembersDoesNotCount) {
  SendMessage a = message();
  SendMessage b = message();
  a.metadata = R"({"x":{"p":1,"q":[1,{"m":1,"n":2}]},"y":2})";
  b.metadata = R"({"y":2,"x":{"q":[1,{"n":2,"m":1}],"p":1}})";
  EXPECT_EQ(request_digest(a), request_digest(b));
  EXPECT_TRUE(same_metadata(a.metadata, b.metadata));
  EXPECT_FALSE(same_metadata(a.metadata, "{}"));
}

TEST(IdempotencyScope, IsOfTenantUserRouteAndKeyWithoutRunningTogether) {
  const auto caller = [](const char* tenant, const char* user) {
    return Caller{.tenant = TenantId(tenant), .user = UserId(user), .roles = {}, .name = {}};
  };
  const std::set<Digest> scopes = {
      idempotency_scope(caller("t", "u"), "r", "k"),  idempotency_scope(caller("tu", ""), "r", "k"),
      idempotency_scope(caller("t", "ur"), "", "k"),  idempotency_scope(caller("t", "u"), "rk", ""),
      idempotency_scope(caller("t2", "u"), "r", "k"), client_message_scope(caller("t", "u"), ConversationId("r"), "k"),
  };
  EXPECT_EQ(scopes.size(), 6u);
}

}  // namespace
}  // namespace parley::messaging
