#include <algorithm>

#include "search/testing/search_fixture.h"

namespace parley::search::testing {
namespace {

using Ids = std::vector<std::string>;

class OtherSearch : public SearchFixture {
 protected:
  OtherSearch() {
    index_.conversations.items = {{"general", "<em>gen</em>eral"}, {"gone", "<em>gen</em>tle"}};
    index_.conversations.total = 2;
    index_.users.items = {{"gen", "<em>Gen</em>e"}, {"unknown", "<em>Gen</em>a"}};
    index_.users.total = 2;
    messaging_.conversations["general"] = {{"id", "general"}, {"name", "general"}};
    messaging_.users["gen"] = {{"id", "gen"}, {"name", "Gene"}};
  }
  json::object found(const std::string& target) {
    const Answer answer = client("ada").get(target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? answer.json().as_object() : json::object();
  }
};

TEST_F(OtherSearch, ConversationsAreFoundAmongThoseOfTheCallerAndCheckedAgain) {
  const auto answer = found("/search/conversations?q=gen");
  EXPECT_EQ(ids_of(answer), Ids{"general"});
  EXPECT_EQ(answer.at("items").at(0).at("highlight"), "<em>gen</em>eral");
  EXPECT_EQ(answer.at("total"), json::value({{"value", 1}, {"relation", "eq"}}));
  EXPECT_EQ(index_.conversation_searches.at(0).scope.conversations, std::vector{ConversationId("general")});
  EXPECT_EQ(index_.conversation_searches.at(0).text, "gen");
}

TEST_F(OtherSearch, PeopleAreFoundInTheTenantAndCheckedAgain) {
  const auto answer = found("/search/users?q=gen");
  EXPECT_EQ(ids_of(answer), Ids{"gen"});
  EXPECT_EQ(answer.at("indexed_through"), json::value(position(7)));
  EXPECT_EQ(index_.user_searches.at(0).scope.tenant, TenantId("acme"));
}

TEST_F(OtherSearch, EntriesArePagedByCursorsOfTheirOwn) {
  index_.users.next = "n2";
  const std::string cursor(found("/search/users?q=gen&limit=1").at("next_cursor").as_string());
  found("/search/users?q=gen&cursor=" + cursor);
  EXPECT_EQ(index_.user_searches.at(1).after, "n2");
  EXPECT_EQ(client("ada").get("/search/conversations?q=gen&cursor=" + cursor).code(), "invalid_cursor");
  EXPECT_EQ(client("ada").get("/search/users?q=ge&cursor=" + cursor).code(), "invalid_cursor");
  EXPECT_EQ(client("ben").get("/search/users?q=gen&cursor=" + cursor).code(), "invalid_cursor");
}

TEST_F(OtherSearch, MinPositionHoldsForEveryKind) {
  for (const char* const path : {"/search", "/search/conversations", "/search/users"}) {
    const Answer answer = client("ada").get(std::string(path) + "?q=gen&wait_ms=0&min_position=" + position(8));
    EXPECT_EQ(answer.code(), "index_behind") << path;
  }
}

TEST_F(OtherSearch, TheGlobalSearchAnswersTheBestOfEachKind) {
  let_find("gen", {"m1"});
  const auto answer = found("/search?q=gen");
  EXPECT_EQ(ids_of(answer.at("messages")), Ids{"m1"});
  EXPECT_EQ(ids_of(answer.at("conversations")), Ids{"general"});
  EXPECT_EQ(ids_of(answer.at("users")), Ids{"gen"});
  EXPECT_EQ(answer.at("users").at("total").at("value"), 1);
  EXPECT_EQ(answer.at("indexed_through"), json::value(position(7)));
  EXPECT_EQ(index_.searches.at(0).limit, 5u);
  const auto lookups =
      std::ranges::count(messaging_.seen, "/internal/lookup", [](const auto& seen) { return seen.first; });
  EXPECT_EQ(lookups, 1);
}

TEST_F(OtherSearch, TheGlobalSearchLooksForNamesByTheWordsAlone) {
  found("/search?q=%22gen%20x%22%20-not%20from%3Aada");
  EXPECT_EQ(index_.conversation_searches.at(0).text, "gen x");
  EXPECT_EQ(index_.user_searches.at(0).text, "gen x");
}

TEST_F(OtherSearch, AGlobalSearchOfFiltersAloneFindsNoNames) {
  const auto answer = found("/search?q=has%3Alink");
  EXPECT_TRUE(answer.at("users").at("items").as_array().empty());
  EXPECT_TRUE(index_.user_searches.empty());
  EXPECT_EQ(index_.searches.size(), 1u);
}

TEST_F(OtherSearch, AGlobalSearchFailsWhenOneOfItsPartsDoes) {
  index_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  EXPECT_EQ(client("ada").get("/search?q=gen").status, 503);
}

TEST_F(OtherSearch, SuggestionsComeFromTheScopeAndSayTheirKind) {
  index_.suggestions = {{"general", SuggestionKind::kWord, ""},
                        {"General", SuggestionKind::kConversation, "general"},
                        {"Gene", SuggestionKind::kUser, "gen"}};
  const auto answer = found("/search/suggestions?q=gen&limit=3");
  EXPECT_EQ(answer.at("items"), json::value({{{"text", "general"}, {"kind", "word"}},
                                             {{"text", "General"}, {"kind", "conversation"}, {"id", "general"}},
                                             {{"text", "Gene"}, {"kind", "user"}, {"id", "gen"}}}));
  EXPECT_EQ(index_.suggest_requests.at(0).prefix, "gen");
  EXPECT_EQ(index_.suggest_requests.at(0).limit, 3u);
  EXPECT_EQ(index_.suggest_requests.at(0).scope.conversations, std::vector{ConversationId("general")});
}

TEST_F(OtherSearch, WithoutMessagingNothingIsSuggested) {
  messaging_.failure = Error{ErrorKind::kUnavailable, "unavailable", "down", {}, {}};
  for (const char* const path :
       {"/search?q=a", "/search/conversations?q=a", "/search/users?q=a", "/search/suggestions?q=a"}) {
    EXPECT_EQ(client("ada").get(path).status, 503) << path;
  }
}

TEST_F(OtherSearch, FirstPagesOfSearchesAreRemembered) {
  index_.users.next = "n2";
  found("/search/messages?q=one");
  found("/search/conversations?q=two");
  const std::string cursor(found("/search/users?q=three").at("next_cursor").as_string());
  found("/search/users?q=three&cursor=" + cursor);
  found("/search?q=four");
  found("/search/messages?has=link");
  found("/search/suggestions?q=five");
  const auto recent = found("/search/recent");
  Ids queries;
  for (const auto& item : recent.at("items").as_array()) queries.emplace_back(item.at("query").as_string());
  EXPECT_EQ(queries, (Ids{"four", "three", "two", "one"}));
  EXPECT_EQ(recent.at("items").at(0).at("searched_at"), "2023-11-14T22:13:20.000Z");
}

TEST_F(OtherSearch, ASearchThatFailsIsNotRememberedNorOneLostForWantOfMemory) {
  EXPECT_EQ(client("ada").get("/search/messages?q=a&limit=0").status, 400);
  index_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  EXPECT_EQ(client("ada").get("/search/messages?q=a").status, 503);
  EXPECT_TRUE(recent_.kept.empty());
  index_.failure.reset();
  recent_.failure = Error{ErrorKind::kUnavailable, "unavailable", "no", {}, {}};
  EXPECT_EQ(client("ada").get("/search/messages?q=a").status, 200);
  EXPECT_EQ(client("ada").get("/search/recent").status, 503);
}

TEST_F(OtherSearch, RecentSearchesAreTheCallersOwnAndCanBeForgotten) {
  found("/search/messages?q=mine");
  EXPECT_TRUE(client("ben").get("/search/recent").json().at("items").as_array().empty());
  EXPECT_TRUE(client("ada", "umbrella").get("/search/recent").json().at("items").as_array().empty());
  const Answer cleared = client("ada").remove("/search/recent");
  EXPECT_EQ(cleared.status, 204);
  EXPECT_TRUE(cleared.body.empty());
  EXPECT_TRUE(found("/search/recent").at("items").as_array().empty());
}

TEST_F(OtherSearch, AGatewayMayRecordForItsCaller) {
  EXPECT_EQ(client("ada").post("/internal/recent", R"({"q":"cached"})").status, 204);
  EXPECT_EQ(found("/search/recent").at("items").at(0).at("query"), "cached");
  for (const char* const bad : {"{}", R"({"q":""})", R"({"q":7})", R"({"q":"a","x":1})", R"({"q":"a\u0000"})"}) {
    EXPECT_EQ(client("ada").post("/internal/recent", bad).status, 400) << bad;
  }
  EXPECT_EQ(client("ada").post("/internal/recent", R"({"q":")" + std::string(1025, 'a') + "\"}").status, 400);
}

struct Bad {
  const char* target;
  const char* path;
};
class BadOtherSearch : public OtherSearch, public ::testing::WithParamInterface<Bad> {};
TEST_P(BadOtherSearch, Is400AndSaysWhere) {
  const Answer answer = client("ada").get(GetParam().target);
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.faulty_paths(), Ids{GetParam().path});
}
INSTANTIATE_TEST_SUITE_P(
    Parameters, BadOtherSearch,
    ::testing::Values(Bad{"/search", "query.q"}, Bad{"/search?q=a&limit=0", "query.limit"},
                      Bad{"/search?q=a&cursor=x", "query.cursor"}, Bad{"/search?q=a&from=ada", "query.from"},
                      Bad{"/search/users", "query.q"}, Bad{"/search/users?q=a&limit=101", "query.limit"},
                      Bad{"/search/users?q=a&sort=newest", "query.sort"}, Bad{"/search/conversations?q=", "query.q"},
                      Bad{"/search/conversations?q=a&has=link", "query.has"}, Bad{"/search/suggestions", "query.q"},
                      Bad{"/search/suggestions?q=a&limit=101", "query.limit"},
                      Bad{"/search/suggestions?q=a&min_position=AAAA", "query.min_position"},
                      Bad{"/search/recent?limit=5", "query.limit"}));

}  // namespace
}  // namespace parley::search::testing
