#include "base/text.h"
#include "search/testing/search_fixture.h"

namespace parley::search::testing {
namespace {

class MessageSearch : public SearchFixture {
 protected:
  json::object found(const std::string& target, const std::string& user = "ada") {
    const Answer answer = client(user).get(target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? answer.json().as_object() : json::object();
  }
};

TEST_F(MessageSearch, AnswersTheMessagesAsMessagingShowsThemWithWhatMatched) {
  let_find("deploy", {"m1", "m2"});
  const auto answer = found("/search/messages?q=deploy");
  EXPECT_EQ(ids_of(answer), (std::vector<std::string>{"m1", "m2"}));
  const auto& first = answer.at("items").at(0).as_object();
  EXPECT_EQ(first.at("content"), "the deploy of m1");
  EXPECT_EQ(first.at("highlight"), "the <em>deploy</em> of m1");
  EXPECT_EQ(answer.at("total"), json::value({{"value", 2}, {"relation", "eq"}}));
  EXPECT_TRUE(answer.at("next_cursor").is_null());
  EXPECT_EQ(answer.at("took_ms"), 0);
  EXPECT_EQ(answer.at("indexed_through"), json::value(position(7)));
  EXPECT_FALSE(answer.contains("did_you_mean"));
}

TEST_F(MessageSearch, AsksTheIndexForTheConversationsThatTheCallerIsAMemberOfNow) {
  messaging_.membership["ada"] = {"general", "ops"};
  found("/search/messages?q=deploy");
  messaging_.membership["ada"] = {"ops"};
  found("/search/messages?q=deploy");
  ASSERT_EQ(index_.searches.size(), 2u);
  EXPECT_EQ(index_.searches[0].scope.conversations, (std::vector{ConversationId("general"), ConversationId("ops")}));
  EXPECT_EQ(index_.searches[1].scope.conversations, (std::vector{ConversationId("ops")}));
  EXPECT_EQ(index_.searches[0].scope.tenant, TenantId("acme"));
  EXPECT_EQ(index_.searches[0].scope.caller, UserId("ada"));
}

TEST_F(MessageSearch, MessagingIsAskedWithTheCallersOwnToken) {
  let_find("deploy", {"m1"});
  found("/search/messages?q=deploy");
  ASSERT_EQ(messaging_.seen.size(), 2u);
  EXPECT_EQ(messaging_.seen[0], (std::pair<std::string, std::string>("/internal/scope", "ada")));
  EXPECT_EQ(messaging_.seen[1], (std::pair<std::string, std::string>("/internal/lookup", "ada")));
}

TEST_F(MessageSearch, MessagingHearsForWhomAServiceActs) {
  EXPECT_EQ(client("bot", "acme", "service").get("/search/messages?q=a", {{"X-Parley-User", "ada"}}).status, 200);
  EXPECT_EQ(messaging_.acting_for, "ada");
}

TEST_F(MessageSearch, AHitThatMessagingDoesNotShowIsGoneAndIsNotCounted) {
  let_find("deploy", {"m1", "m2", "m3"});
  messaging_.messages.erase("m2");
  const auto answer = found("/search/messages?q=deploy");
  EXPECT_EQ(ids_of(answer), (std::vector<std::string>{"m1", "m3"}));
  EXPECT_EQ(answer.at("total").at("value"), 2);
}

TEST_F(MessageSearch, WhoeverLeavesWhileTheIndexIsAskedSeesNothing) {
  let_find("deploy", {"m1", "m2"});
  messaging_.on_lookup = [this] { messaging_.membership["ada"].clear(); };
  const auto answer = found("/search/messages?q=deploy");
  EXPECT_TRUE(answer.at("items").as_array().empty());
  EXPECT_EQ(answer.at("total").at("value"), 0);
}

TEST_F(MessageSearch, AnAnswerThatTheCacheHoldsIsCheckedAnew) {
  let_find("deploy", {"m1", "m2"});
  found("/search/messages?q=deploy");
  messaging_.messages.erase("m1");
  EXPECT_EQ(ids_of(found("/search/messages?q=deploy")), std::vector<std::string>{"m2"});
  EXPECT_EQ(index_.searches.size(), 1u);
}

TEST_F(MessageSearch, TheSameQuestionAsksTheIndexOnceUntilAnythingIsIndexedOrTimePasses) {
  let_find("deploy", {"m1"});
  found("/search/messages?q=deploy");
  found("/search/messages?q=deploy");
  EXPECT_EQ(index_.searches.size(), 1u);
  progress_.set({8});
  found("/search/messages?q=deploy");
  EXPECT_EQ(index_.searches.size(), 2u);
  clock_.advance(std::chrono::seconds(6));
  found("/search/messages?q=deploy");
  EXPECT_EQ(index_.searches.size(), 3u);
}

TEST_F(MessageSearch, NoCachedPageServesAnotherUserTenantOrQuestion) {
  messaging_.membership["ben"] = {"general"};
  let_find("deploy", {"m1"});
  found("/search/messages?q=deploy");
  found("/search/messages?q=deploy", "ben");
  EXPECT_EQ(client("ada", "umbrella").get("/search/messages?q=deploy").status, 200);
  found("/search/messages?q=deploy&sort=newest");
  found("/search/messages?q=deploy&limit=7");
  found("/search/messages?q=deploy&has=link");
  EXPECT_EQ(index_.searches.size(), 6u);
}

TEST_F(MessageSearch, AnEditedMessageIsLitUpInItsPresentText) {
  let_find("deploy", {"m1"});
  messaging_.messages["m1"]["content"] = "<b>deploy</b> & more";
  messaging_.messages["m1"]["edited_at"] = "2026-11-24T09:00:00.000Z";
  const auto answer = found("/search/messages?q=deploy");
  EXPECT_EQ(answer.at("items").at(0).at("highlight"), "&lt;b&gt;<em>deploy</em>&lt;/b&gt; &amp; more");
}

TEST_F(MessageSearch, AnEditLeavesTheNamesOfItsFilesToLightUp) {
  let_find("deploy", {"m1"});
  index_.found.at("deploy").items.at(0).file_names = "notes.txt\ndeploy.sh";
  messaging_.messages["m1"]["content"] = "see these";
  messaging_.messages["m1"]["edited_at"] = "2026-11-24T09:00:00.000Z";
  const auto lit = [this] { return found("/search/messages?q=deploy&sort=newest").at("items").at(0).at("highlight"); };
  EXPECT_EQ(lit(), "see these\nnotes.txt\n<em>deploy</em>.sh");
  messaging_.messages["m1"]["content"] = "";
  EXPECT_EQ(found("/search/messages?q=deploy").at("items").at(0).at("highlight"), "notes.txt\n<em>deploy</em>.sh");
}

TEST_F(MessageSearch, FiltersMayStandInTheQueryOrBesideIt) {
  found("/search/messages?q=deploy%20has%3Alink%20before%3A2026-02-01&mentions=me&after=2026-01-01&has=file");
  ASSERT_EQ(index_.searches.size(), 1u);
  const Query& query = index_.searches[0].query;
  EXPECT_TRUE(query.has_link && query.has_file && query.mentions_me && !query.has_reaction);
  EXPECT_EQ(query.not_before, WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)));
  EXPECT_EQ(query.before, WallTime(std::chrono::sys_days(std::chrono::year(2026) / 2 / 1)));
}

TEST_F(MessageSearch, AFilterAloneIsAQuestion) {
  found("/search/messages?on=2026-01-31");
  ASSERT_EQ(index_.searches.size(), 1u);
  EXPECT_TRUE(index_.searches[0].query.clauses.empty());
  EXPECT_EQ(index_.searches[0].query.before, WallTime(std::chrono::sys_days(std::chrono::year(2026) / 2 / 1)));
}

TEST_F(MessageSearch, NamesInFiltersBehindAMinusBecomeIdsAndThoseOfNobodyNothing) {
  index_.named = {{"u-ada", "u-ada2"}, {"general"}};
  found("/search/messages?q=deploy%20-from%3A%22Ada%20Lovelace%22%20-from%3Ame%20-in%3AGeneral");
  ASSERT_EQ(index_.searches.size(), 1u);
  const Exclusions& none = index_.searches[0].query.none_of;
  EXPECT_EQ(none.from, (std::vector<std::string>{"u-ada", "u-ada2", "ada"}));
  EXPECT_EQ(none.in, std::vector<std::string>{"general"});
  index_.named = {};
  let_find("deploy", {"m1"});
  EXPECT_EQ(ids_of(found("/search/messages?q=deploy%20-from%3Anobody")), std::vector<std::string>{"m1"});
}

TEST_F(MessageSearch, NamesInFiltersBecomeIds) {
  index_.named = {{"u-ada", "u-ada2"}, {"general"}};
  found("/search/messages?q=deploy%20from%3A%22Ada%20Lovelace%22&in=General");
  ASSERT_EQ(index_.names_requests.size(), 1u);
  EXPECT_EQ(index_.names_requests[0].users, std::vector<std::string>{"Ada Lovelace"});
  EXPECT_EQ(index_.names_requests[0].conversations, std::vector<std::string>{"General"});
  EXPECT_EQ(index_.names_requests[0].scope.conversations, std::vector{ConversationId("general")});
  EXPECT_EQ(index_.searches[0].query.from, (std::vector<std::string>{"u-ada", "u-ada2"}));
  EXPECT_EQ(index_.searches[0].query.in, std::vector<std::string>{"general"});
}

TEST_F(MessageSearch, FromMeIsTheCaller) {
  found("/search/messages?from=me");
  EXPECT_EQ(index_.searches.at(0).query.from, std::vector<std::string>{"ada"});
}

TEST_F(MessageSearch, AFilterThatNamesNobodyFindsNothingRatherThanEverything) {
  let_find("deploy", {"m1"});
  for (const char* const filter : {"from=nobody", "in=nowhere"}) {
    const auto answer = found(std::string("/search/messages?q=deploy&") + filter);
    EXPECT_TRUE(answer.at("items").as_array().empty());
    EXPECT_EQ(answer.at("total").at("value"), 0);
  }
  EXPECT_TRUE(index_.searches.empty());
}

TEST_F(MessageSearch, SortsByRelevanceUnlessToldOtherwise) {
  found("/search/messages?q=a");
  found("/search/messages?q=a&sort=newest");
  EXPECT_EQ(index_.searches.at(0).sort, Sort::kRelevance);
  EXPECT_EQ(index_.searches.at(1).sort, Sort::kNewest);
  EXPECT_EQ(index_.searches.at(0).limit, 50u);
}

TEST_F(MessageSearch, PagesByACursorThatSaysNothingOfTheIndex) {
  let_find("deploy", {"m1"});
  index_.found["deploy"].next = "r:123456789:123456788:1";
  const std::string cursor(found("/search/messages?q=deploy&limit=1").at("next_cursor").as_string());
  EXPECT_EQ(base64url_decode(cursor)->find("12345678"), std::string::npos);
  found("/search/messages?q=deploy&limit=5&cursor=" + cursor);
  EXPECT_EQ(index_.searches.at(1).after, "r:123456789:123456788:1");
  EXPECT_EQ(index_.searches.at(1).limit, 5u);
}

TEST_F(MessageSearch, ACursorOfAnotherUserTenantOrQuestionIs400) {
  messaging_.membership["ben"] = {"general"};
  let_find("deploy", {"m1"});
  index_.found["deploy"].next = "next";
  const std::string cursor(found("/search/messages?q=deploy").at("next_cursor").as_string());
  const auto refused = [&](ServiceClient asking, const std::string& target) {
    const Answer answer = asking.get(target + "&cursor=" + cursor);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(answer.code(), "invalid_cursor") << target;
    EXPECT_EQ(answer.faulty_paths(), std::vector<std::string>{"query.cursor"});
  };
  refused(client("ben"), "/search/messages?q=deploy");
  refused(client("ada", "umbrella"), "/search/messages?q=deploy");
  refused(client("ada"), "/search/messages?q=deploys");
  refused(client("ada"), "/search/messages?q=deploy&sort=newest");
  refused(client("ada"), "/search/messages?q=deploy&from=ada");
  refused(client("ada"), "/search/conversations?q=deploy");
  EXPECT_EQ(client("ada").get("/search/messages?q=deploy&cursor=" + cursor.substr(1)).code(), "invalid_cursor");
}

TEST_F(MessageSearch, NearWordsAreSearchedWhenNothingMatchedAndItIsSaid) {
  let_find("deploy", {"m1"});
  index_.near_words = "deploy";
  index_.found["deploy"].next = "more";
  const auto answer = found("/search/messages?q=deplyo%20has%3Alink");
  EXPECT_EQ(answer.at("did_you_mean"), "deploy");
  EXPECT_EQ(ids_of(answer), std::vector<std::string>{"m1"});
  EXPECT_TRUE(index_.searches.at(1).query.has_link);

  const std::string cursor(answer.at("next_cursor").as_string());
  const auto next = found("/search/messages?q=deplyo%20has%3Alink&cursor=" + cursor);
  EXPECT_EQ(next.at("did_you_mean"), "deploy");
  EXPECT_EQ(index_.searches.at(2).query.clauses.front().any_of.front().text, "deploy");
  EXPECT_EQ(index_.searches.at(2).after, "more");
}

TEST_F(MessageSearch, NearWordsThatMatchNothingEitherAreNotNamed) {
  index_.near_words = "deploy";
  EXPECT_FALSE(found("/search/messages?q=deplyo").contains("did_you_mean"));
  let_find("found", {"m1"});
  found("/search/messages?q=found");
  EXPECT_EQ(index_.near_words_asked, 1);
}

TEST_F(MessageSearch, NearWordsOfWhatMayNotBeReadAnyMoreAreNotNamed) {
  let_find("deploy", {"m1"});
  index_.near_words = "deploy";
  messaging_.messages.erase("m1");
  const auto answer = found("/search/messages?q=deplyo");
  EXPECT_TRUE(ids_of(answer).empty());
  EXPECT_FALSE(answer.contains("did_you_mean"));
}

TEST_F(MessageSearch, ATotalThatIsABoundSaysSo) {
  let_find("the", {"m1"});
  index_.found["the"].total = 1000;
  index_.found["the"].total_is_bound = true;
  EXPECT_EQ(found("/search/messages?q=the").at("total"), json::value({{"value", 1000}, {"relation", "gte"}}));
}

TEST_F(MessageSearch, WithMoreConversationsThanMessagingTellsTheTotalIsABound) {
  let_find("the", {"m1"});
  messaging_.complete = false;
  EXPECT_EQ(found("/search/messages?q=the").at("total").at("relation"), "gte");
}

TEST_F(MessageSearch, WaitsForWhatMinPositionNames) {
  const std::string written = position(9);
  const Answer early = client("ada").get("/search/messages?q=a&wait_ms=0&min_position=" + written);
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.code(), "index_behind");
  EXPECT_EQ(early.header("Retry-After"), "1");
  EXPECT_EQ(early.header("X-Parley-Role-Is-Well"), "true");  // so that no gateway gives search a rest for it
  EXPECT_TRUE(index_.searches.empty());
  progress_.set({9});
  EXPECT_EQ(client("ada").get("/search/messages?q=a&wait_ms=0&min_position=" + written).status, 200);
}

