// What other roles ask of messaging: scope and look-up for a caller, scans for a role.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "events/position.h"
#include "messaging/testing/messaging_fixture.h"

namespace parley::messaging {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace json = boost::json;

class InternalRoutes : public testing::MessagingFixture {
 protected:
  static std::vector<std::string> texts(const json::value& list) {
    std::vector<std::string> all;
    for (const auto& item : list.as_array()) all.emplace_back(item.as_string());
    return all;
  }
  static std::vector<std::string> ids(const json::value& list) {
    std::vector<std::string> all;
    for (const auto& item : list.as_array()) all.emplace_back(item.at("id").as_string());
    return all;
  }
  // Everything of a scan, page by page.
  std::vector<json::value> scan(const std::string& target, const std::string& after, int limit) {
    std::vector<json::value> all;
    std::string place;
    for (int pages = 0; pages < 1'000; ++pages) {
      const Answer page = role().get(target + "limit=" + std::to_string(limit) + place);
      EXPECT_EQ(page.status, 200) << page.body;
      if (page.status != 200) return all;
      const json::value body = page.json();
      EXPECT_LE(body.at("items").as_array().size(), static_cast<std::size_t>(limit));
      for (const auto& item : body.at("items").as_array()) all.push_back(item);
      const auto& next = body.at("next");
      if (next.is_null()) return all;
      place = "&" + after + "=" +
              (next.is_string() ? percent_encode(std::string_view(next.get_string())) : json::serialize(next));
    }
    ADD_FAILURE() << "a scan without end";
    return all;
  }
};

TEST_F(InternalRoutes, TheScopeIsTheCallersConversations) {
  make_group("c1", R"(["bob"])");
  make_group("c2");
  EXPECT_EQ(client("eve").get("/internal/scope").body, R"({"conversations":[],"complete":true})");
  EXPECT_EQ(client("bob").get("/internal/scope").body, R"({"conversations":["c1"],"complete":true})");
  EXPECT_THAT(texts(client("ada").get("/internal/scope").json().at("conversations")),
              ::testing::UnorderedElementsAre("c1", "c2"));
  EXPECT_EQ(client("robot", "acme", "service").get("/internal/scope").body, R"({"conversations":[],"complete":true})");
  EXPECT_EQ(client("ada", "umbrella").get("/internal/scope").body, R"({"conversations":[],"complete":true})");
}

TEST_F(InternalRoutes, ALookUpAnswersWhatGetAnswers) {
  make_group("c1", R"(["bob"])");
  const std::string message(say("c1", "hello").at("id").as_string());
  const std::string gone(say("c1", "gone").at("id").as_string());
  ASSERT_EQ(client("ada").remove("/messages/" + gone).status, 204);
  const std::string asked =
      R"({"messages":[")" + gone + R"(",")" + message + R"("],"conversations":["c1","c2"],"users":["ada","nobody"]})";
  const Answer answer = client("bob").post("/internal/lookup", asked);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.body, R"({"messages":[)" + client("bob").get("/messages/" + message).body +
                             R"(],"conversations":[)" + client("bob").get("/conversations/c1").body + R"(],"users":[)" +
                             client("bob").get("/users/ada").body + "]}");
  EXPECT_EQ(client("bob").post("/internal/lookup", "{}").body, R"({"messages":[],"conversations":[],"users":[]})");
  const Answer strangers = client("eve").post("/internal/lookup", asked);
  EXPECT_THAT(strangers.json().at("messages").as_array(), IsEmpty());
  EXPECT_THAT(strangers.json().at("conversations").as_array(), IsEmpty());
}

TEST_F(InternalRoutes, ALookUpIsHeldToItsBounds) {
  std::string many = "[";
  for (int i = 0; i < 101; ++i) many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + '"';
  many += "]";
  for (const char* list : {"messages", "conversations", "users"}) {
    const std::string path = "/" + std::string(list);
    for (const std::string& bad : {many, std::string(R"(["a","a"])"), std::string(R"("a")"), std::string("null"),
                                   std::string("[7]"), std::string(R"([""])"), std::string(R"([null])")}) {
      const Answer answer = client("ada").post("/internal/lookup", "{\"" + std::string(list) + "\":" + bad + "}");
      EXPECT_EQ(answer.status, 400) << bad;
      ASSERT_FALSE(answer.faulty_paths().empty()) << bad;
      EXPECT_TRUE(answer.faulty_paths().front().starts_with(path)) << answer.body;
    }
  }
  EXPECT_EQ(client("ada").post("/internal/lookup", R"({"files":[]})").faulty_paths(),
            std::vector<std::string>{"/files"});
  EXPECT_EQ(client("ada").post("/internal/lookup", "[]").status, 400);
  EXPECT_EQ(client("ada").send(http::Method::kPost, "/internal/lookup", {}).status, 400);
}

