#include "search/upstream_event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/run_on_loop.h"

namespace parley::search {
namespace {

class FakeMessaging final : public http::Upstream {
 public:
  std::string_view name() const override { return "messaging"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    asked = std::string(request.target);
    authorization = std::string(request.fields.find("Authorization").value_or(""));
    if (away) co_return unavailable("upstream_unavailable", "away");
    co_return http::json_response(status, body);
  }
  int status = 200;
  std::string body;
  bool away = false;
  std::string asked;
  std::string authorization;
};

class UpstreamEventLogTest : public ::testing::Test {
 protected:
  UpstreamEventLogTest() : loops_(1), log_(messaging_, [] { return std::string("Bearer parley1.x.y"); }) {
    loops_.start();
    messaging_.body = R"({"head":42,"tail":7,"position_secret":")" + std::string(64, 'a') + R"("})";
  }
  ~UpstreamEventLogTest() override { loops_.stop(); }
  auto head() { return run_on_loop(loops_.at(0), log_.head(SteadyTime::max())); }
  auto tail() { return run_on_loop(loops_.at(0), log_.tail(SteadyTime::max())); }

  EventLoops loops_;
  FakeMessaging messaging_;
  UpstreamEventLog log_;
  const TenantId acme_{"acme"};
};

TEST_F(UpstreamEventLogTest, AsksMessagingForTheLogsEnds) {
  EXPECT_EQ(head()->value, 42);
  EXPECT_EQ(tail()->value, 7);
  EXPECT_EQ(messaging_.asked, "/internal/log");
  EXPECT_EQ(messaging_.authorization, "Bearer parley1.x.y");
}

TEST_F(UpstreamEventLogTest, MakesAndReadsThePositionsThatMessagingMakes) {
  EXPECT_EQ(log_.offset_of(acme_, "x"), std::nullopt);
  ASSERT_TRUE(head());
  events::PositionCodec::Secret secret{};
  secret.fill(0xaa);
  const events::PositionCodec codec(secret);
  EXPECT_EQ(log_.position_of(acme_, {9}), codec.encode(acme_, {9}));
  EXPECT_EQ(log_.offset_of(acme_, codec.encode(acme_, {9})), events::LogOffset{9});
  EXPECT_EQ(log_.offset_of(TenantId("other"), codec.encode(acme_, {9})), std::nullopt);
}

TEST_F(UpstreamEventLogTest, FailsWhereMessagingDoes) {
  messaging_.away = true;
  EXPECT_EQ(head().error().kind, ErrorKind::kUnavailable);
  messaging_.away = false;
  messaging_.status = 503;
  EXPECT_EQ(head().error().kind, ErrorKind::kUnavailable);
  messaging_.status = 200;
  for (const char* odd : {"", "[]", R"({"head":1,"tail":0})", R"({"head":-1,"tail":0,"position_secret":"aa"})",
                          R"({"head":1,"tail":0,"position_secret":null})"}) {
    messaging_.body = odd;
    EXPECT_FALSE(head()) << odd;
  }
}

}  // namespace
}  // namespace parley::search