TEST_F(MessageSearch, AMinPositionThatIsNoneOfTheTenantIs400) {
  for (const std::string& position : {position(3, "umbrella"), std::string("nonsense"), std::string("AAAA")}) {
    const Answer answer = client("ada").get("/search/messages?q=a&min_position=" + position);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.faulty_paths(), std::vector<std::string>{"query.min_position"});
  }
}

TEST_F(MessageSearch, WithoutMessagingThereIsNoAnswerAtAll) {
  let_find("deploy", {"m1"});
  messaging_.failure = Error{ErrorKind::kUnavailable, "unavailable", "down", {}, {}};
  const Answer down = client("ada").get("/search/messages?q=deploy");
  EXPECT_EQ(down.header("X-Parley-Role-Is-Well"), "");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(down.code(), "unavailable");
  EXPECT_FALSE(down.header("Retry-After").empty());
  messaging_.failure = Error{ErrorKind::kTimeout, "deadline_exceeded", "slow", {}, {}};
  EXPECT_EQ(client("ada").get("/search/messages?q=deploy").status, 503);
  messaging_.failure.reset();
  messaging_.status = 500;
  EXPECT_EQ(client("ada").get("/search/messages?q=deploy").status, 503);
  messaging_.status = 401;
  EXPECT_EQ(client("ada").get("/search/messages?q=deploy").status, 401);
}

