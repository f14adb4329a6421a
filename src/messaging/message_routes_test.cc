// Messages through their routes: the valid and the invalid space of each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <set>

#include "messaging/testing/messaging_fixture.h"

namespace parley::messaging {
namespace {

namespace json = boost::json;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class MessageRoutes : public testing::MessagingFixture {
 protected:
  void SetUp() override { make_group("c1", R"(["bob"])"); }
  static std::string text(const json::object& object, const char* name) {
    return std::string(object.at(name).as_string());
  }
  // The contents of a page, in order.
  static std::vector<std::string> contents(const Answer& page) {
    std::vector<std::string> list;
    const json::value value = page.json();
    for (const auto& item : value.at("items").as_array()) list.emplace_back(item.at("content").as_string());
    return list;
  }
  static std::string cursor(const Answer& page, const char* name = "next_cursor") {
    const json::value value = page.json();
    const auto* cursor = value.as_object().if_contains(name);
    return cursor != nullptr && cursor->is_string() ? std::string(cursor->get_string()) : "";
  }

  testing::ServiceClient ada_ = client("ada");
  testing::ServiceClient bob_ = client("bob");
  testing::ServiceClient eve_ = client("eve");
};

TEST_F(MessageRoutes, SendingAnswersTheMessageAndWhereItIs) {
  const Answer answer = ada_.post(
      "/messages",
      R"({"conversation_id":"c1","content":"hé 👍","type":"note","mentions":["bob"],"metadata":{"b":1,"a":2.5},"client_message_id":"m-1"})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json::object message = answer.json().as_object();
  EXPECT_EQ(message.at("content"), "hé 👍");
  EXPECT_EQ(message.at("seq"), 1);
  EXPECT_EQ(message.at("sender_id"), "ada");
  EXPECT_EQ(message.at("type"), "note");
  EXPECT_EQ(message.at("client_message_id"), "m-1");
  EXPECT_EQ(json::serialize(message.at("mentions")), R"(["bob"])");
  EXPECT_THAT(answer.body, HasSubstr(R"("metadata":{"a":2.5,"b":1})"));
  EXPECT_EQ(answer.header("ETag"), "\"1\"");
  EXPECT_EQ(answer.header("Location"), "messages/" + text(message, "id"));
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("X-Parley-Position"), text(message, "position"));
  EXPECT_EQ(answer.header("RateLimit-Limit"), "60");
  EXPECT_EQ(answer.header("RateLimit-Remaining"), "59");
  EXPECT_EQ(bob_.get("/" + answer.header("Location")).status, 200);
}

TEST_F(MessageRoutes, SendingNamesEveryFaultOfTheBody) {
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {"{}", {"/conversation_id"}},
      {R"({"conversation_id":"c1"})", {"/content"}},
      {R"({"conversation_id":"c1","content":""})", {"/content"}},
      {R"({"conversation_id":"c1","content":null})", {"/content"}},
      {R"({"conversation_id":"c1","content":"a\u0000b"})", {"/content"}},
      {R"({"conversation_id":"c1","content":")" + std::string(16385, 'x') + "\"}", {"/content"}},
      {R"({"conversation_id":"","content":5,"type":"","mentions":["a","a"],"metadata":[],"x":1})",
       {"/conversation_id", "/content", "/type", "/mentions/1", "/metadata", "/x"}},
      {R"({"conversation_id":"c1","content":"a","reply_to":"nothing"})", {"/reply_to"}},
      {R"({"conversation_id":"c1","content":"a","client_message_id":"a b"})", {"/client_message_id"}},
  };
  for (const auto& [body, paths] : cases) {
    const Answer answer = ada_.post("/messages", body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 100) << answer.body;
    EXPECT_EQ(answer.code(), "validation_failed") << answer.body;
    EXPECT_EQ(answer.faulty_paths(), paths) << answer.body;
  }
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":")" + std::string(16384, 'x') + "\"}").status,
            201);
}

TEST_F(MessageRoutes, AttachmentsAreRefusedWhereThereIsNoMedia) {
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f1"]})").code(),
            "attachments_unavailable");
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":"a","attachments":[]})").status, 201);
}

TEST_F(MessageRoutes, SendingElsewhereThanOnesConversationsIs404) {
  EXPECT_EQ(eve_.post("/messages", R"({"conversation_id":"c1","content":"a"})").status, 404);
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"none","content":"a"})").status, 404);
  EXPECT_EQ(anonymous().post("/messages", R"({"conversation_id":"c1","content":"a"})").status, 401);
}

