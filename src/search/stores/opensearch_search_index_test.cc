// What the OpenSearch index does when the engine does not do what it is asked.
#include "search/stores/opensearch_search_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/run_on_loop.h"
#include "drivers/opensearch/testing/fake_engine.h"
#include "search/query_parser.h"
#include "search/stores/opensearch_bulk.h"
#include "search/stores/opensearch_documents.h"
#include "search/stores/opensearch_query.h"

namespace parley::search {
namespace {

using opensearch::testing::Asked;
using opensearch::testing::FakeEngine;
using opensearch::testing::Told;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The lines of a bulk: what is done to which document.
std::vector<json::object> actions_of(const std::string& body) {
  std::vector<json::object> actions;
  std::istringstream lines(body);
  for (std::string line, source; std::getline(lines, line) && std::getline(lines, source);) {
    actions.push_back(json::parse(line).at("index").as_object());
  }
  return actions;
}

std::string bulk_answer(const std::vector<int>& statuses, const char* type = "some_exception") {
  json::array items;
  for (const int status : statuses) {
    json::object item{{"status", status}};
    if (status >= 300) item["error"] = json::object{{"type", type}, {"reason", "secret content"}};
    items.push_back(json::object{{"index", std::move(item)}});
  }
  return json::serialize(json::object{{"errors", true}, {"items", std::move(items)}});
}

// An engine that has nothing and takes everything, but for what a test says of bulks.
class EngineThatFails : public ::testing::Test {
 protected:
  EngineThatFails() {
    loops_.start();
    client_.emplace(opensearch::Client::Surroundings{loops_, clock_, timer_},
                    opensearch::ClientOptions{.urls = {engine_.url()},
                                              .authorization = {},
                                              .tls = {},
                                              .timeout = std::chrono::milliseconds(500),
                                              .pause = std::chrono::milliseconds(1)});
    index_.emplace(*client_, OpenSearchIndex::Options{}, clock_);
  }
  ~EngineThatFails() override { loops_.stop(); }

  Told answer(const Asked& asked) {
    if (asked.path() == "/_bulk") {
      const std::size_t count = actions_of(asked.body).size();
      std::vector<int> statuses = bulks_ < bulk_statuses_.size() ? bulk_statuses_[bulks_] : std::vector<int>{};
      ++bulks_;
      statuses.resize(count, 201);
      return {.body = bulk_answer(statuses, error_type_)};
    }
    if (asked.path() == "/_mget") {
      if (!mget_body_.empty()) return {.body = mget_body_};
      json::array documents;
      for (const json::value& each : json::parse(asked.body).at("docs").as_array()) {
        json::object document{{"found", false}};
        const auto present = present_.find(std::string(each.at("_id").as_string()));
        if (present != present_.end()) {
          document["found"] = true;
          document["_source"] = present->second;
        }
        documents.push_back(std::move(document));
      }
      return {.body = json::serialize(json::object{{"docs", std::move(documents)}})};
    }
    if (asked.path().ends_with("/_search")) return search_answer_;
    return {};
  }
  Result<ApplyOutcome> apply(std::vector<IndexChange> changes) {
    return run_on_loop(loops_.at(0), index_->apply({.changes = std::move(changes), .through = {7}}, SteadyTime::max()));
  }
  IndexChange written(const char* id, std::int64_t number) {
    return {TenantId("acme"), ConversationId("c1"), number, MessageWritten{.id = MessageId(id), .content = "grub"}};
  }
  auto search(SteadyTime deadline = SteadyTime::max()) {
    SearchRequest request{.scope = {.tenant = TenantId("acme"), .caller = {}, .conversations = {ConversationId("c1")}},
                          .query = parse_query("grub").value()};
    return run_on_loop(loops_.at(0), index_->search(std::move(request), deadline));
  }
  std::size_t progress_writes() const { return engine_.asked("parley-state/_create/progress").size(); }