TEST_F(InternalRoutes, MediaLearnsWhetherAMessageShowsAUserAFile) {
  make_group("c1", R"(["bob"])");
  SendMessage command;
  command.conversation_id = ConversationId("c1");
  command.attachments = {FileId("f1")};
  const auto sent =
      loop_.run(store_->send_message({TenantId("acme"), UserId("ada"), {}, {}}, command, SteadyTime::max()));
  ASSERT_TRUE(sent);
  const auto ask = [this](const std::string& user, const std::string& file, const std::string& tenant = "acme") {
    const Answer answer = role().post("/internal/attachment-access", R"({"tenant":")" + tenant + R"(","user":")" +
                                                                         user + R"(","file":")" + file + "\"}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    return answer.body;
  };
  const std::string yes = R"({"readable":true})", no = R"({"readable":false})";
  EXPECT_EQ(ask("ada", "f1"), yes);
  EXPECT_EQ(ask("bob", "f1"), yes);
  EXPECT_EQ(ask("eve", "f1"), no);
  EXPECT_EQ(ask("bob", "f2"), no);
  EXPECT_EQ(ask("bob", "f1", "umbrella"), no);
  ASSERT_EQ(client("bob").remove("/conversations/c1/members/bob").status, 204);
  EXPECT_EQ(ask("bob", "f1"), no);
  ASSERT_EQ(client("ada").remove("/messages/" + sent->value.id.value).status, 204);
  EXPECT_EQ(ask("ada", "f1"), no);
}

TEST_F(InternalRoutes, AQuestionForAnAttachmentIsHeldToItsFields) {
  const std::string path = "/internal/attachment-access";
  EXPECT_THAT(role().post(path, "{}").faulty_paths(), ElementsAre("/tenant", "/user", "/file"));
  struct Bad {
    const char* body;
    const char* path;
  };
  for (const Bad& bad :
       {Bad{R"({"tenant":"","user":"u","file":"f"})", "/tenant"}, Bad{R"({"tenant":"t","user":7,"file":"f"})", "/user"},
        Bad{R"({"tenant":"t","user":"u","file":null})", "/file"},
        Bad{R"({"tenant":"t","user":"u","file":"a\u0000b"})", "/file"},
        Bad{R"({"tenant":"t","user":"u","file":"f","roles":[]})", "/roles"}}) {
    const Answer answer = role().post(path, bad.body);
    EXPECT_EQ(answer.status, 400) << bad.body;
    EXPECT_THAT(answer.faulty_paths(), ElementsAre(bad.path)) << bad.body;
  }
  EXPECT_EQ(role().post(path, "[]").status, 400);
  EXPECT_EQ(role().get(path).status, 405);
}