TEST_F(MessageRoutes, TheSameKeyGivesTheSameMessageAgain) {
  const std::string body = R"({"conversation_id":"c1","content":"once","client_message_id":"k"})";
  const Answer first = ada_.post("/messages", body, {{"Idempotency-Key", "k"}});
  ASSERT_EQ(first.status, 201) << first.body;
  for (const Answer& again : {ada_.post("/messages", body, {{"Idempotency-Key", "k"}}), ada_.post("/messages", body)}) {
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.json().at("id"), first.json().at("id"));
    EXPECT_EQ(again.header("RateLimit-Remaining"), "59") << "a replay takes nothing";
  }
  const std::string other = R"({"conversation_id":"c1","content":"twice","client_message_id":"k"})";
  EXPECT_EQ(ada_.post("/messages", other).code(), "idempotency_mismatch");
  EXPECT_EQ(ada_.post("/messages", other, {{"Idempotency-Key", "k"}}).status, 409);
  EXPECT_THAT(ada_.post("/messages", body, {{"Idempotency-Key", "a b"}}).faulty_paths(),
              ElementsAre("header.Idempotency-Key"));
}

TEST_F(MessageRoutes, TheLimitHoldsAndReplaysPassIt) {
  const std::string kept = R"({"conversation_id":"c1","content":"kept","client_message_id":"k"})";
  ASSERT_EQ(ada_.post("/messages", kept).status, 201);
  for (int i = 1; i < 60; ++i)
    ASSERT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":"x"})").status, 201);
  for (const char* extra : {"", R"(,"client_message_id":"new")"}) {
    const Answer refused =
        ada_.post("/messages", R"({"conversation_id":"c1","content":"x")" + std::string(extra) + "}");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.code(), "rate_limited");
    EXPECT_NE(refused.header("Retry-After"), "");
    EXPECT_EQ(refused.header("RateLimit-Remaining"), "0");
    EXPECT_EQ(refused.header("Cache-Control"), "no-store");
  }
  EXPECT_EQ(ada_.post("/messages", kept).status, 200);
  EXPECT_EQ(bob_.post("/messages", R"({"conversation_id":"c1","content":"x"})").status, 201) << "each user has its own";
  const Answer service =
      client("ada", "acme", "service").post("/messages", R"({"conversation_id":"c1","content":"x"})");
  EXPECT_EQ(service.status, 201);
  EXPECT_EQ(service.header("RateLimit-Limit"), "");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":"x"})").status, 201);
}

TEST_F(MessageRoutes, PagesShowEachMessageOnceBothWays) {
  for (int i = 1; i <= 7; ++i) say("c1", std::to_string(i));
  for (const bool oldest_first : {false, true}) {
    std::vector<std::string> seen;
    std::string next;
    do {
      const Answer page =
          bob_.get("/conversations/c1/messages?limit=3" + std::string(oldest_first ? "&order=asc" : "") +
                   (next.empty() ? "" : "&cursor=" + next));
      ASSERT_EQ(page.status, 200) << page.body;
      for (const std::string& content : contents(page)) seen.push_back(content);
      EXPECT_FALSE(page.json().as_object().contains("prev_cursor"));
      next = cursor(page);
    } while (!next.empty());
    if (!oldest_first) std::ranges::reverse(seen);
    EXPECT_THAT(seen, ElementsAre("1", "2", "3", "4", "5", "6", "7"));
  }
}

TEST_F(MessageRoutes, AroundGoesBothWaysFromTheMiddle) {
  for (int i = 1; i <= 9; ++i) say("c1", std::to_string(i));
  const Answer middle = bob_.get("/conversations/c1/messages?around=5&limit=3&order=asc");
  ASSERT_EQ(middle.status, 200) << middle.body;
  EXPECT_THAT(contents(middle), ElementsAre("4", "5", "6"));
  const Answer after = bob_.get("/conversations/c1/messages?limit=3&order=asc&cursor=" + cursor(middle));
  EXPECT_THAT(contents(after), ElementsAre("7", "8", "9"));
  EXPECT_EQ(cursor(after), "");
  const Answer before =
      bob_.get("/conversations/c1/messages?limit=3&order=asc&cursor=" + cursor(middle, "prev_cursor"));
  EXPECT_THAT(contents(before), ElementsAre("1", "2", "3"));
  EXPECT_EQ(cursor(before, "prev_cursor"), "");
  EXPECT_THAT(contents(bob_.get("/conversations/c1/messages?limit=3&order=asc&cursor=" + cursor(before))),
              ElementsAre("4", "5", "6"));
  EXPECT_THAT(contents(bob_.get("/conversations/c1/messages?limit=3&order=asc&cursor=" + cursor(after, "prev_cursor"))),
              ElementsAre("4", "5", "6"));
}