  SystemClock clock_;
  LoopTimer timer_;
  std::vector<std::vector<int>> bulk_statuses_;  // of one bulk after the other
  const char* error_type_ = "some_exception";
  std::string mget_body_;
  std::map<std::string, json::object> present_;
  Told search_answer_{.body = R"({"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":0},"hits":[]}})"};
  std::size_t bulks_ = 0;
  FakeEngine engine_{[this](const Asked& asked) { return answer(asked); }};
  EventLoops loops_{1};
  std::optional<opensearch::Client> client_;
  std::optional<OpenSearchIndex> index_;
};

TEST_F(EngineThatFails, WhatItHadNoTimeForIsWrittenAgainAlone) {
  bulk_statuses_ = {{429, 201, 503}, {429, 201}};
  const auto outcome = apply({written("a", 1), written("b", 2), written("c", 3)});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->applied, 3u);
  const auto bulks = engine_.asked("/_bulk");
  ASSERT_THAT(bulks, SizeIs(3));
  EXPECT_THAT(actions_of(bulks[0].body), SizeIs(3));
  EXPECT_THAT(actions_of(bulks[1].body), SizeIs(2));
  EXPECT_THAT(actions_of(bulks[2].body), SizeIs(1));
  EXPECT_EQ(progress_writes(), 1u);
}

TEST_F(EngineThatFails, WhatItNeverHasTimeForFailsTheBatchAndTheOffsetStays) {
  bulk_statuses_ = std::vector<std::vector<int>>(20, {429});
  const auto outcome = apply({written("a", 1)});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(outcome.error().code, "overloaded");
  EXPECT_TRUE(outcome.error().retry_after.has_value());
  EXPECT_EQ(progress_writes(), 0u);
}

TEST_F(EngineThatFails, WhatIsThereInANewerVersionIsStale) {
  bulk_statuses_ = {{201, 409}};
  const auto outcome = apply({written("a", 1), written("b", 2)});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->applied, 1u);
  EXPECT_EQ(outcome->stale, 1u);
  EXPECT_EQ(progress_writes(), 1u);
}

TEST_F(EngineThatFails, WhatItRefusesFailsTheBatchAsInvalidAfterTheOthersWereWritten) {
  bulk_statuses_ = {{400, 429}};
  error_type_ = "mapper_parsing_exception";
  const auto outcome = apply({written("a", 1), written("b", 2)});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(outcome.error().detail, HasSubstr("mapper_parsing_exception"));
  EXPECT_THAT(outcome.error().detail, Not(HasSubstr("secret")));
  EXPECT_THAT(engine_.asked("/_bulk"), SizeIs(2)) << "the other one is written all the same";
  EXPECT_EQ(progress_writes(), 0u);
}

TEST_F(EngineThatFails, DocumentsAreWrittenWithTheirNumbersAsVersions) {
  const Target serving{TenantId("acme"), 1, false};
  present_[message_document_id(serving, ConversationId("c1"), MessageId("old"))] = {{"number", 9}, {"live", true}};
  const auto outcome = apply({written("a", 5),
                              written("old", 9),
                              written("old", 8),
                              {TenantId("acme"), ConversationId("c1"), 11, MessageRemoved{MessageId("b")}}});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->applied, 2u);
  EXPECT_EQ(outcome->stale, 2u);
  const auto actions = actions_of(engine_.asked("/_bulk").at(0).body);
  ASSERT_THAT(actions, SizeIs(2));
  EXPECT_EQ(integer_in(actions[0], "version"), 6);
  EXPECT_EQ(integer_in(actions[1], "version"), 12);
  for (const json::object& action : actions) {
    EXPECT_EQ(text_in(action, "version_type"), "external");
    EXPECT_EQ(text_in(action, "routing"), "acme");
  }
}

TEST_F(EngineThatFails, ATombstoneHasNoContent) {
  ASSERT_TRUE(apply({written("a", 1), {TenantId("acme"), ConversationId("c1"), 2, MessageRemoved{MessageId("a")}}}));
  EXPECT_THAT(engine_.asked("/_bulk").at(0).body, Not(HasSubstr("grub")));
}

TEST_F(EngineThatFails, GarbageIsUnavailable) {
  for (const char* text : {"[]", "{}", R"({"docs":[]})", R"({"docs":[1]})", R"({"docs":"x"})", "no json"}) {
    mget_body_ = text;
    const auto outcome = apply({written("a", 1)});
    ASSERT_FALSE(outcome.has_value()) << text;
    EXPECT_EQ(outcome.error().kind, ErrorKind::kUnavailable) << text;
    const auto page = search();
    ASSERT_FALSE(page.has_value()) << text;
    EXPECT_EQ(page.error().kind, ErrorKind::kUnavailable) << text;
  }
}

