// The contract of what messages attach: a file is readable through messages for as long as one that lives shows it.
#include <algorithm>
#include <boost/json.hpp>

#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging::testing {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

const FileId kPlan("0198c5a2-7f00-7000-8000-0000000000f1");
const FileId kPhoto("0198c5a2-7f00-7000-8000-0000000000f2");

}  // namespace

TEST_P(MessagingStoreContract, AMessageHasItsAttachmentsInTheirOrderAndMayHaveNoText) {
  make_group(user("u1"), "a", {"u2"});
  const Message message = attached(user("u1"), "a", {kPlan, kPhoto}, "");
  EXPECT_THAT(message.attachments, ElementsAre(kPlan, kPhoto));
  const auto read = get(user("u2"), message);
  ASSERT_TRUE(read);
  EXPECT_THAT(read->attachments, ElementsAre(kPlan, kPhoto));
  EXPECT_EQ(read->content, "");
  const auto edited = edit(user("u1"), message, "with a word");
  ASSERT_TRUE(edited);
  EXPECT_THAT(edited->value.attachments, ElementsAre(kPlan, kPhoto));
  EXPECT_TRUE(edit(user("u1"), message, ""));
  ASSERT_TRUE(remove(user("u1"), message));
  EXPECT_THAT(get(user("u2"), message)->attachments, IsEmpty());
}

TEST_P(MessagingStoreContract, AnAttachedFileIsReadableByThePresentMembersAlone) {
  make_group(user("u1"), "a", {"u2"});
  make_group(user("u3"), "b");
  EXPECT_FALSE(readable(user("u1"), kPlan));
  attached(user("u1"), "a", {kPhoto, kPlan});
  for (const char* member : {"u1", "u2"}) {
    EXPECT_TRUE(readable(user(member), kPlan));
    EXPECT_TRUE(readable(user(member), kPhoto));
    EXPECT_FALSE(readable(user(member), FileId("0198c5a2-7f00-7000-8000-0000000000f3")));
    EXPECT_FALSE(readable(user(member, "other"), kPlan));
  }
  for (const Caller& stranger : {user("u3"), tenant_admin("root"), service("robot"), user("")}) {
    EXPECT_FALSE(readable(stranger, kPlan));
  }
  ASSERT_TRUE(leave(user("u2"), "a", "u2"));
  EXPECT_FALSE(readable(user("u2"), kPlan));
  ASSERT_TRUE(add(user("u1"), "a", "u2"));
  EXPECT_TRUE(readable(user("u2"), kPlan));
  EXPECT_FALSE(readable(user("u1"), FileId("")));
  EXPECT_FALSE(readable(user("u1"), FileId("' OR 1 --")));
}

TEST_P(MessagingStoreContract, OneLiveMessageOfOneSharedConversationIsEnough) {
  make_group(user("u1"), "a");
  make_group(user("u1"), "b", {"u2"});
  make_group(user("u1"), "c", {"u2"});
  for (int i = 0; i < 5; ++i) attached(user("u1"), "a", {kPlan});
  const Message first = attached(user("u1"), "b", {kPlan});
  const Message second = attached(user("u1"), "c", {kPlan});
  const Message third = attached(user("u1"), "c", {kPlan});
  ASSERT_TRUE(remove(user("u1"), first));
  EXPECT_TRUE(readable(user("u2"), kPlan));
  ASSERT_TRUE(remove(user("u1"), second));
  EXPECT_TRUE(readable(user("u2"), kPlan));
  ASSERT_TRUE(remove(user("u1"), third));
  EXPECT_FALSE(readable(user("u2"), kPlan));
  EXPECT_TRUE(readable(user("u1"), kPlan));
  ASSERT_TRUE(drop(user("u1"), "a"));
  EXPECT_FALSE(readable(user("u1"), kPlan));
  attached(user("u2"), "c", {kPlan});
  EXPECT_TRUE(readable(user("u1"), kPlan));
}

TEST_P(MessagingStoreContract, WhatIsAttachedIsSoAfterARestart) {
  make_group(user("u1"), "a", {"u2"});
  attached(user("u1"), "a", {kPlan});
  reopen();
  EXPECT_TRUE(readable(user("u2"), kPlan));
  EXPECT_FALSE(readable(user("u2"), kPhoto));
}

TEST_P(MessagingStoreContract, EventsAndScansTellWhatIsKnownOfTheFilesWhileTheMessageLives) {
  make_group(user("u1"), "a");
  SendMessage command = with_files("a", {kPlan, kPhoto}, "look");
  command.files = {{kPhoto, "photo.png", 7, "image/png"}, {FileId("another"), "x", 1, "text/plain"}};
  const auto sent = send(user("u1"), command);
  ASSERT_TRUE(sent);
  ASSERT_TRUE(edit(user("u1"), sent->value, "look here"));
  const auto files_told = [this] {
    std::vector<std::string> told;
    for (const auto& event : all_events()) {
      if (event.type != "message.created" && event.type != "message.edited") continue;
      told.push_back(boost::json::serialize(boost::json::parse(event.data).at("files")));
    }
    const auto page = wait(scan().scan_messages(TenantId("acme"), ConversationId("a"), 0, 10, kNoHurry));
    for (const auto& message : page->items) {
      for (const auto& file : message.files) told.push_back(file.filename);
    }
    return told;
  };
  const std::string photo =
      R"([{"id":")" + kPhoto.value + R"(","filename":"photo.png","size":7,"content_type":"image/png"}])";
  EXPECT_THAT(files_told(), ElementsAre(photo, photo, "photo.png"));
  ASSERT_TRUE(remove(user("u1"), sent->value));
  EXPECT_THAT(files_told(), ElementsAre("[]", "[]"));
}

