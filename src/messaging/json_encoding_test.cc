#include "messaging/json_encoding.h"

#include <gtest/gtest.h>

namespace parley::messaging {
namespace {

WallTime at(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

Message full_message() {
  Message message;
  message.id = MessageId("m1");
  message.conversation_id = ConversationId("c1");
  message.seq = 7;
  message.sender_id = UserId("u\"1");
  message.content = "hé\n👍";
  message.attachments = {FileId("f1")};
  message.reply_to = MessageId("m0");
  message.thread_root = MessageId("m0");
  message.reply_count = 2;
  message.last_reply_at = at(1);
  message.mentions = {UserId("u2"), UserId("u3")};
  message.metadata = R"({"k":1})";
  message.client_message_id = "x";
  message.reactions = {{"👍", 2, {UserId("u1"), UserId("u2")}, true}};
  message.created_at = at(1'700'000'000'123);
  message.edited_at = at(1'700'000'001'000);
  message.version = 2;
  message.imported = true;
  return message;
}

TEST(JsonEncoding, ShowsAMessageWhole) {
  EXPECT_EQ(
      encode(full_message(), Position("p")),
      R"({"id":"m1","conversation_id":"c1","seq":7,"sender_id":"u\"1","content":"hé\n👍","type":"text",)"
      R"("attachments":["f1"],"reply_to":"m0","thread_root":"m0","reply_count":2,"last_reply_at":"1970-01-01T00:00:00.001Z",)"
      R"("mentions":["u2","u3"],"metadata":{"k":1},"client_message_id":"x",)"
      R"("reactions":[{"reaction":"👍","count":2,"users":["u1","u2"],"mine":true}],)"
      R"("created_at":"2023-11-14T22:13:20.123Z","edited_at":"2023-11-14T22:13:21.000Z","deleted_at":null,)"
      R"("version":2,"imported":true,"position":"p"})");
}

TEST(JsonEncoding, LeavesOutOfATombstoneWhatIsGone) {
  Message tombstone;
  tombstone.id = MessageId("m1");
  tombstone.conversation_id = ConversationId("c1");
  tombstone.seq = 1;
  tombstone.sender_id = UserId("u1");
  tombstone.deleted_at = at(0);
  EXPECT_EQ(
      encode(tombstone),
      R"({"id":"m1","conversation_id":"c1","seq":1,"sender_id":"u1","content":null,"type":"text","attachments":[],)"
      R"("reply_to":null,"thread_root":null,"reply_count":0,"mentions":[],"metadata":{},"reactions":[],)"
      R"("created_at":"1970-01-01T00:00:00.000Z","edited_at":null,"deleted_at":"1970-01-01T00:00:00.000Z","version":1})");
}

TEST(JsonEncoding, PutsCursorsBehindTheItems) {
  EXPECT_EQ(encode_list(std::vector<Member>(), {}), R"({"items":[],"next_cursor":null})");
  EXPECT_EQ(encode_list(std::vector<Member>(), {"n", {}, true}),
            R"({"items":[],"next_cursor":"n","prev_cursor":null})");
  const Member member{UserId("u1"), MemberRole::kOwner, "Ada", at(0), 4};
  const Member stranger{UserId("u2"), MemberRole::kMember, {}, at(0), {}};
  EXPECT_EQ(
      encode_list({member, stranger}, {}),
      R"({"items":[{"user_id":"u1","role":"owner","name":"Ada","joined_at":"1970-01-01T00:00:00.000Z","read_seq":4},)"
      R"({"user_id":"u2","role":"member","name":null,"joined_at":"1970-01-01T00:00:00.000Z"}],"next_cursor":null})");
}

TEST(JsonEncoding, ShowsAConversationToAnAdminWhoIsNotInIt) {
  Conversation conversation;
  conversation.id = ConversationId("c1");
  conversation.name = "general";
  conversation.created_by = UserId("u1");
  EXPECT_EQ(
      encode(conversation),
      R"({"id":"c1","type":"group","name":"general","topic":null,"metadata":{},"archived":false,"imported":false,)"
      R"("created_by":"u1","created_at":"1970-01-01T00:00:00.000Z","updated_at":"1970-01-01T00:00:00.000Z","version":1,)"
      R"("member_count":0,"last_seq":0,"last_message":null,"last_activity_at":"1970-01-01T00:00:00.000Z","my_role":null,)"
      R"("read_seq":0,"unread_count":0})");
}

TEST(JsonEncoding, ShowsTheSmallAnswers) {
  EXPECT_EQ(encode(ReadState{ConversationId("c"), UserId("u"), 1, 3, 2}, Position("p")),
            R"({"conversation_id":"c","user_id":"u","read_seq":1,"last_seq":3,"unread_count":2,"position":"p"})");
  EXPECT_EQ(encode(ImportSummary{1, 2, 3}, {}), R"({"created":1,"existing":2,"last_seq":3})");
  EXPECT_EQ(encode(ReactionSummary{"x", 1, {UserId("u")}, true}, MessageId("m"), {}),
            R"({"message_id":"m","reaction":"x","count":1,"users":["u"],"mine":true})");
}

}  // namespace
}  // namespace parley::messaging