TEST_F(EngineThatFails, AnAnswerOfSomeShardsIsNone) {
  present_[std::string("tenant\x1f") + "acme"] = {{"tenant", "acme"}};
  EXPECT_TRUE(search().has_value());
  for (const char* text :
       {R"({"timed_out":true,"hits":{"hits":[]}})", R"({"_shards":{"failed":1},"hits":{"hits":[]}})"}) {
    search_answer_ = {.body = text};
    const auto page = search();
    ASSERT_FALSE(page.has_value()) << text;
    EXPECT_EQ(page.error().kind, ErrorKind::kUnavailable);
  }
}

TEST_F(EngineThatFails, ASearchThatTakesTooLongIsGivenUp) {
  present_[std::string("tenant\x1f") + "acme"] = {{"tenant", "acme"}};
  search_answer_ = {.never = true};
  const auto page = search();
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(page.error().code, "deadline_exceeded");
}

TEST_F(EngineThatFails, HitsThatAreNoneOfOursDoNoHarm) {
  present_[std::string("tenant\x1f") + "acme"] = {{"tenant", "acme"}};
  search_answer_ = {
      .body = R"({"hits":{"total":7,"hits":[1,{"_source":4},{"_source":{"seq":"x","content":[],"file_names":3}}]}})"};
  const auto page = search();
  ASSERT_TRUE(page.has_value());
}

// Nothing that was typed is anything but a text to the engine, and nothing is scored.
TEST(OpenSearchQueries, FilterAndNeverScore) {
  TenantState state;
  state.tenant = TenantId("acme");
  state.serving = 3;
  const SearchScope scope{TenantId("acme"), UserId("u1"), {ConversationId("c2"), ConversationId("c1")}};
  const auto query = make_query(state, scope, parse_query("\"how do\" gr* -x-yes* from:\"a b\" has:file").value());
  ASSERT_TRUE(query.has_value());
  EXPECT_FALSE(query->is_exact());
  const std::string text = json::serialize(query->body());
  EXPECT_THAT(text, HasSubstr(R"({"match_phrase":{"terms":{"query":"how do"}}})"));
  EXPECT_THAT(text, HasSubstr(R"({"prefix":{"terms":{"value":"gr"}}})"));
  EXPECT_THAT(text, HasSubstr(R"({"term":{"tenant":"acme"}})"));
  EXPECT_THAT(text, HasSubstr(R"({"term":{"generation":3}})"));
  EXPECT_THAT(text, HasSubstr(R"({"terms":{"conversation":["c1","c2"]}})"));
  EXPECT_TRUE(query->body().at("bool").as_object().contains("filter"));
  EXPECT_FALSE(make_query(state, scope, parse_query("?!").value()).has_value());
  EXPECT_FALSE(make_query(state, {scope.tenant, scope.caller, {}}, parse_query("a").value()).has_value());
}

TEST(OpenSearchTerms, StandAtThePlacesOfTheirWords) {
  EXPECT_EQ(as_terms("Servers & getName"), "servers|server getname|getnam|get|name");
  EXPECT_EQ(as_terms("会議"), "会|会議 議");
  EXPECT_EQ(as_term("a b|c%\x1f"), "a%20b%7Cc%25%1F");
  EXPECT_EQ(as_terms(""), "");
}

TEST(OpenSearchDocuments, AreOfOneTenantGenerationAndConversation) {
  const Target a{TenantId("t"), 1, false}, b{TenantId("t"), 11, false};
  const MessageId m("m");
  const std::vector<std::string> ids{message_document_id(a, ConversationId("1"), m),
                                     message_document_id(b, ConversationId("1"), m),
                                     message_document_id(a, ConversationId("11"), m),
                                     told_document_id(a, ConversationId("1"), m),
                                     conversation_document_id(a, ConversationId("1")),
                                     erasure_document_id(a, ConversationId("1")),
                                     person_document_id(a, UserId("1"))};
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

}  // namespace
}  // namespace parley::search
