// Holds the events' data to the schemas of api/events: every required field is there, and none that is not listed.
#include "messaging/event_data.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

namespace parley::messaging {
namespace {

boost::json::object schema_of(const std::string& type) {
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/api/events/" + type + ".json");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  return boost::json::parse(text).at("properties").at("data").as_object();
}

void expect_fits(const std::string& type, const std::string& data) {
  const auto schema = schema_of(type);
  const auto object = boost::json::parse(data).as_object();
  for (const auto& name : schema.at("required").as_array()) {
    EXPECT_TRUE(object.contains(name.as_string())) << type << " lacks " << name;
  }
  for (const auto& field : object) {
    EXPECT_TRUE(schema.at("properties").as_object().contains(field.key())) << type << " has " << field.key();
  }
}

TEST(EventData, FitsTheSchemas) {
  const ConversationId conversation("c");
  const UserId user("u \"quoted\"");
  const WallTime now(std::chrono::milliseconds(1'700'000'000'123));
  Message message;
  message.id = MessageId("m");
  message.conversation_id = conversation;
  message.seq = 7;
  message.sender_id = user;
  message.content = "line\nquote\" \xE6\xBC\xA2";
  message.attachments = {FileId("f")};
  message.files = {{FileId("f"), "plan \"b\".pdf", 5'000'000'000, "application/pdf"}};
  message.mentions = {user, UserId("u2")};
  message.metadata = R"({"a":1})";
  message.client_message_id = "k";
  message.reply_to = MessageId("r");
  message.imported = true;
  expect_fits(kMessageCreated, message_data(message));
  expect_fits(kMessageFilesChanged, message_data(message));
  message.edited_at = now;
  expect_fits(kMessageEdited, message_data(message));
  expect_fits(kMessageFilesChanged, message_data(message));
  EXPECT_EQ(boost::json::parse(message_data(message)).at("content").as_string(), *message.content);
  EXPECT_EQ(boost::json::serialize(boost::json::parse(message_data(message)).at("files")),
            R"([{"id":"f","filename":"plan \"b\".pdf","size":5000000000,"content_type":"application/pdf"}])");
  message.deleted_at = now;
  expect_fits(kMessageDeleted, message_deleted_data(message, user));
  expect_fits(kReactionAdded, reaction_data(message.id, conversation, 7, {user, "+1", 1, 1}));
  expect_fits(kReactionRemoved, reaction_data(message.id, conversation, 7, {user, "+1", 0, 0}));
  expect_fits(kConversationCreated, conversation_data({}));
  expect_fits(kConversationUpdated, conversation_data({}));
  expect_fits(kConversationDeleted, conversation_deleted_data(conversation, now, user));
  expect_fits(kMemberAdded, member_added_data(conversation, user, MemberRole::kOwner, now, user));
  expect_fits(kMemberRemoved, member_removed_data(conversation, user, now, user));
  expect_fits(kMemberRoleChanged, member_role_data(conversation, user, MemberRole::kOwner, MemberRole::kMember, user));
  expect_fits(kReadUpdated, read_data(conversation, user, 7));
  expect_fits(kUserUpdated, user_data({}));
}

TEST(EventData, ATombstoneSaysNothing) {
  Message message;
  message.sender_id = UserId("u");
  const auto data = boost::json::parse(message_data(message)).as_object();
  EXPECT_EQ(data.at("content").as_string(), "");
  EXPECT_FALSE(data.contains("client_message_id"));
}

}  // namespace
}  // namespace parley::messaging
