// The service over the embedded index itself: what one makes of the other's words, marks and names.
#include <algorithm>

#include "drivers/sqlite/temp_folder.h"
#include "search/stores/fts5_search_index.h"
#include "search/testing/search_fixture.h"

namespace parley::search::testing {
namespace {

using Ids = std::vector<std::string>;

class ServiceOverFts5 : public SearchFixture {
 protected:
  ServiceOverFts5() {
    auto opened = SqliteSearchIndex::open({.folder = folder_.path() / "search"}, system_clock_);
    CHECK(opened.has_value());
    fts5_ = std::move(*opened);
    service_ = service_over(*fts5_, system_clock_);
  }
  ~ServiceOverFts5() override { service_.reset(); }

  void apply(std::vector<IndexChange> changes) {
    ChangeBatch batch{std::move(changes), {}, {++offset_}};
    ASSERT_TRUE(loop_.run(fts5_->apply(std::move(batch), SteadyTime::max())).has_value());
    progress_.set({offset_});
  }
  // Sent by ada, as the n-th message of the conversation, to store and index.
  std::string say(const std::string& content, const std::string& conversation = "general") {
    const std::string id = make_uuid_v7(clock_.wall_now(), random_);
    messaging_.add_message(id, conversation, content);
    MessageWritten message{
        MessageId(id), ++seq_, UserId("ada"), clock_.wall_now() + std::chrono::seconds(seq_), content, {}, {},
        false,         false};
    apply({{TenantId("acme"), ConversationId(conversation), seq_, std::move(message)}});
    return id;
  }
  json::object found(const std::string& target, const std::string& user = "ada") {
    const Answer answer = client(user).get(target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? answer.json().as_object() : json::object();
  }

  sqlite::TempFolder folder_;
  SystemClock system_clock_;
  std::unique_ptr<SqliteSearchIndex> fts5_;
  std::int64_t offset_ = 7;  // where the fixture begins
  std::int64_t seq_ = 0;
};

TEST_F(ServiceOverFts5, PagesShowEachHitOnceInBothOrders) {
  Ids said;
  for (int i = 0; i < 23; ++i) said.push_back(say("deploy number " + std::to_string(i)));
  for (const char* const sort : {"newest", "relevance"}) {
    Ids seen;
    std::string cursor;
    do {
      const auto page = found(std::string("/search/messages?q=deploy&limit=5&sort=") + sort + cursor);
      EXPECT_EQ(page.at("total").at("value"), 23);
      for (std::string& id : ids_of(page)) seen.push_back(std::move(id));
      const auto& next = page.at("next_cursor");
      cursor = next.is_null() ? "" : "&cursor=" + std::string(next.as_string());
    } while (!cursor.empty() && seen.size() < 100);
    Ids expected = said;
    std::ranges::sort(expected);
    std::ranges::sort(seen);
    EXPECT_EQ(seen, expected) << sort;
  }
}

TEST_F(ServiceOverFts5, HtmlInAMessageNeverComesOutAsHtml) {
  say("<script>alert('deploy')</script> & \"more\"");
  const auto answer = found("/search/messages?q=deploy");
  const std::string highlight(answer.at("items").at(0).at("highlight").as_string());
  EXPECT_NE(highlight.find("<em>deploy</em>"), std::string::npos);
  EXPECT_EQ(highlight.find("<script"), std::string::npos);
  EXPECT_NE(highlight.find("&lt;script&gt;"), std::string::npos);
}

TEST_F(ServiceOverFts5, AMistypedWordIsMendedAndItsPagesGoOn) {
  for (int i = 0; i < 3; ++i) say("the kernel panics");
  const auto first = found("/search/messages?q=kernal&limit=2");
  EXPECT_EQ(first.at("did_you_mean"), "kernel");
  EXPECT_EQ(ids_of(first).size(), 2u);
  const auto second =
      found("/search/messages?q=kernal&limit=2&cursor=" + std::string(first.at("next_cursor").as_string()));
  EXPECT_EQ(ids_of(second).size(), 1u);
  EXPECT_EQ(second.at("did_you_mean"), "kernel");
}

TEST_F(ServiceOverFts5, NothingOfAConversationReachesWhoIsNotInIt) {
  messaging_.membership["eve"] = {};
  say("the kernel panics");
  const auto answer = found("/search/messages?q=kernel", "eve");
  EXPECT_TRUE(answer.at("items").as_array().empty());
  EXPECT_EQ(answer.at("total").at("value"), 0);
  EXPECT_FALSE(found("/search/messages?q=kernal", "eve").contains("did_you_mean"));
  EXPECT_TRUE(found("/search/suggestions?q=ker", "eve").at("items").as_array().empty());
  EXPECT_EQ(found("/search/suggestions?q=ker").at("items").at(0).at("text"), "kernel");
}

TEST_F(ServiceOverFts5, SenderAndConversationAreNamedByIdOrName) {
  const std::string id = say("the kernel panics");
  apply({{TenantId("acme"), ConversationId("general"), 1000, ConversationWritten{"Town square", {}, false, false}},
         {TenantId("acme"), ConversationId(), 1, UserWritten{UserId("ada"), "Ada Lovelace"}}});
  for (const char* const filter :
       {"from=ada", "from=me", "from=Ada%20Lovelace", "in=general", "in=Town%20square", "from=ada&in=general"}) {
    EXPECT_EQ(ids_of(found(std::string("/search/messages?q=kernel&") + filter)), Ids{id}) << filter;
  }
  for (const char* const filter : {"from=ben", "in=elsewhere", "from=ada&in=elsewhere"}) {
    EXPECT_TRUE(ids_of(found(std::string("/search/messages?q=kernel&") + filter)).empty()) << filter;
  }
}

TEST_F(ServiceOverFts5, AFreshWriteIsFoundWithItsPositionAndNotBefore) {
  say("an old deploy");
  const std::string next = position(offset_ + 1);
  EXPECT_EQ(client("ada").get("/search/messages?q=deploy&wait_ms=0&min_position=" + next).code(), "index_behind");
  const std::string id = say("a new deploy");
  const auto ids = ids_of(found("/search/messages?q=deploy&sort=newest&wait_ms=0&min_position=" + next));
  EXPECT_EQ(ids.front(), id);
}

}  // namespace
}  // namespace parley::search::testing
