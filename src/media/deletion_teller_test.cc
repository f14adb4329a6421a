#include "media/deletion_teller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::media {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FakeMessaging final : public http::Upstream {
 public:
  std::string_view name() const override { return "messaging"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    target = request.target;
    authorization = request.fields.find("Authorization").value_or("");
    auto body = co_await http::read_all(*request.body, 65'536);
    if (error) co_return fail(*error);
    if (status == 200) told.push_back(body.value_or(""));
    co_return http::json_response(status, R"({"messages":1})");
  }
  int status = 200;
  std::optional<Error> error;
  std::string target, authorization;
  std::vector<std::string> told;
};

class DeletionTellerTest : public ::testing::Test {
 protected:
  events::Event event(std::string type, std::string file, const char* tenant = "acme") {
    return {.offset = {++offset_},
            .id = EventId("e" + std::to_string(offset_)),
            .type = std::move(type),
            .tenant = TenantId(tenant),
            .scope = events::EventScope::kUser,
            .key = "ada",
            .number = offset_,
            .time = {},
            .subject = std::move(file),
            .data = "{}"};
  }
  Result<> deliver(std::vector<events::Event> events) {
    return loop_.run(teller_.deliver(std::move(events), SteadyTime::max()));
  }

  std::int64_t offset_ = 0;
  const std::shared_ptr<FakeMessaging> messaging_ = std::make_shared<FakeMessaging>();
  DeletionTeller teller_{messaging_, [] { return std::string("Bearer internal"); }};
  http::testing::LoopThread loop_;
};

TEST_F(DeletionTellerTest, TellsDeletionsByTenantAndNothingElse) {
  ASSERT_TRUE(deliver({event("file.uploaded", "f1"), event("file.deleted", "f2"), event("file.deleted", "f3", "globex"),
                       event("file.deleted", "f4"), event("file.scanned", "f5")}));
  EXPECT_EQ(messaging_->target, "/internal/deleted-files");
  EXPECT_EQ(messaging_->authorization, "Bearer internal");
  EXPECT_THAT(messaging_->told,
              ElementsAre(R"({"tenant":"acme","files":["f2","f4"]})", R"({"tenant":"globex","files":["f3"]})"));
}

TEST_F(DeletionTellerTest, AsksNobodyWhereNothingWasDeleted) {
  messaging_->error = Error{ErrorKind::kUnavailable, "unavailable", "x", {}, {}};
  EXPECT_TRUE(deliver({}));
  EXPECT_TRUE(deliver({event("file.uploaded", "f1")}));
}

TEST_F(DeletionTellerTest, ALongListIsToldInPieces) {
  std::vector<events::Event> events;
  for (std::size_t i = 0; i < 2 * DeletionTeller::kToldAtOnce + 1; ++i) {
    events.push_back(event("file.deleted", "f" + std::to_string(i)));
  }
  ASSERT_TRUE(deliver(std::move(events)));
  EXPECT_THAT(messaging_->told, SizeIs(3));
}

TEST_F(DeletionTellerTest, WhatIsNotTakenComesAgain) {
  for (const int status : {401, 404, 429, 500, 503, 504}) {
    messaging_->status = status;
    EXPECT_FALSE(deliver({event("file.deleted", "f1")})) << status;
  }
  messaging_->error = Error{ErrorKind::kTimeout, "deadline_exceeded", "x", {}, {}};
  EXPECT_FALSE(deliver({event("file.deleted", "f1")}));
  EXPECT_THAT(messaging_->told, IsEmpty());
}

TEST_F(DeletionTellerTest, WhatCannotBeTakenIsPassedOver) {
  messaging_->status = 400;
  EXPECT_TRUE(deliver({event("file.deleted", "f1")}));
}

}  // namespace
}  // namespace parley::media