TEST_F(MessageSearch, AnAnswerOfMessagingThatIsNoneShowsNothing) {
  let_find("deploy", {"m1"});
  for (const char* const body :
       {"", "[]", "{", "{}", R"({"conversations":7,"complete":true})", R"({"conversations":[1],"complete":true})",
        R"({"conversations":["general"]})", R"({"conversations":["general"],"complete":true,"messages":7})",
        R"({"conversations":["general"],"complete":true,"messages":[7]})",
        R"({"conversations":["general"],"complete":true,"messages":[{"id":7}]})"}) {
    messaging_.body = body;
    EXPECT_EQ(client("ada").get("/search/messages?q=deploy").status, 503) << body;
  }
}

TEST_F(MessageSearch, MetadataNestedAsDeepAsMessagesMayHaveItIsShown) {
  let_find("deploy", {"m1"});
  json::value deep = "end";
  for (int i = 0; i < 31; ++i) deep = json::object({{"a", std::move(deep)}});
  messaging_.messages["m1"]["metadata"] = deep;
  const Answer answer = client("ada").get("/search/messages?q=deploy");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"({"a":"end"})"), std::string::npos);
}

TEST_F(MessageSearch, AnIndexThatFailsFailsTheSearchAndTellsNothingMore) {
  index_.failure = Error{ErrorKind::kInternal, "internal_error", "a table of ours", {}, {}};
  const Answer answer = client("ada").get("/search/messages?q=deploy");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("table"), std::string::npos);
  index_.failure = Error{ErrorKind::kTimeout, "deadline_exceeded", "too slow", {}, {}};
  EXPECT_EQ(client("ada").get("/search/messages?q=deploy").status, 504);
}