TEST_F(InternalRoutes, ScansReadATenantWholeWhateverThePage) {
  make_group("c1", R"(["bob"])");
  make_group("c2");
  make_group("a/b ü");
  for (int i = 0; i < 7; ++i) say("c1", std::to_string(i));
  const std::string gone(say("c1", "gone").at("id").as_string());
  ASSERT_EQ(client("ada").remove("/messages/" + gone).status, 204);
  ASSERT_EQ(client("bob").get("/users/me").status, 200);
  ASSERT_EQ(client("zoe", "umbrella").post("/conversations", R"({"id":"theirs"})").status, 201);

  for (const int limit : {1, 2, 3, 7, 8, 100, 1'000}) {
    const auto tenants = scan("/internal/tenants?", "after", limit);
    EXPECT_THAT(texts(json::array(tenants.begin(), tenants.end())), ElementsAre("acme", "umbrella"));
    const auto conversations = scan("/internal/scan/conversations?tenant=acme&", "after", limit);
    EXPECT_THAT(ids(json::array(conversations.begin(), conversations.end())), ElementsAre("a/b ü", "c1", "c2"));
    EXPECT_EQ(conversations[1].at("members"), json::array({"ada", "bob"}));
    EXPECT_TRUE(conversations[1].at("my_role").is_null());
    EXPECT_TRUE(conversations[1].at("last_message").is_null());
    const auto messages = scan("/internal/scan/messages?tenant=acme&conversation_id=c1&", "after_seq", limit);
    ASSERT_THAT(messages, SizeIs(8));
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(messages[i].at("seq"), static_cast<std::int64_t>(i + 1));
    EXPECT_TRUE(messages[7].at("content").is_null());
    EXPECT_FALSE(messages[7].at("deleted_at").is_null());
    const auto users = scan("/internal/scan/users?tenant=acme&", "after", limit);
    EXPECT_THAT(ids(json::array(users.begin(), users.end())), ElementsAre("ada", "bob"));
  }
  EXPECT_EQ(role().get("/internal/scan/conversations?tenant=nobody").body, R"({"items":[],"next":null})");
  EXPECT_EQ(role().get("/internal/scan/messages?tenant=nobody&conversation_id=c1").status, 404);
  EXPECT_EQ(role().get("/internal/scan/messages?tenant=umbrella&conversation_id=c1").status, 404);
  EXPECT_EQ(role().get("/internal/scan/messages?tenant=acme&conversation_id=c1&after_seq=8").body,
            R"({"items":[],"next":null})");
}

TEST_F(InternalRoutes, TheLogTellsItsEndsAndWhatPositionsAreMadeWith) {
  make_group("c1");
  const json::value log = role().get("/internal/log").json();
  const events::LogOffset head = loop_.run(store_->event_log().head(SteadyTime::max())).value();
  EXPECT_EQ(log.at("head"), head.value);
  EXPECT_EQ(log.at("tail"), 0);
  const auto bytes = hex_decode(std::string(log.at("position_secret").as_string()));
  ASSERT_TRUE(bytes && bytes->size() == 32);
  events::PositionCodec::Secret secret{};
  std::ranges::copy(*bytes, secret.begin());
  EXPECT_EQ(events::PositionCodec(secret).encode(TenantId("acme"), head),
            store_->event_log().position_of(TenantId("acme"), head));
}

TEST_F(InternalRoutes, APageOfAScanEndsSoonAfterAMebibyte) {
  make_group("c1");
  const std::string content(16'000, 'x');
  for (int i = 0; i < 150; ++i) {
    SendMessage command;
    command.conversation_id = ConversationId("c1");
    command.content = content;
    ASSERT_TRUE(loop_.run(store_->send_message({TenantId("acme"), UserId("ada"), {}, {}}, command, SteadyTime::max())));
  }
  const Answer page = role().get("/internal/scan/messages?tenant=acme&conversation_id=c1&limit=1000");
  EXPECT_GT(page.body.size(), 1'048'576u);
  EXPECT_LT(page.body.size(), 1'070'000u);
  EXPECT_THAT(scan("/internal/scan/messages?tenant=acme&conversation_id=c1&", "after_seq", 1'000), SizeIs(150));
}

TEST_F(InternalRoutes, AScanIsHeldToItsBounds) {
  struct Bad {
    const char* query;
    const char* path;
  };
  for (const Bad& bad :
       {Bad{"conversations?limit=1", "query.tenant"}, Bad{"conversations?tenant=", "query.tenant"},
        Bad{"conversations?tenant=acme&limit=0", "query.limit"},
        Bad{"conversations?tenant=acme&limit=1001", "query.limit"},
        Bad{"conversations?tenant=acme&after=", "query.after"}, Bad{"messages?tenant=acme", "query.conversation_id"},
        Bad{"messages?tenant=acme&conversation_id=c1&after_seq=-1", "query.after_seq"},
        Bad{"messages?tenant=acme&conversation_id=c1&after_seq=x", "query.after_seq"},
        Bad{"messages?tenant=acme&conversation_id=c1&after=1", "query.after"},
        Bad{"users?tenant=a%00b", "query.tenant"}, Bad{"users?tenant=acme&surprise=1", "query.surprise"}}) {
    const Answer answer = role().get("/internal/scan/" + std::string(bad.query));
    EXPECT_EQ(answer.status, 400) << bad.query;
    EXPECT_THAT(answer.faulty_paths(), ElementsAre(bad.path)) << bad.query;
  }
}

TEST_F(InternalRoutes, NoUserMayScanAndNoRoleActsForAUser) {
  make_group("c1");
  for (const char* target :
       {"/internal/log", "/internal/tenants", "/internal/scan/conversations?tenant=acme",
        "/internal/scan/messages?tenant=acme&conversation_id=c1", "/internal/scan/users?tenant=acme"}) {
    for (const char* roles : {"", "admin", "service", "admin,service"}) {
      EXPECT_EQ(client("ada", "acme", roles).get(target).status, 401) << target;
    }
    EXPECT_EQ(anonymous().get(target).status, 401) << target;
    EXPECT_EQ(role().get(target).status, 200) << target;
  }
  const char* question = R"({"tenant":"acme","user":"ada","file":"f1"})";
  for (const char* roles : {"", "admin", "service", "admin,service"}) {
    EXPECT_EQ(client("ada", "acme", roles).post("/internal/attachment-access", question).status, 401);
  }
  EXPECT_EQ(anonymous().post("/internal/attachment-access", question).status, 401);
  EXPECT_EQ(role().post("/internal/attachment-access", question).status, 200);
  EXPECT_EQ(role().get("/internal/scope").status, 401);
  EXPECT_EQ(role().post("/internal/lookup", "{}").status, 401);
  EXPECT_EQ(role().get("/conversations/c1").status, 401);
}

}  // namespace
}  // namespace parley::messaging