TEST_F(MessageRoutes, ListingRefusesBadParameters) {
  for (int i = 1; i <= 3; ++i) say("c1", "x");
  const std::string good = cursor(bob_.get("/conversations/c1/messages?limit=1"));
  ASSERT_NE(good, "");
  const std::pair<std::string, std::string> cases[] = {{"limit=0", "query.limit"},
                                                       {"limit=101", "query.limit"},
                                                       {"limit=x", "query.limit"},
                                                       {"order=up", "query.order"},
                                                       {"around=0", "query.around"},
                                                       {"around=-1", "query.around"},
                                                       {"around=1&cursor=" + good, "query.around"},
                                                       {"cursor=", "query.cursor"},
                                                       {"page=2", "query.page"},
                                                       {"limit=1&limit=2", "query.limit"}};
  for (const auto& [query, path] : cases) {
    const Answer answer = bob_.get("/conversations/c1/messages?" + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.faulty_paths(), ElementsAre(path)) << query;
  }
  make_group("c2", R"(["bob"])");
  for (const std::string& bad :
       {std::string("/conversations/c1/messages?cursor=abc"), "/conversations/c1/messages?order=asc&cursor=" + good,
        "/conversations/c2/messages?cursor=" + good}) {
    EXPECT_EQ(bob_.get(bad).code(), "invalid_cursor") << bad;
  }
  EXPECT_EQ(ada_.get("/conversations/c1/messages?cursor=" + good).code(), "invalid_cursor") << "another user's";
  EXPECT_EQ(bob_.get("/conversations/c1/messages?limit=100&cursor=" + good).status, 200);
  EXPECT_EQ(eve_.get("/conversations/c1/messages").status, 404);
  EXPECT_EQ(bob_.get("/conversations/none/messages").status, 404);
}

TEST_F(MessageRoutes, EditingKeepsHistoryAndHonoursIfMatch) {
  const std::string id = text(say("c1", "one"), "id");
  const Answer edited = ada_.put("/messages/" + id, R"({"content":"two"})", {{"If-Match", "\"1\""}});
  ASSERT_EQ(edited.status, 200) << edited.body;
  EXPECT_EQ(edited.header("ETag"), "\"2\"");
  EXPECT_EQ(edited.json().at("content"), "two");
  EXPECT_TRUE(edited.json().at("edited_at").is_string());

  for (const char* stale : {"\"1\"", "W/\"2\"", "\"x\""}) {
    const Answer refused = ada_.put("/messages/" + id, R"({"content":"three"})", {{"If-Match", stale}});
    EXPECT_EQ(refused.status, 412) << stale;
    EXPECT_EQ(refused.code(), "precondition_failed");
    EXPECT_EQ(refused.header("ETag"), "\"2\"");
  }
  EXPECT_THAT(ada_.put("/messages/" + id, R"({"content":"three"})", {{"If-Match", "2"}}).faulty_paths(),
              ElementsAre("header.If-Match"));
  EXPECT_EQ(ada_.put("/messages/" + id, R"({"content":"three"})", {{"If-Match", "*"}}).status, 200);
  const Answer same = ada_.put("/messages/" + id, "{}");
  EXPECT_EQ(same.status, 200);
  EXPECT_EQ(same.header("ETag"), "\"3\"");

  EXPECT_THAT(contents(bob_.get("/messages/" + id + "/history")), ElementsAre("three", "two", "one"));
  const Answer first = bob_.get("/messages/" + id + "/history?limit=2");
  EXPECT_THAT(contents(first), ElementsAre("three", "two"));
  EXPECT_THAT(contents(bob_.get("/messages/" + id + "/history?limit=2&cursor=" + cursor(first))), ElementsAre("one"));
  EXPECT_EQ(eve_.get("/messages/" + id + "/history").status, 404);
}

TEST_F(MessageRoutes, EditingIsTheSendersAlone) {
  const std::string id = text(say("c1", "one"), "id");
  EXPECT_EQ(bob_.put("/messages/" + id, R"({"content":"x"})").status, 403);
  EXPECT_EQ(eve_.put("/messages/" + id, R"({"content":"x"})").status, 404);
  EXPECT_EQ(ada_.put("/messages/none", R"({"content":"x"})").status, 404);
  EXPECT_THAT(ada_.put("/messages/" + id, R"({"content":""})").faulty_paths(), ElementsAre("/content"));
  EXPECT_THAT(ada_.put("/messages/" + id, R"({"type":"x"})").faulty_paths(), ElementsAre("/type"));
  EXPECT_EQ(ada_.put("/messages/" + id, "").code(), "invalid_json");
}

