// Conversations, members, read state, users and import through their routes: the valid and the invalid space of each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "messaging/testing/messaging_fixture.h"

namespace parley::messaging {
namespace {

namespace json = boost::json;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConversationRoutes : public testing::MessagingFixture {
 protected:
  static std::vector<std::string> listed(const Answer& page, const char* field) {
    std::vector<std::string> list;
    const json::value value = page.json();
    for (const auto& item : value.at("items").as_array()) list.emplace_back(item.at(field).as_string());
    return list;
  }
  static std::string next(const Answer& page) {
    const json::value value = page.json();
    return value.at("next_cursor").is_string() ? std::string(value.at("next_cursor").get_string()) : "";
  }

  testing::ServiceClient ada_ = client("ada");
  testing::ServiceClient bob_ = client("bob");
  testing::ServiceClient eve_ = client("eve");
  testing::ServiceClient admin_ = client("root", "acme", "admin");
};

TEST_F(ConversationRoutes, CreatingAGroupAnswersItAndWhereItIs) {
  const Answer answer = ada_.post(
      "/conversations", R"({"id":"a/b ü","name":"general","topic":"all","members":["bob","ada"],"metadata":{"k":1}})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.header("Location"), "conversations/a%2Fb%20%C3%BC");
  EXPECT_EQ(answer.header("ETag"), "\"1\"");
  EXPECT_NE(answer.header("X-Parley-Position"), "");
  EXPECT_EQ(answer.json().at("member_count"), 2);
  EXPECT_EQ(answer.json().at("my_role"), "owner");
  EXPECT_EQ(bob_.get("/" + answer.header("Location")).json().at("my_role"), "member");
  EXPECT_EQ(eve_.get("/" + answer.header("Location")).status, 404);
  EXPECT_EQ(ada_.post("/conversations", "{}").status, 201);
}

TEST_F(ConversationRoutes, AHeldIdGivesTheSameToMembersAndAConflictToOthers) {
  make_group("c1", R"(["bob"])");
  EXPECT_EQ(ada_.post("/conversations", R"({"id":"c1","name":"general"})").status, 200);
  EXPECT_EQ(ada_.post("/conversations", R"({"id":"c1","name":"other"})").code(), "conversation_exists");
  EXPECT_EQ(eve_.post("/conversations", R"({"id":"c1","name":"general"})").status, 409);
  const Answer first = ada_.post("/conversations", R"({"name":"x"})", {{"Idempotency-Key", "k"}});
  const Answer again = ada_.post("/conversations", R"({"name":"x"})", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json().at("id"), first.json().at("id"));
  EXPECT_EQ(ada_.post("/conversations", R"({"name":"y"})", {{"Idempotency-Key", "k"}}).code(), "idempotency_mismatch");
}

TEST_F(ConversationRoutes, NothingGetsANameThatNoPathCanHold) {
  make_group("c1");
  const std::string message(say("c1", "hello").at("id").as_string());
  for (const std::string dots : {".", ".."}) {
    const std::string quoted = '"' + dots + '"';
    EXPECT_THAT(ada_.post("/conversations", R"({"id":)" + quoted + "}").faulty_paths(), ElementsAre("/id"));
    EXPECT_THAT(ada_.post("/conversations", R"({"members":[)" + quoted + "]}").faulty_paths(),
                ElementsAre("/members/0"));
    EXPECT_THAT(ada_.post("/conversations/c1/members", R"({"user_id":)" + quoted + "}").faulty_paths(),
                ElementsAre("/user_id"));
    EXPECT_THAT(ada_.post("/messages/" + message + "/reactions", R"({"reaction":)" + quoted + "}").faulty_paths(),
                ElementsAre("/reaction"));
    const std::string encoded = dots == "." ? "%2E" : "%2e%2E";
    EXPECT_THAT(ada_.get("/conversations/" + encoded).faulty_paths(), ElementsAre("path.conversation_id"));
    EXPECT_THAT(ada_.get("/users/" + encoded).faulty_paths(), ElementsAre("path.user_id"));
  }
}

TEST_F(ConversationRoutes, ADirectConversationExistsOnceForAPair) {
  const Answer made = ada_.post("/conversations", R"({"type":"direct","members":["ada","bob"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  const Answer got = bob_.post("/conversations", R"({"type":"direct","members":["ada"]})");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.json().at("id"), made.json().at("id"));
  for (const char* members : {"[]", R"(["ada"])", R"(["bob","eve"])"}) {
    EXPECT_THAT(
        ada_.post("/conversations", R"({"type":"direct","members":)" + std::string(members) + "}").faulty_paths(),
        ElementsAre("/members"))
        << members;
  }
}

TEST_F(ConversationRoutes, CreatingNamesEveryFault) {
  EXPECT_THAT(
      ada_.post("/conversations",
                R"({"id":"a\nb","type":"huge","name":"","topic":1,"members":["x","x"],"imported":1,"owner":"x"})")
          .faulty_paths(),
      ElementsAre("/id", "/type", "/name", "/topic", "/members/1", "/imported", "/owner"));
  EXPECT_EQ(ada_.post("/conversations", R"({"imported":true})").status, 403);
}

TEST_F(ConversationRoutes, TheListIsPagedByLastActivity) {
  for (const char* id : {"c1", "c2", "c3"}) {
    make_group(id);
    clock_.advance(std::chrono::seconds(1));
  }
  say("c1", "newest");
  const Answer first = ada_.get("/conversations?limit=2");
  EXPECT_THAT(listed(first, "id"), ElementsAre("c1", "c3"));
  const Answer second = ada_.get("/conversations?limit=2&cursor=" + next(first));
  EXPECT_THAT(listed(second, "id"), ElementsAre("c2"));
  EXPECT_EQ(next(second), "");
  EXPECT_EQ(first.json().at("items").at(0).at("last_message").at("content"), "newest");
  EXPECT_EQ(eve_.get("/conversations").body, R"({"items":[],"next_cursor":null})");
  EXPECT_EQ(bob_.get("/conversations?cursor=" + next(first)).code(), "invalid_cursor");
  EXPECT_THAT(ada_.get("/conversations?limit=0").faulty_paths(), ElementsAre("query.limit"));
}

TEST_F(ConversationRoutes, ChangingHonoursIfMatchAndNull) {
  make_group("c1", R"(["bob"])");
  const Answer changed =
      ada_.put("/conversations/c1", R"({"name":null,"topic":"t","archived":true})", {{"If-Match", "\"1\""}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_TRUE(changed.json().at("name").is_null());
  EXPECT_EQ(changed.json().at("archived"), true);
  EXPECT_EQ(changed.header("ETag"), "\"2\"");
  const Answer stale = ada_.put("/conversations/c1", R"({"topic":"u"})", {{"If-Match", "\"1\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.header("ETag"), "\"2\"");
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":"x"})").code(), "conversation_archived");
  EXPECT_EQ(bob_.put("/conversations/c1", R"({"topic":"u"})").status, 403);
  EXPECT_EQ(eve_.put("/conversations/c1", R"({"topic":"u"})").status, 404);
  EXPECT_THAT(ada_.put("/conversations/c1", R"({"type":"direct","name":5})").faulty_paths(),
              ElementsAre("/name", "/type"));
}

TEST_F(ConversationRoutes, DeletingIsTheOwnersAndTheAdmins) {
  make_group("c1", R"(["bob"])");
  EXPECT_EQ(bob_.remove("/conversations/c1").status, 403);
  EXPECT_EQ(eve_.remove("/conversations/c1").status, 404);
  const Answer stale = ada_.remove("/conversations/c1", {{"If-Match", "\"7\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.header("ETag"), "\"1\"");
  EXPECT_EQ(ada_.remove("/conversations/c1").status, 204);
  EXPECT_EQ(ada_.remove("/conversations/c1").status, 404);
  make_group("c2");
  EXPECT_EQ(admin_.remove("/conversations/c2").status, 204);
}

TEST_F(ConversationRoutes, MembersComeAndGo) {
  make_group("c1", R"(["bob"])");
  const Answer added = ada_.post("/conversations/c1/members", R"({"user_id":"cyd","role":"moderator"})");
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.json().at("role"), "moderator");
  EXPECT_EQ(ada_.post("/conversations/c1/members", R"({"user_id":"cyd"})").status, 200);
  EXPECT_EQ(ada_.post("/conversations/c1/members", R"({"user_id":"cyd","role":"admin"})").code(), "member_exists");
  EXPECT_EQ(bob_.post("/conversations/c1/members", R"({"user_id":"dan"})").status, 403);
  EXPECT_EQ(eve_.post("/conversations/c1/members", R"({"user_id":"eve"})").status, 404);
  EXPECT_THAT(ada_.post("/conversations/c1/members", R"({"role":"king"})").faulty_paths(),
              ElementsAre("/user_id", "/role"));

  const Answer first = bob_.get("/conversations/c1/members?limit=2");
  EXPECT_THAT(listed(first, "user_id"), ElementsAre("ada", "bob"));
  EXPECT_THAT(listed(bob_.get("/conversations/c1/members?limit=2&cursor=" + next(first)), "user_id"),
              ElementsAre("cyd"));
  EXPECT_EQ(eve_.get("/conversations/c1/members").status, 404);

  EXPECT_EQ(ada_.put("/conversations/c1/members/bob/role", R"({"role":"admin"})").json().at("role"), "admin");
  EXPECT_EQ(ada_.put("/conversations/c1/members/ada/role", R"({"role":"member"})").code(), "last_owner");
  EXPECT_EQ(ada_.put("/conversations/c1/members/none/role", R"({"role":"admin"})").status, 404);
  EXPECT_THAT(ada_.put("/conversations/c1/members/bob/role", "{}").faulty_paths(), ElementsAre("/role"));

  EXPECT_EQ(ada_.remove("/conversations/c1/members/ada").code(), "last_owner");
  EXPECT_EQ(ada_.remove("/conversations/c1/members/cyd").status, 204);
  EXPECT_EQ(bob_.remove("/conversations/c1/members/bob").status, 204);
  EXPECT_EQ(bob_.get("/conversations/c1").status, 404);
}

TEST_F(ConversationRoutes, TheReadMarkNeverGoesBackOrBeyond) {
  make_group("c1", R"(["bob"])");
  for (int i = 0; i < 3; ++i) say("c1", "x");
  EXPECT_EQ(bob_.get("/conversations/c1").json().at("unread_count"), 3);
  const Answer read = bob_.put("/conversations/c1/read", R"({"seq":2})");
  ASSERT_EQ(read.status, 200) << read.body;
  EXPECT_EQ(read.json().at("unread_count"), 1);
  EXPECT_EQ(bob_.put("/conversations/c1/read", R"({"seq":1})").json().at("read_seq"), 2);
  EXPECT_THAT(bob_.put("/conversations/c1/read", R"({"seq":4})").faulty_paths(), ElementsAre("/seq"));
  for (const char* bad : {R"({"seq":-1})", R"({"seq":1.5})", R"({"seq":2.0})", R"({"seq":"2"})", "{}",
                          R"({"seq":18446744073709551615})"}) {
    EXPECT_THAT(bob_.put("/conversations/c1/read", bad).faulty_paths(), ElementsAre("/seq")) << bad;
  }
  EXPECT_EQ(eve_.put("/conversations/c1/read", R"({"seq":1})").status, 404);
}

TEST_F(ConversationRoutes, AProfileIsMadeAtFirstSightFromTheToken) {
  EXPECT_EQ(ada_.get("/users/zoe").status, 404);
  client("zoe").get("/conversations", {{"Test-Name", "Zoe"}});
  const Answer seen = ada_.get("/users/zoe");
  ASSERT_EQ(seen.status, 200);
  EXPECT_EQ(seen.json().at("name"), "Zoe");
  EXPECT_EQ(seen.header("ETag"), "\"1\"");
  EXPECT_EQ(client("zoe").get("/users/me").json().at("id"), "zoe");

  const Answer changed = client("zoe").put(
      "/users/me", R"({"name":"Z","avatar_url":"https://example.org/z.png","metadata":{}})", {{"If-Match", "\"1\""}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.header("ETag"), "\"2\"");
  const Answer stale = client("zoe").put("/users/me", R"({"name":"Y"})", {{"If-Match", "\"1\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.header("ETag"), "\"2\"");
  EXPECT_EQ(client("zoe").put("/users/me", R"({"avatar_url":null})").json().at("avatar_url"), json::value());
  EXPECT_THAT(client("zoe").put("/users/me", R"({"name":"","avatar_url":"javascript:x","id":"y"})").faulty_paths(),
              ElementsAre("/name", "/avatar_url", "/id"));
}

class ImportRoute : public ConversationRoutes {
 protected:
  void SetUp() override { ASSERT_EQ(admin_.post("/conversations", R"({"id":"log","imported":true})").status, 201); }
  Answer import(testing::ServiceClient who, const std::string& lines, const std::string& conversation = "log") {
    return who.send(http::Method::kPost, "/conversations/" + conversation + "/import", lines,
                    {{"Content-Type", "application/x-ndjson"}});
  }
  static std::string line(const std::string& id, const std::string& author = "irc:al",
                          const std::string& at = "2004-11-15T10:02:00Z") {
    return R"({"external_id":")" + id + R"(","author":")" + author + R"(","content":"line )" + id +
           R"(","created_at":")" + at + "\"}\n";
  }
};

TEST_F(ImportRoute, StoresABatchOnce) {
  const Answer first = import(admin_, line("1") + "\n" + line("2"));
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json().at("created"), 2);
  EXPECT_EQ(first.json().at("last_seq"), 2);
  EXPECT_NE(first.header("X-Parley-Position"), "");
  const Answer again = import(admin_, line("2") + line("3"));
  EXPECT_EQ(again.json().at("created"), 1);
  EXPECT_EQ(again.json().at("existing"), 1);
  const Answer page = admin_.get("/conversations/log/messages?order=asc");
  EXPECT_THAT(listed(page, "content"), ElementsAre("line 1", "line 2", "line 3"));
  EXPECT_EQ(page.json().at("items").at(0).at("sender_id"), "irc:al");
  EXPECT_EQ(page.json().at("items").at(0).at("created_at"), "2004-11-15T10:02:00.000Z");
  EXPECT_EQ(page.json().at("items").at(0).at("imported"), true);
}

TEST_F(ImportRoute, NamesTheFaultyLineAndStoresNothing) {
  EXPECT_THAT(import(admin_, line("1") + line("2", "al")).faulty_paths(), ElementsAre("/1/author"));
  EXPECT_THAT(import(admin_, line("1") + line("2", ":al")).faulty_paths(), ElementsAre("/1/author"));
  EXPECT_THAT(import(admin_, line("1", "irc:al", "2204-11-15T10:02:00Z")).faulty_paths(), ElementsAre("/0/created_at"));
  EXPECT_THAT(import(admin_, line("1", "irc:al", "2004-11-15 10:02")).faulty_paths(), ElementsAre("/0/created_at"));
  EXPECT_THAT(import(admin_, line("1") + "{}").faulty_paths(),
              ElementsAre("/1/external_id", "/1/author", "/1/content", "/1/created_at"));
  EXPECT_EQ(import(admin_, line("1") + "nonsense").code(), "invalid_json");
  EXPECT_EQ(import(admin_, "").status, 400);
  EXPECT_EQ(import(admin_, "\n\n").status, 400);
  EXPECT_THAT(admin_.get("/conversations/log/messages").body, HasSubstr(R"("items":[])"));
}

TEST_F(ImportRoute, IsBoundedInLinesAndBytes) {
  std::string lines;
  for (int i = 0; i < 1001; ++i) lines += line(std::to_string(i));
  EXPECT_THAT(import(admin_, lines).faulty_paths(), ElementsAre("/1000"));
  EXPECT_EQ(import(admin_, std::string((1 << 20) + 1, '\n')).status, 413);
}

TEST_F(ImportRoute, IsForAdminAndServiceIntoImportedConversationsOnly) {
  make_group("c1");
  EXPECT_EQ(import(ada_, line("1"), "log").status, 404);
  EXPECT_EQ(import(ada_, line("1"), "c1").status, 403);
  EXPECT_EQ(import(client("ada", "acme", "admin"), line("1"), "c1").code(), "conversation_not_imported");
  EXPECT_EQ(admin_.post("/conversations/log/import", line("1")).status, 415);
}

}  // namespace
}  // namespace parley::messaging
