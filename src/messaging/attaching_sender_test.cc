#include "messaging/attaching_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"
#include "messaging/testing/absent_store.h"
#include "messaging/testing/fake_files.h"

namespace parley::messaging {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Keeps what it was asked for; knows one key.
class KeyedStore final : public testing::AbsentStore {
 public:
  Task<Result<Written<Message>>> send_message(Caller, SendMessage command, SteadyTime) override {
    asked.push_back(command);
    if (error) co_return fail(*error);
    const bool replay = known_key && command.idempotency_key == known_key;
    if (command.only_replay && !replay) co_return fail(ErrorKind::kRateLimited, "rate_limited", "");
    co_return Written<Message>{{}, !replay, "p"};
  }
  std::vector<SendMessage> asked;
  std::optional<std::string> known_key;
  std::optional<Error> error;
};

class AttachingSenderTest : public ::testing::Test {
 protected:
  Result<Written<Message>> send(std::vector<const char*> files, std::optional<std::string> key = {},
                                AttachedFiles* media = nullptr) {
    SendMessage command;
    command.idempotency_key = std::move(key);
    for (const char* id : files) command.attachments.emplace_back(id);
    AttachingSender sender(store_, media);
    auto caller = std::make_shared<const Caller>(Caller{TenantId("t"), UserId("u"), {}, {}, {}});
    return loop_.run(sender.send(caller, std::move(command), {}, SteadyTime::max()));
  }

  KeyedStore store_;
  testing::FakeFiles files_;
  http::testing::LoopThread loop_;
};

TEST_F(AttachingSenderTest, AMessageWithoutAttachmentsAsksNobody) {
  files_.error = Error{ErrorKind::kUnavailable, kFilesUnavailable, "x", {}, {}};
  EXPECT_TRUE(send({}, {}, &files_));
  EXPECT_TRUE(send({}));
  EXPECT_EQ(files_.asked, 0);
}

TEST_F(AttachingSenderTest, WhatMediaTellsIsStoredWithTheMessage) {
  files_.of("u", "a", "plan.pdf");
  files_.of("u", "b", "photo.png");
  ASSERT_TRUE(send({"a", "b"}, "k", &files_));
  EXPECT_EQ(files_.asked, 1);
  ASSERT_EQ(store_.asked.size(), 1U);
  EXPECT_FALSE(store_.asked[0].only_replay);
  std::vector<std::string> names;
  for (const auto& file : store_.asked[0].files) names.push_back(file.filename);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("plan.pdf", "photo.png"));
}

TEST_F(AttachingSenderTest, EachFileThatCannotBeReadIsNamedByItsPlace) {
  files_.of("u", "a", "plan.pdf");
  files_.of("other", "c", "secret.txt");
  const auto refused = send({"c", "a", "none", "A"}, {}, &files_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(refused.error().code, "validation_failed");
  std::vector<std::string> paths;
  for (const auto& field : refused.error().fields) paths.push_back(field.path);
  EXPECT_THAT(paths, ElementsAre("/attachments/0", "/attachments/2", "/attachments/3"));
  EXPECT_THAT(store_.asked, IsEmpty());
}

TEST_F(AttachingSenderTest, AReplayIsAnsweredWhateverMediaSays) {
  store_.known_key = "k";
  for (AttachedFiles* media : {static_cast<AttachedFiles*>(nullptr), static_cast<AttachedFiles*>(&files_)}) {
    for (const bool silent : {false, true}) {
      files_.error.reset();
      if (silent) files_.error = Error{ErrorKind::kUnavailable, kFilesUnavailable, "x", {}, {}};
      const auto again = send({"gone"}, "k", media);
      ASSERT_TRUE(again);
      EXPECT_FALSE(again->changed);
      const char* code = media == nullptr ? "attachments_unavailable"
                         : silent         ? kFilesUnavailable
                                          : "validation_failed";
      EXPECT_EQ(send({"gone"}, "new", media).error().code, code);
      EXPECT_EQ(send({"gone"}, {}, media).error().code, code);
    }
  }
  // What the store finds wrong first is told first: that the key was used for something else, say.
  store_.error = Error{ErrorKind::kConflict, "idempotency_mismatch", "x", {}, {}};
  EXPECT_EQ(send({"gone"}, "k", &files_).error().code, "idempotency_mismatch");
}

}  // namespace
}  // namespace parley::messaging