TEST_F(MessageRoutes, DeletingLeavesATombstone) {
  const std::string id = text(say("c1", "to be forgotten"), "id");
  EXPECT_EQ(eve_.remove("/messages/" + id).status, 404);
  EXPECT_EQ(bob_.remove("/messages/" + id).status, 403);
  const Answer stale = ada_.remove("/messages/" + id, {{"If-Match", "\"9\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.header("ETag"), "\"1\"");
  const Answer gone = ada_.remove("/messages/" + id, {{"If-Match", "\"1\""}});
  EXPECT_EQ(gone.status, 204) << gone.body;
  EXPECT_EQ(gone.body, "");
  EXPECT_NE(gone.header("X-Parley-Position"), "");
  EXPECT_EQ(ada_.remove("/messages/" + id).status, 204);

  const Answer tombstone = bob_.get("/messages/" + id);
  EXPECT_EQ(tombstone.status, 200);
  EXPECT_TRUE(tombstone.json().at("content").is_null());
  EXPECT_THAT(tombstone.body, Not(HasSubstr("forgotten")));
  EXPECT_EQ(bob_.get("/messages/" + id + "/history").body, R"({"items":[],"next_cursor":null})");
  EXPECT_EQ(ada_.put("/messages/" + id, R"({"content":"x"})").code(), "message_deleted");
  EXPECT_EQ(bob_.post("/messages/" + id + "/reactions", R"({"reaction":"x"})").code(), "message_deleted");
  EXPECT_EQ(ada_.send(http::Method::kDelete, "/messages/" + id, "{}").status, 413);
}

TEST_F(MessageRoutes, RepliesFormThreads) {
  const std::string root = text(say("c1", "root"), "id");
  for (const char* content : {"r1", "r2", "r3"}) {
    ASSERT_EQ(bob_.post("/messages", R"({"conversation_id":"c1","content":")" + std::string(content) +
                                         R"(","reply_to":")" + root + "\"}")
                  .status,
              201);
  }
  EXPECT_EQ(ada_.get("/messages/" + root).json().at("reply_count"), 3);
  const Answer first = ada_.get("/messages/" + root + "/replies?limit=2&order=asc");
  EXPECT_THAT(contents(first), ElementsAre("r1", "r2"));
  EXPECT_THAT(contents(ada_.get("/messages/" + root + "/replies?limit=2&order=asc&cursor=" + cursor(first))),
              ElementsAre("r3"));
  EXPECT_THAT(contents(ada_.get("/messages/" + root + "/replies")), ElementsAre("r3", "r2", "r1"));
  EXPECT_EQ(eve_.get("/messages/" + root + "/replies").status, 404);
  EXPECT_EQ(ada_.get("/messages/none/replies").status, 404);
}

TEST_F(MessageRoutes, ReactionsAreAddedOnceAndTakenBack) {
  const std::string id = text(say("c1", "x"), "id");
  const Answer added = bob_.post("/messages/" + id + "/reactions", R"({"reaction":"👍"})");
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.json().at("count"), 1);
  EXPECT_EQ(added.json().at("message_id"), json::string(id));
  EXPECT_EQ(added.json().at("mine"), true);
  EXPECT_EQ(bob_.post("/messages/" + id + "/reactions", R"({"reaction":"👍"})").status, 200);
  EXPECT_EQ(ada_.get("/messages/" + id).json().at("reactions").at(0).at("mine"), false);
  EXPECT_EQ(bob_.remove("/messages/" + id + "/reactions/%F0%9F%91%8D").status, 204);
  EXPECT_EQ(bob_.remove("/messages/" + id + "/reactions/%F0%9F%91%8D").status, 204);
  EXPECT_TRUE(ada_.get("/messages/" + id).json().at("reactions").as_array().empty());

  EXPECT_THAT(bob_.post("/messages/" + id + "/reactions", R"({"reaction":""})").faulty_paths(),
              ElementsAre("/reaction"));
  EXPECT_THAT(bob_.post("/messages/" + id + "/reactions", "{}").faulty_paths(), ElementsAre("/reaction"));
  EXPECT_THAT(bob_.remove("/messages/" + id + "/reactions/" + std::string(65, 'x')).faulty_paths(),
              ElementsAre("path.reaction"));
  EXPECT_EQ(eve_.post("/messages/" + id + "/reactions", R"({"reaction":"x"})").status, 404);
  EXPECT_EQ(eve_.remove("/messages/" + id + "/reactions/x").status, 404);
}

}  // namespace
}  // namespace parley::messaging
