#include <algorithm>

#include "search/testing/search_fixture.h"

namespace parley::search::testing {
namespace {

class UpkeepRoutes : public SearchFixture {};

TEST_F(UpkeepRoutes, AnAdminReindexesItsOwnTenantAndSeesHowFarItIs) {
  const Answer started = client("root", "acme", "admin").send(http::Method::kPost, "/admin/reindex", {});
  ASSERT_EQ(started.status, 202) << started.body;
  const auto state = started.json().as_object();
  EXPECT_EQ(state.at("tenant"), "acme");
  EXPECT_EQ(state.at("state"), "running");
  EXPECT_EQ(state.at("messages"), 100);
  EXPECT_EQ(state.at("messages_per_second").to_number<double>(), 10.0);
  EXPECT_TRUE(state.at("finished_at").is_null());
  EXPECT_FALSE(state.contains("failure"));

  const std::string id(state.at("id").as_string());
  reindex_.states[id].phase = ReindexPhase::kFailed;
  reindex_.states[id].finished_at = clock_.wall_now();
  reindex_.states[id].failure = "The store did not answer.";
  const auto later = client("root", "acme", "admin").get("/admin/reindex/" + id).json().as_object();
  EXPECT_EQ(later.at("state"), "failed");
  EXPECT_EQ(later.at("failure"), "The store did not answer.");
  EXPECT_EQ(later.at("finished_at"), "2023-11-14T22:13:20.000Z");
}

TEST_F(UpkeepRoutes, ASecondReindexOfATenantIs409AndNamesTheFirst) {
  const auto first = client("root", "acme", "admin").post("/admin/reindex", "{}").json().as_object();
  const Answer second = client("root", "acme", "admin").post("/admin/reindex", "{}");
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.code(), "reindex_running");
  EXPECT_EQ(second.json().at("reindex_id"), first.at("id"));
  EXPECT_EQ(client("root", "umbrella", "admin").post("/admin/reindex", "{}").status, 202);
}

TEST_F(UpkeepRoutes, OnlyAdminsReindex) {
  for (const char* const roles : {"", "service"}) {
    EXPECT_EQ(client("ada", "acme", roles).post("/admin/reindex", "{}").code(), "forbidden");
    EXPECT_EQ(client("ada", "acme", roles).get("/admin/reindex/r1").code(), "forbidden");
  }
  EXPECT_TRUE(reindex_.states.empty());
}

TEST_F(UpkeepRoutes, AnAdminSeesNoReindexOfAnotherTenant) {
  client("root", "umbrella", "admin").post("/admin/reindex", "{}");
  for (const char* const id : {"r1", "r9"}) {
    const Answer answer = client("root", "acme", "admin").get(std::string("/admin/reindex/") + id);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "not_found");
  }
}

// A start that found it running named it.
TEST_F(UpkeepRoutes, AnAdminSeesItsOwnTenantsPartOfAReindexOfAll) {
  role().post("/internal/reindex", "{}");
  const Answer answer = client("root", "acme", "admin").get("/admin/reindex/r1");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().at("tenant"), "acme");
  EXPECT_EQ(client("root", "elsewhere", "admin").get("/admin/reindex/r1").code(), "not_found");
}

TEST_F(UpkeepRoutes, ATenantThatNobodyKnowsIsNotReindexed) {
  const Answer answer = role().post("/internal/reindex", R"({"tenant":"acne"})");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.code(), "not_found");
  EXPECT_TRUE(reindex_.states.empty());
  // Of its own an admin knows that it is one.
  EXPECT_EQ(client("root", "acne", "admin").post("/admin/reindex", "{}").status, 202);
}

TEST_F(UpkeepRoutes, AdminsCannotNameATenant) {
  EXPECT_EQ(client("root", "acme", "admin").post("/admin/reindex", R"({"tenant":"umbrella"})").status, 400);
}

TEST_F(UpkeepRoutes, AnotherRoleReindexesOneTenantOrAll) {
  EXPECT_EQ(role().post("/internal/reindex", R"({"tenant":"acme"})").json().at("tenant"), "acme");
  const Answer all = role().post("/internal/reindex", "{}");
  EXPECT_EQ(all.status, 202);
  EXPECT_TRUE(all.json().at("tenant").is_null());
  EXPECT_EQ(role().get("/internal/reindex/r1").json().at("tenant"), "acme");
  EXPECT_EQ(role().get("/internal/reindex/r7").status, 404);
  EXPECT_EQ(role().post("/internal/reindex", R"({"tenant":""})").status, 400);
  EXPECT_EQ(role().post("/internal/reindex", R"({"tenant":["acme"]})").status, 400);
}

TEST_F(UpkeepRoutes, ACheckReportsWhatDiffersAndRepairsWhenTold) {
  check_.report = {.tenants = 1, .conversations = 2, .messages = 10, .indexed = 9, .dead_letters = 1, .differing = 1};
  check_.report.differences.push_back({TenantId("acme"), ConversationId("c1"), 5, 4, {MessageId("m1")}, {}, {}});
  check_.report.reindexes = {"r1"};
  const Answer checked = role().post("/internal/check", R"({"repair":true})");
  ASSERT_EQ(checked.status, 200) << checked.body;
  EXPECT_EQ(check_.asked_to_repair, true);
  const auto report = checked.json().as_object();
  EXPECT_EQ(report.at("messages"), 10);
  EXPECT_EQ(report.at("differences").at(0).at("missing"), json::array({"m1"}));
  EXPECT_EQ(report.at("differences").at(0).at("conversation_id"), "c1");
  EXPECT_EQ(report.at("reindexes"), json::array({"r1"}));
  role().post("/internal/check", "{}");
  EXPECT_EQ(check_.asked_to_repair, false);
  EXPECT_EQ(role().post("/internal/check", R"({"repair":"yes"})").status, 400);
}

