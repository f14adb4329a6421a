#include "search/event_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <sstream>

namespace parley::search {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMessage =
    R"({"id":"m1","conversation_id":"c1","seq":7,"sender_id":"u1","type":"text","content":"hello","attachments":["f1","f2"],)"
    R"("files":[{"id":"f1","filename":"plan.pdf","size":12,"content_type":"application/pdf"}],)"
    R"("reply_to":null,"thread_root":null,"mentions":["u2","u3"],"metadata":{},"created_at":"2026-11-24T08:00:00.250Z",)"
    R"("version":1})";

events::Event event(std::string type, std::string data, events::EventScope scope = events::EventScope::kConversation) {
  return {.offset = {41},
          .id = EventId("e1"),
          .type = std::move(type),
          .tenant = TenantId("acme"),
          .scope = scope,
          .key = "c1",
          .number = 12,
          .time = {},
          .subject = "m1",
          .data = std::move(data)};
}

IndexChange change(const events::Event& from) {
  auto mapped = change_of_event(from);
  EXPECT_TRUE(mapped) << mapped.error().detail;
  EXPECT_TRUE(mapped->has_value());
  return std::move(**mapped);
}

std::string fault(const events::Event& from) {
  const auto mapped = change_of_event(from);
  EXPECT_FALSE(mapped);
  if (mapped) return {};
  EXPECT_EQ(mapped.error().kind, ErrorKind::kInvalid);
  return mapped.error().detail;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(EventMapping, AMessageIsTakenWithWhatFindsIt) {
  for (const char* type : {"message.created", "message.edited", "message.files_changed"}) {
    const IndexChange made = change(event(type, kMessage));
    EXPECT_EQ(made.tenant, TenantId("acme"));
    EXPECT_EQ(made.conversation, ConversationId("c1"));
    EXPECT_EQ(made.number, 12);
    const auto& message = std::get<MessageWritten>(made.what);
    EXPECT_EQ(message.id, MessageId("m1"));
    EXPECT_EQ(message.seq, 7);
    EXPECT_EQ(message.sender, UserId("u1"));
    EXPECT_EQ(message.content, "hello");
    EXPECT_THAT(message.mentions, ElementsAre(UserId("u2"), UserId("u3")));
    EXPECT_TRUE(message.has_file);
    EXPECT_THAT(message.file_names, ElementsAre("plan.pdf"));
    EXPECT_EQ(message.has_reaction, std::nullopt) << "the event does not tell";
    EXPECT_EQ(message.created_at.time_since_epoch().count() % 1000, 250);
  }
}

TEST(EventMapping, EachExampleOfTheContractIsUnderstood) {
  std::size_t meant = 0;
  for (const auto& file : std::filesystem::directory_iterator(PARLEY_SOURCE_DIR "/api/events")) {
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const auto schema = boost::json::parse(text.str()).as_object();
    for (const auto& value : schema.at("examples").as_array()) {
      const auto& example = value.as_object();
      const bool of_user = example.contains("userid");
      events::Event made = event(std::string(example.at("type").as_string()), serialize(example.at("data")),
                                 of_user ? events::EventScope::kUser : events::EventScope::kConversation);
      made.number = example.at("eventnumber").as_int64();
      const auto mapped = change_of_event(made);
      EXPECT_TRUE(mapped) << made.type << ": " << mapped.error().detail;
      meant += mapped && mapped->has_value();
    }
  }
  EXPECT_GE(meant, 9u);
}

TEST(EventMapping, RemovalsReactionsConversationsAndPeopleAreTheirOwnKinds) {
  EXPECT_EQ(std::get<MessageRemoved>(change(event("message.deleted", R"({"id":"m1"})")).what).id, MessageId("m1"));
  const auto some =
      std::get<ReactionsChanged>(change(event("reaction.added", R"({"message_id":"m1","total":2})")).what);
  EXPECT_TRUE(some.any && some.id == MessageId("m1"));
  EXPECT_FALSE(
      std::get<ReactionsChanged>(change(event("reaction.removed", R"({"message_id":"m1","total":0})")).what).any);
  const auto conversation = std::get<ConversationWritten>(
      change(event("conversation.updated", R"({"id":"c1","type":"direct","name":null,"topic":"x","archived":true})"))
          .what);
  EXPECT_TRUE(conversation.direct && conversation.archived && !conversation.name && conversation.topic == "x");
  EXPECT_TRUE(std::holds_alternative<ConversationErased>(change(event("conversation.deleted", R"({"id":"c1"})")).what));
  const IndexChange user = change(event("user.updated", R"({"id":"u1","name":null})", events::EventScope::kUser));
  EXPECT_TRUE(user.conversation.empty());
  EXPECT_EQ(std::get<UserWritten>(user.what).user, UserId("u1"));
}

TEST(EventMapping, WhatTheIndexDoesNotHoldMeansNothing) {
  for (const char* type : {"member.added", "member.removed", "member.role_changed", "read.updated", "file.scanned"}) {
    const auto mapped = change_of_event(event(type, "not even JSON"));
    ASSERT_TRUE(mapped) << type;
    EXPECT_FALSE(mapped->has_value()) << type;
  }
}

TEST(EventMapping, DataThatIsNotAsDescribedIsAFaultThatNamesTheField) {
  const std::pair<const char*, const char*> broken[] = {
      {R"("id":"m1")", R"("id":7)"},
      {R"("id":"m1")", R"("id":"")"},
      {R"("seq":7)", R"("seq":"7")"},
      {R"("seq":7)", R"("seq":7.5)"},
      {R"("sender_id":"u1")", R"("sender_id":"a\nb")"},
      {R"("content":"hello")", R"("content":null)"},
      {R"("content":"hello")", R"("text":"hello")"},
      {R"("files":[)", R"("files":"x","more":[)"},
      {R"("files":[)", R"("file":[)"},
      {R"("files":[)", R"("files":["f1",)"},
      {R"("files":[)", R"("files":[{"id":"f2"},)"},
      {R"("files":[)", R"("files":[{"filename":null},)"},
      {R"("mentions":["u2","u3"])", R"("mentions":["u2",3])"},
      {R"("created_at":"2026-11-24T08:00:00.250Z")", R"("created_at":"yesterday")"},
  };
  for (const auto& [what, by] : broken) {
    const std::string reason = fault(event("message.created", replaced(kMessage, what, by)));
    const std::string name = std::string(what).substr(1, std::string(what).find('"', 1) - 1);
    EXPECT_THAT(reason, HasSubstr("data: " + name)) << by;
    EXPECT_THAT(reason, Not(HasSubstr("hello")));
  }
}

TEST(EventMapping, AMessageWhoseFilesAreAllDeletedHasNone) {
  const std::string files = R"([{"id":"f1","filename":"plan.pdf","size":12,"content_type":"application/pdf"}])";
  const auto made = change(event("message.files_changed", replaced(kMessage, files, "[]")));
  EXPECT_FALSE(std::get<MessageWritten>(made.what).has_file);
}

TEST(EventMapping, DataThatIsNoObjectIsAFault) {
  for (const char* data : {"", "{", "[]", "null", "\"x\"", "{\"id\":\"\xff\"}"}) {
    EXPECT_EQ(fault(event("message.deleted", data)), "the data is no JSON object") << data;
  }
}

TEST(EventMapping, AnEventWithoutNumberOrKeyOrOfTheWrongScopeIsAFault) {
  events::Event odd = event("message.deleted", R"({"id":"m1"})");
  odd.number = 0;
  EXPECT_THAT(fault(odd), HasSubstr("number"));
  odd.number = 1;
  odd.key.clear();
  EXPECT_THAT(fault(odd), HasSubstr("key"));
  EXPECT_THAT(fault(event("user.updated", R"({"id":"u1","name":"Ada"})")), HasSubstr("another kind"));
  EXPECT_THAT(fault(event("message.deleted", R"({"id":"m1"})", events::EventScope::kUser)), HasSubstr("another kind"));
}

TEST(EventMapping, ATombstoneOfTheStoreIsARemovalAndALiveMessageHasItsReactions) {
  auto stored = boost::json::parse(kMessage).as_object();
  stored["reactions"] = boost::json::array{boost::json::object{{"reaction", "x"}}};
  stored["deleted_at"] = nullptr;
  EXPECT_EQ(std::get<MessageWritten>(stored_message(stored).value()).has_reaction, true);
  stored["reactions"] = boost::json::array{};
  EXPECT_EQ(std::get<MessageWritten>(stored_message(stored).value()).has_reaction, false);
  stored["deleted_at"] = "2026-11-24T08:00:00.250Z";
  stored["content"] = nullptr;
  EXPECT_EQ(std::get<MessageRemoved>(stored_message(stored).value()).id, MessageId("m1"));
  stored.erase("deleted_at");
  EXPECT_EQ(stored_message(stored).error(), "content is no text");
}

}  // namespace
}  // namespace parley::search
