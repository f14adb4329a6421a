#include "search/store_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/event_loop.h"
#include "base/run_on_loop.h"

namespace parley::search {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Messaging, as far as it answers here: what a test says.
class ScriptedUpstream final : public http::Upstream {
 public:
  std::string_view name() const override { return "messaging"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    asked.emplace_back(request.target);
    authorization = std::string(request.fields.find("Authorization").value_or(""));
    if (away) co_return unavailable("upstream_unavailable", "away");
    co_return http::json_response(status, body);
  }
  int status = 200;
  std::string body;
  bool away = false;
  std::vector<std::string> asked;
  std::string authorization;
};

class StoreScanTest : public ::testing::Test {
 protected:
  StoreScanTest() : loops_(1), scan_(upstream_, [] { return std::string("Bearer parley1.x.y"); }) { loops_.start(); }
  ~StoreScanTest() override { loops_.stop(); }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  auto messages() { return wait(scan_.messages(TenantId("a&b"), ConversationId("c/1"), "7", 100, SteadyTime::max())); }

  EventLoops loops_;
  ScriptedUpstream upstream_;
  UpstreamStoreScan scan_;
};

TEST_F(StoreScanTest, AsksWithTheTokenAndWhereThePageBeforeEnded) {
  upstream_.body = R"({"items":["acme","b"],"next":"b"})";
  const auto tenants = wait(scan_.tenants("a", 2, SteadyTime::max()));
  EXPECT_THAT(tenants->items, ElementsAre(TenantId("acme"), TenantId("b")));
  EXPECT_EQ(tenants->next, "b");
  EXPECT_EQ(upstream_.authorization, "Bearer parley1.x.y");
  EXPECT_THAT(upstream_.asked, ElementsAre("/internal/tenants?after=a&limit=2"));
}

TEST_F(StoreScanTest, ReadsMetadataAsDeepAsTheApiTakesIt) {
  constexpr std::size_t kLevels = 31;
  std::string metadata;
  for (std::size_t i = 0; i < kLevels; ++i) metadata += R"({"a":)";
  metadata += "1" + std::string(kLevels, '}');
  upstream_.body = R"({"items":[{"id":"m1","seq":8,"sender_id":"u","content":"x","files":[],"mentions":[],)"
                   R"("reactions":[],"created_at":"2026-11-24T08:00:00.000Z","deleted_at":null,"metadata":)" +
                   metadata + R"(}],"next":null})";
  const auto page = messages();
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(page->items, SizeIs(1));
}

TEST_F(StoreScanTest, ReadsMessagesTombstonesAndASeqAsNext) {
  upstream_.body =
      R"({"items":[{"id":"m1","seq":8,"sender_id":"u","content":"x","files":[],"mentions":[],"reactions":[],)"
      R"("created_at":"2026-11-24T08:00:00.000Z","deleted_at":null},)"
      R"({"id":"m2","seq":9,"content":null,"deleted_at":"2026-11-24T08:00:00.000Z"}],"next":9})";
  const auto page = messages();
  ASSERT_THAT(page->items, SizeIs(2));
  EXPECT_EQ(std::get<MessageWritten>(page->items[0].what).content, "x");
  EXPECT_EQ(std::get<MessageRemoved>(page->items[1].what).id, MessageId("m2"));
  EXPECT_EQ(page->next, "9");
  EXPECT_THAT(upstream_.asked,
              ElementsAre("/internal/scan/messages?tenant=a%26b&conversation_id=c%2F1&after_seq=7&limit=100"));
}

TEST_F(StoreScanTest, ReadsConversationsAndPeople) {
  upstream_.body =
      R"({"items":[{"id":"c1","type":"group","name":"general","topic":null,"archived":false,"last_seq":12,"members":[]}],)"
      R"("next":null})";
  const auto conversations = wait(scan_.conversations(TenantId("acme"), {}, 10, SteadyTime::max()));
  ASSERT_THAT(conversations->items, SizeIs(1));
  EXPECT_EQ(conversations->items[0].last_seq, 12);
  EXPECT_EQ(conversations->items[0].entry.name, "general");
  EXPECT_FALSE(conversations->next);
  upstream_.body = R"({"items":[{"id":"u1","name":"Ada"},{"id":"u2","name":null}],"next":null})";
  const auto users = wait(scan_.users(TenantId("acme"), {}, 10, SteadyTime::max()));
  ASSERT_THAT(users->items, SizeIs(2));
  EXPECT_EQ(users->items[0].name, "Ada");
}

TEST_F(StoreScanTest, AnItemThatCannotBeReadIsLeftOutAndTheRestIsNot) {
  upstream_.body = R"({"items":[{"id":"u1"},7,{"name":"nobody"},{"id":"u2","name":"Ben"}],"next":null})";
  const auto users = wait(scan_.users(TenantId("acme"), {}, 10, SteadyTime::max()));
  EXPECT_THAT(users->items, SizeIs(2));
}

TEST_F(StoreScanTest, OtherAnswersAreErrors) {
  upstream_.body = "{}";
  EXPECT_EQ(messages().error().kind, ErrorKind::kInternal);
  upstream_.body = "no JSON";
  EXPECT_EQ(messages().error().kind, ErrorKind::kInternal);
  upstream_.status = 404;
  EXPECT_EQ(messages().error().kind, ErrorKind::kNotFound);
  upstream_.status = 503;
  EXPECT_EQ(messages().error().kind, ErrorKind::kUnavailable);
  upstream_.away = true;
  EXPECT_EQ(messages().error().kind, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace parley::search