TEST_F(UpkeepRoutes, AGatewayHearsWhichTenantsChanged) {
  const auto first = role().get("/internal/changes?wait_ms=0").json().as_object();
  EXPECT_EQ(first.at("through"), 0);
  EXPECT_EQ(first.at("behind"), false);
  changes_.touched({TenantId("acme")});
  const std::string instance(first.at("instance").as_string());
  const auto second = role().get("/internal/changes?after=0&wait_ms=0&instance=" + instance).json().as_object();
  EXPECT_EQ(second.at("tenants"), json::array({"acme"}));
  EXPECT_EQ(second.at("all"), false);
  EXPECT_EQ(second.at("through"), 1);
  EXPECT_EQ(role().get("/internal/changes?after=0&wait_ms=0&instance=another").json().at("all"), true);
}

TEST_F(UpkeepRoutes, AGatewayHearsThatEventsWaitForTooLong) {
  const auto behind = [&] { return role().get("/internal/changes?wait_ms=0").json().at("behind").as_bool(); };
  log_.end = {8};
  EXPECT_FALSE(behind());
  clock_.advance(std::chrono::milliseconds(400));
  EXPECT_FALSE(behind());
  clock_.advance(std::chrono::milliseconds(200));
  EXPECT_TRUE(behind());
  progress_.set({8});
  EXPECT_FALSE(behind());
  log_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  EXPECT_TRUE(behind());
}

TEST_F(UpkeepRoutes, AGatewayHearsHowFarTheIndexIsInTheLog) {
  log_.end = {12};
  progress_.set({9});
  const auto early = role().get("/internal/changes?wait_ms=0").json().as_object();
  EXPECT_EQ(early.at("log_head"), 12);
  EXPECT_EQ(early.at("indexed"), 9);
  log_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  EXPECT_FALSE(role().get("/internal/changes?wait_ms=0").json().as_object().contains("log_head"));
}

TEST_F(UpkeepRoutes, InternalRoutesTakeNoUserAndOthersNoRole) {
  for (const char* const target : {"/internal/changes", "/internal/reindex/r1"}) {
    EXPECT_EQ(client("root", "acme", "admin").get(target).status, 401) << target;
  }
  for (const char* const target : {"/internal/reindex", "/internal/check"}) {
    EXPECT_EQ(client("root", "acme", "admin").post(target, "{}").status, 401) << target;
  }
  for (const char* const target :
       {"/search?q=a", "/search/messages?q=a", "/search/users?q=a", "/search/suggestions?q=a",
        "/search/conversations?q=a", "/search/recent", "/admin/reindex/r1"}) {
    EXPECT_EQ(role().get(target).status, 401) << target;
    EXPECT_EQ(anonymous().get(target).status, 401) << target;
  }
  EXPECT_EQ(role().post("/internal/recent", R"({"q":"a"})").status, 401);
}

TEST_F(UpkeepRoutes, ChangesAreAskedForWithinBounds) {
  for (const char* const query : {"after=-1", "after=x", "wait_ms=1001", "wait_ms=-1", "instance=", "tenant=acme"}) {
    EXPECT_EQ(role().get(std::string("/internal/changes?") + query).status, 400) << query;
  }
}

TEST_F(UpkeepRoutes, TheRoleIsDownWithoutItsIndexAndDegradedWithoutMessaging) {
  EXPECT_EQ(anonymous().get("/health").json().at("status"), "ok");
  messaging_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  const Answer degraded = anonymous().get("/health");
  EXPECT_EQ(degraded.status, 200);
  EXPECT_EQ(degraded.json().at("status"), "degraded");
  EXPECT_EQ(degraded.json().at("dependencies").at("messaging").at("status"), "down");
  index_.failure = messaging_.failure;
  EXPECT_EQ(anonymous().get("/health").status, 503);
}

TEST_F(UpkeepRoutes, EveryOperationOfTheContractHasARoute) {
  const auto contract = search_contract();
  for (const auto& operation : contract->operations()) {
    EXPECT_TRUE(std::ranges::any_of(routes_, [&](const auto& route) { return route.operation_id == operation.id; }))
        << operation.id;
  }
}

TEST_F(UpkeepRoutes, LatencyByKindAndTheCacheAreMeasured) {
  let_find("a", {"m1"});
  for (const char* const target : {"/search/messages?q=a", "/search/messages?q=a", "/search/suggestions?q=a"}) {
    client("ada").get(target);
  }
  const std::string text = metrics_.text();
  for (const char* const line : {"parley_search_query_duration_seconds_count{kind=\"messages\"} 2",
                                 "parley_search_query_duration_seconds_count{kind=\"suggestions\"} 1",
                                 "parley_search_cache_hits_total 1", "parley_search_cache_misses_total 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace parley::search::testing
