#include "messaging/limited_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"
#include "messaging/testing/absent_store.h"
#include "messaging/testing/fake_files.h"
#include "rate_limit/memory_rate_limiter.h"

namespace parley::messaging {
namespace {

// Answers every send as it is told to.
class SendStore final : public testing::AbsentStore {
 public:
  Task<Result<Written<Message>>> send_message(Caller, SendMessage command, SteadyTime) override {
    ++asked;
    if (error) co_return fail(*error);
    if (command.only_replay && !replay) co_return fail(ErrorKind::kRateLimited, "rate_limited", "");
    co_return Written<Message>{{}, !replay, "p"};
  }
  int asked = 0;
  bool replay = false;
  std::optional<Error> error;
};

class BrokenLimiter final : public RateLimiter {
 public:
  Task<Result<RateDecision>> take(std::string, RateRule) override { co_return unavailable("unavailable", "away"); }
  Task<Result<RateDecision>> give_back(std::string, RateRule) override { co_return unavailable("unavailable", "away"); }
};

class LimitedSenderTest : public ::testing::Test {
 protected:
  LimitedSender::Outcome send(RateLimiter& limiter, std::optional<std::string> key = {}, TenantRoles roles = {},
                              std::uint32_t limit = 2) {
    LimitedSender sender(AttachingSender(store_, files_), limiter, RateRule{limit}, RateRule{service_limit_});
    auto caller = std::make_shared<const Caller>(Caller{TenantId("t"), UserId("u"), roles, {}, {}});
    SendMessage command;
    command.idempotency_key = std::move(key);
    command.attachments = attachments_;
    return loop_.run(sender.send(caller, std::move(command), {}, SteadyTime::max()));
  }

  std::uint32_t service_limit_ = 0;
  std::vector<FileId> attachments_;
  AttachedFiles* files_ = nullptr;
  ManualClock clock_;
  MemoryRateLimiter limiter_{clock_};
  SendStore store_;
  http::testing::LoopThread loop_;
};

TEST_F(LimitedSenderTest, RefusesBeyondTheLimitWithoutAskingTheStore) {
  EXPECT_EQ(send(limiter_).decision->remaining, 1U);
  EXPECT_EQ(send(limiter_).decision->remaining, 0U);
  const auto refused = send(limiter_);
  EXPECT_EQ(refused.written.error().kind, ErrorKind::kRateLimited);
  EXPECT_TRUE(refused.written.error().retry_after.has_value());
  EXPECT_EQ(store_.asked, 2);
}

TEST_F(LimitedSenderTest, AServiceHasALimitOfItsOwnWhenOneIsSet) {
  const TenantRoles service{.admin = false, .service = true};
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(send(limiter_, {}, service).decision.has_value());
  service_limit_ = 1;
  EXPECT_EQ(send(limiter_, {}, service).decision->remaining, 0U);
  EXPECT_EQ(send(limiter_, {}, service).written.error().code, "rate_limited");
  EXPECT_EQ(send(limiter_).decision->remaining, 1U);
}

TEST_F(LimitedSenderTest, AReplayGivesBackWhatItTookAndPassesAUsedUpLimit) {
  store_.replay = true;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send(limiter_, "k").decision->remaining, 2U);
  store_.replay = false;
  send(limiter_);
  send(limiter_);
  EXPECT_EQ(send(limiter_, "new").written.error().code, "rate_limited");
  EXPECT_TRUE(send(limiter_, "new").written.error().retry_after.has_value());
  store_.replay = true;
  EXPECT_TRUE(send(limiter_, "k").written.has_value());
}

TEST_F(LimitedSenderTest, OurOwnFailuresTakeNothingAndTheCallersDo) {
  for (const ErrorKind kind :
       {ErrorKind::kUnavailable, ErrorKind::kTimeout, ErrorKind::kInternal, ErrorKind::kNoRoom}) {
    store_.error = Error{kind, "x", "x", {}, {}};
    EXPECT_EQ(send(limiter_).decision->remaining, 2U);
  }
  store_.error = Error{ErrorKind::kNotFound, "not_found", "x", {}, {}};
  EXPECT_EQ(send(limiter_).decision->remaining, 1U);
}

TEST_F(LimitedSenderTest, RefusedAttachmentsAreTheCallersFaultAndSilentMediaIsOurs) {
  testing::FakeFiles files;
  files_ = &files;
  attachments_ = {FileId("f1")};
  files.error = Error{ErrorKind::kUnavailable, kFilesUnavailable, "x", {}, {}};
  EXPECT_EQ(send(limiter_).written.error().code, kFilesUnavailable);
  EXPECT_EQ(send(limiter_, "k").decision->remaining, 2U);
  files.error.reset();
  const auto refused = send(limiter_, "k");
  EXPECT_EQ(refused.written.error().code, "validation_failed");
  EXPECT_EQ(refused.decision->remaining, 1U);
}

TEST_F(LimitedSenderTest, AUsedUpLimitAsksNobodyForFiles) {
  testing::FakeFiles files;
  files_ = &files;
  send(limiter_);
  send(limiter_);
  attachments_ = {FileId("f1")};
  EXPECT_EQ(send(limiter_).written.error().code, "rate_limited");
  EXPECT_EQ(send(limiter_, "k").written.error().code, "rate_limited");
  store_.replay = true;
  EXPECT_TRUE(send(limiter_, "k").written.has_value());
  EXPECT_EQ(files.asked, 0);
}

TEST_F(LimitedSenderTest, ServiceTokensALimitOfZeroAndABrokenLimiterDoNotLimit) {
  BrokenLimiter broken;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(send(limiter_, {}, TenantRoles{.service = true}).decision.has_value());
    EXPECT_FALSE(send(limiter_, {}, {}, 0).decision.has_value());
    EXPECT_TRUE(send(broken).written.has_value());
  }
}

}  // namespace
}  // namespace parley::messaging