TEST_P(MessagingStoreContract, NoEventTellsOfTheFilesOfADeletedConversation) {
  make_group(user("u1"), "a");
  attached(user("u1"), "a", {kPlan});
  ASSERT_TRUE(drop(user("u1"), "a"));
  for (const auto& event : all_events()) EXPECT_THAT(event.data, ::testing::Not(HasSubstr("name of")));
}

TEST_P(MessagingStoreContract, NothingIsKnownOfADeletedFileAndEachMessageHasAnEventOfIt) {
  make_group(user("u1"), "a");
  make_group(user("u1"), "b");
  const Message first = attached(user("u1"), "a", {kPlan, kPhoto});
  const Message second = attached(user("u1"), "b", {kPlan});
  const Message other = attached(user("u1"), "b", {kPhoto});
  ASSERT_TRUE(edit(user("u1"), first, "edited"));
  EXPECT_EQ(forget({kPlan}), 2);
  EXPECT_THAT(event_types("a"), ElementsAre("conversation.created", "member.added", "message.created", "message.edited",
                                            "message.files_changed"));
  EXPECT_THAT(event_types("b"), ElementsAre("conversation.created", "member.added", "message.created",
                                            "message.created", "message.files_changed"));
  for (const auto& event : all_events()) EXPECT_THAT(event.data, ::testing::Not(HasSubstr("name of " + kPlan.value)));
  const auto told = all_events();
  const auto change = std::ranges::find_if(
      told, [](const auto& event) { return event.type == "message.files_changed" && event.key == "a"; });
  ASSERT_NE(change, told.end());
  EXPECT_EQ(change->subject, first.id.value);
  const auto data = boost::json::parse(change->data);
  EXPECT_EQ(data.at("content"), "edited");
  EXPECT_EQ(data.at("version"), 2);
  EXPECT_EQ(data.at("attachments").as_array().size(), 2u);
  EXPECT_THAT(change->data, HasSubstr("name of " + kPhoto.value));

  EXPECT_THAT(get(user("u1"), first)->attachments, ElementsAre(kPlan, kPhoto));
  EXPECT_EQ(get(user("u1"), first)->version, 2);
  const auto page = wait(scan().scan_messages(TenantId("acme"), ConversationId("b"), 0, 10, kNoHurry));
  EXPECT_THAT(page->items[0].files, IsEmpty());
  EXPECT_THAT(page->items[1].files, ::testing::SizeIs(1));
  EXPECT_EQ(forget({kPlan}), 0) << "told again";
  EXPECT_EQ(all_events().size(), told.size());
}

TEST_P(MessagingStoreContract, ADeletedFileIsForgottenInVeryManyMessages) {
  make_group(user("u1"), "a");
  for (int i = 0; i < 205; ++i) attached(user("u1"), "a", {kPlan});
  EXPECT_EQ(forget({kPhoto, kPlan}), 205);
  EXPECT_EQ(forget({kPlan}), 0);
}

TEST_P(MessagingStoreContract, ADeletedFileIsAttachedNoMore) {
  make_group(user("u1"), "a");
  make_group(user("u1", "other"), "a");
  SendMessage before = with_files("a", {kPlan}, "look");
  before.idempotency_key = "k";
  ASSERT_TRUE(send(user("u1"), before)->changed);
  EXPECT_EQ(forget({kPlan}), 1);
  EXPECT_THAT(send(user("u1"), with_files("a", {kPhoto, kPlan}, "late")), IsInvalid("/attachments/1"));
  EXPECT_FALSE(send(user("u1"), before)->changed) << "what was sent is answered";
  SendMessage refused = with_files("a", {kPhoto, kPlan}, "late");
  refused.only_replay = true;
  EXPECT_THAT(send(user("u1"), refused), FailsWith("rate_limited"))
      << "why it is refused, whoever asks for replays knows";
  reopen();
  EXPECT_THAT(send(user("u1"), with_files("a", {kPlan}, "late")), IsInvalid("/attachments/0"));
  attached(user("u1"), "a", {kPhoto});
  attached(user("u1", "other"), "a", {kPlan});
}

TEST_P(MessagingStoreContract, OneTenantsDeletionsTouchNoOthers) {
  make_group(user("u1"), "a");
  attached(user("u1"), "a", {kPlan});
  EXPECT_EQ(forget({kPlan}, "other"), 0);
  const auto page = wait(scan().scan_messages(TenantId("acme"), ConversationId("a"), 0, 10, kNoHurry));
  EXPECT_THAT(page->items[0].files, ::testing::SizeIs(1));
}

TEST_P(MessagingStoreContract, AFileOfADeletedMessageOrConversationIsForgottenWithoutAnEvent) {
  make_group(user("u1"), "a");
  make_group(user("u1"), "b");
  ASSERT_TRUE(remove(user("u1"), attached(user("u1"), "a", {kPlan})));
  attached(user("u1"), "b", {kPlan});
  ASSERT_TRUE(drop(user("u1"), "b"));
  const std::size_t before = all_events().size();
  forget({kPlan});
  EXPECT_EQ(all_events().size(), before);
}

TEST_P(MessagingStoreContract, AReplayWithAttachmentsAttachesNothingTwice) {
  make_group(user("u1"), "a");
  SendMessage command = with_files("a", {kPlan, kPhoto}, "look");
  command.idempotency_key = "k";
  const auto first = send(user("u1"), command);
  ASSERT_TRUE(first);
  command.files.clear();  // media knows them no more
  const auto again = send(user("u1"), command);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->value.id, first->value.id);
  EXPECT_THAT(again->value.attachments, ElementsAre(kPlan, kPhoto));
  command.attachments = {kPhoto, kPlan};
  EXPECT_THAT(send(user("u1"), command), FailsWith("idempotency_mismatch"));
}

}  // namespace parley::messaging::testing