struct BadParameter {
  const char* query;
  const char* path;
};
class BadMessageSearch : public MessageSearch, public ::testing::WithParamInterface<BadParameter> {};

TEST_P(BadMessageSearch, Is400AndSaysWhere) {
  const Answer answer = client("ada").get(std::string("/search/messages?") + GetParam().query);
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.code(), "validation_failed");
  EXPECT_EQ(answer.faulty_paths(), std::vector<std::string>{GetParam().path});
  EXPECT_TRUE(index_.searches.empty());
  EXPECT_TRUE(messaging_.seen.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Parameters, BadMessageSearch,
    ::testing::Values(
        BadParameter{"", "query.q"}, BadParameter{"q=", "query.q"}, BadParameter{"sort=newest", "query.q"},
        BadParameter{"q=%00", "query.q"}, BadParameter{"q=%ff", "query.q"}, BadParameter{"q=%4", "query.q"},
        BadParameter{"q=a&q=b", "query.q"}, BadParameter{"q=a&limit=0", "query.limit"},
        BadParameter{"q=a&limit=101", "query.limit"}, BadParameter{"q=a&limit=x", "query.limit"},
        BadParameter{"q=a&limit=1.5", "query.limit"}, BadParameter{"q=a&sort=best", "query.sort"},
        BadParameter{"q=a&has=music", "query.has"}, BadParameter{"q=a&mentions=ben", "query.mentions"},
        BadParameter{"q=a&before=yesterday!", "query.before"}, BadParameter{"q=a&before=2026-13-01", "query.before"},
        BadParameter{"q=a&after=2026-01-32", "query.after"}, BadParameter{"q=a&on=1", "query.on"},
        BadParameter{"q=a&from=", "query.from"}, BadParameter{"q=a&in=%07", "query.in"},
        BadParameter{"q=a&cursor=", "query.cursor"}, BadParameter{"q=a&wait_ms=5001", "query.wait_ms"},
        BadParameter{"q=a&wait_ms=-1", "query.wait_ms"}, BadParameter{"q=a&min_position=", "query.min_position"},
        BadParameter{"q=a&score=1", "query.score"}));

TEST_F(MessageSearch, AQueryOfMoreThan1024BytesIs400AndOneOf1024IsNot) {
  EXPECT_EQ(client("ada").get("/search/messages?q=" + std::string(1024, 'a')).status, 200);
  const Answer answer = client("ada").get("/search/messages?q=" + std::string(1025, 'a'));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.faulty_paths(), std::vector<std::string>{"query.q"});
}

TEST_F(MessageSearch, WhatAPersonTypesIsNeverASyntaxError) {
  for (const char* const typed : {"%22", "(", "-", "*", "OR", "a%20OR", "from%3A", "before%3Anever", "%3A%3A",
                                  "NOT%20a", "NEAR(a)", "%27%3B--", "%20", "%F0%9F%92%A9", "has%3A", "\\"}) {
    EXPECT_EQ(client("ada").get(std::string("/search/messages?q=") + typed).status, 200) << typed;
  }
}

}  // namespace
}  // namespace parley::search::testing
