#include "search/reindexer.h"

#include "search/tenant_reader.h"
#include "search/testing/indexing_fixture.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReindexerTest : public IndexingFixture {
 protected:
  // Rooms with messages of every fate, and people.
  void fill(const char* tenant = "acme") {
    on_loop([this, tenant] {
      for (const char* id : {"c1", "c2", "c3", "c4", "c5"}) {
        chat_.make_conversation(id, "room", tenant);
        for (int i = 0; i < 9; ++i) chat_.say(id, std::string(id) + std::to_string(i), tenant);
      }
      chat_.remove("c1", chat_.say("c1", "removed", tenant), tenant);
      chat_.edit("c2", chat_.say("c2", "before", tenant), "after", tenant);
      chat_.react("c3", chat_.say("c3", "liked", tenant), true, tenant);
      chat_.erase_conversation("c4", tenant);
      for (const char* id : {"ada", "ben", "eve"}) chat_.name_user(id, "Name", tenant);
    });
    caught_up();
  }
  void expect_all_is_store(const char* tenant = "acme") {
    for (const char* id : {"c1", "c2", "c3", "c4", "c5"}) expect_index_is_store(id, tenant);
    const auto& generation = index_.serving[TenantId(tenant)];
    EXPECT_EQ(generation.entries.size(), 4u + 3u);
    for (const auto& [id, document] : generation.documents.at(ConversationId("c3"))) {
      EXPECT_EQ(document.message.has_reaction, document.message.content == "liked") << document.message.content;
    }
  }
  // A job that ended before the restart, or soon after it, may be unknown by now.
  ReindexState ended_or_unknown(const std::string& id) {
    for (;;) {
      const auto state = wait(at_->reindexer.state(id, std::nullopt, in_time()));
      if (!state) return {};
      if (state->phase != ReindexPhase::kRunning) return *state;
    }
  }
  // Something that no event will mend.
  void damage() {
    on_loop([this] {
      auto& documents = index_.serving[TenantId("acme")].documents;
      documents[ConversationId("c1")].erase(documents[ConversationId("c1")].begin());
      documents[ConversationId("c2")].begin()->second.message.content = "other";
      documents[ConversationId("c5")][MessageId("nobody")] = {.number = 99, .live = true, .message = {}};
      index_.serving[TenantId("acme")].entries.clear();
    });
  }
};

TEST_F(ReindexerTest, BuildsWhatTheStoreHoldsWhateverTheIndexHeld) {
  fill();
  damage();
  const std::string id = reindex();
  const ReindexState state = ended(id);
  EXPECT_EQ(state.phase, ReindexPhase::kDone);
  EXPECT_EQ(state.tenant, TenantId("acme"));
  EXPECT_EQ(state.tenants, 1);
  EXPECT_EQ(state.tenants_done, 1);
  EXPECT_EQ(state.messages, 9 * 4 + 2);
  EXPECT_EQ(state.conversations, 4);
  EXPECT_EQ(state.users, 3);
  EXPECT_EQ(state.progress, 1);
  EXPECT_TRUE(state.finished_at);
  expect_all_is_store();
  EXPECT_TRUE(index_.building.empty());
}

TEST_F(ReindexerTest, LiveEventsAndTheReindexMeet) {
  fill();
  MessageId early, gone;
  on_loop([&, this] {
    early = chat_.say("c2", "edited meanwhile");
    gone = chat_.say("c3", "removed meanwhile");
  });
  caught_up();
  int step = 0;
  // Between two steps, at each of them, the store changes on both sides of where the reader is.
  on_loop([&, this] {
    index_.before_step = [&, this] {
      const std::string text = "live " + std::to_string(++step);
      chat_.say("c1", text);
      chat_.edit("c2", early, text);
      if (step < 6) chat_.react("c5", chat_.say("c5", "reacted " + text), true);
      if (step == 2) chat_.remove("c3", gone);
      if (step == 3) chat_.make_conversation("c0");
      if (step > 3) chat_.say("c0", text);
      if (step == 6) chat_.erase_conversation("c5");
    };
  });
  ended(reindex());
  index_.before_step = {};
  caught_up();
  for (const char* id : {"c0", "c1", "c2", "c3", "c4", "c5"}) expect_index_is_store(id);
  EXPECT_GT(step, 6);
}

TEST_F(ReindexerTest, AReactionOfAnEditedMessageIsKept) {
  on_loop([this] {
    chat_.make_conversation("c1");
    const MessageId id = chat_.say("c1", "before");
    chat_.react("c1", id, true);
    chat_.edit("c1", id, "after");
  });
  caught_up();
  ended(reindex());
  const auto& documents = index_.serving[TenantId("acme")].documents.at(ConversationId("c1"));
  EXPECT_TRUE(documents.begin()->second.message.has_reaction);
}

TEST_F(ReindexerTest, AfterAKillAtAnyStepItGoesOnFromThereAndEndsTheSame) {
  fill();
  damage();
  std::string id = reindex();
  ended(id);
  const int steps_in_all = index_.steps;
  ASSERT_GT(steps_in_all, 5);
  for (int kill_at = 1; kill_at <= steps_in_all; ++kill_at) {
    damage();
    index_.steps = 0;
    std::promise<void> there;
    int step = 0;
    on_loop([&, this] {
      index_.before_step = [&, this] {
        if (++step != kill_at) return;
        at_->reindexer.close([] {});  // the last thing that it does
        there.set_value();
      };
    });
    id = reindex();
    there.get_future().wait();
    stop();
    EXPECT_EQ(step, kill_at);
    index_.before_step = {};
    chat_.say("c1", "while it was away");
    start();
    caught_up();
    const ReindexState state = ended_or_unknown(id);
    EXPECT_NE(state.phase, ReindexPhase::kFailed);
    EXPECT_LE(index_.steps, steps_in_all + 2 + kill_at / 4) << "it began again at " << kill_at;
    expect_all_is_store();
  }
}

TEST_F(ReindexerTest, ASecondOneOfATenantIsToldTheFirstOnesId) {
  fill();
  fill("other");
  // Begun in one go on the loop, so the first has not ended when the second asks.
  const auto both = [](Reindexer& reindexer) -> Task<std::pair<ReindexStart, ReindexStart>> {
    auto one = co_await reindexer.start(TenantId("acme"), in_time());
    auto two = co_await reindexer.start(TenantId("acme"), in_time());
    co_return std::pair(one.value(), two.value());
  };
  const auto [one, two] = wait(both(at_->reindexer));
  EXPECT_FALSE(one.already_running);
  EXPECT_TRUE(two.already_running);
  EXPECT_EQ(two.state.id, one.state.id);
  EXPECT_EQ(ended(one.state.id).phase, ReindexPhase::kDone);
  EXPECT_NE(reindex(), one.state.id);
}

TEST_F(ReindexerTest, OneThatCannotBeginTakesNothingFromTheOneUnderWay) {
  fill();
  const auto both = [this](Reindexer& reindexer) -> Task<std::string> {
    auto one = co_await reindexer.start(TenantId("acme"), in_time());
    index_.begin_failures = 1;
    auto refused = co_await reindexer.start(TenantId("acme"), in_time());
    EXPECT_EQ(refused.error().code, "overloaded");
    auto two = co_await reindexer.start(TenantId("acme"), in_time());
    EXPECT_TRUE(two->already_running);
    co_return one->state.id;
  };
  const std::string id = wait(both(at_->reindexer));
  EXPECT_EQ(ended(id).phase, ReindexPhase::kDone);
  expect_all_is_store();
}

TEST_F(ReindexerTest, OneThatIsJustBeginningIsNotTakenForOneLeftOver) {
  fill();
  on_loop([this] { index_.after_begin = [this] { at_->reindexer.resume(); }; });
  const std::string id = reindex();
  on_loop([this] { index_.after_begin = {}; });
  ended(id);
  ended(reindex());  // whatever was queued before has had its turn by now
  const ReindexState state = ended(id);
  EXPECT_EQ(state.phase, ReindexPhase::kDone) << state.failure;
  EXPECT_EQ(state.tenants_done, 1);
}

TEST_F(ReindexerTest, OneWhosePlaceAnotherTookLeavesThatOneAlone) {
  fill();
  int step = 0;
  on_loop([&, this] {
    index_.before_step = [&, this] {
      if (++step == 3) index_.building[TenantId("acme")] = {{.id = "another", .tenant = TenantId("acme")}, {}};
    };
  });
  EXPECT_EQ(ended(reindex()).phase, ReindexPhase::kFailed);
  on_loop([this] {
    index_.before_step = {};
    const auto& [state, generation] = index_.building.at(TenantId("acme"));
    EXPECT_EQ(state.id, "another");
    EXPECT_EQ(state.messages, 0);
    EXPECT_TRUE(generation.documents.empty());
  });
  expect_all_is_store();
}

TEST_F(ReindexerTest, EveryTenantIsOneJobAndMeetsThoseOfSingleTenants) {
  fill();
  fill("other");
  const auto both = [](Reindexer& reindexer) -> Task<std::pair<ReindexStart, ReindexStart>> {
    auto one = co_await reindexer.start(TenantId("other"), in_time());
    auto all = co_await reindexer.start(std::nullopt, in_time());
    co_return std::pair(one.value(), all.value());
  };
  const auto [one, refused] = wait(both(at_->reindexer));
  EXPECT_TRUE(refused.already_running);
  EXPECT_EQ(refused.state.id, one.state.id);
  ended(one.state.id);
  EXPECT_TRUE(index_.building.empty()) << "acme's was taken back";

  const auto started = wait(at_->reindexer.start(std::nullopt, in_time()));
  ASSERT_TRUE(started);
  EXPECT_FALSE(started->state.tenant);
  const ReindexState state = ended(started->state.id);
  EXPECT_EQ(state.phase, ReindexPhase::kDone);
  EXPECT_EQ(state.tenants_done, 2);
  EXPECT_EQ(state.messages, 2 * (9 * 4 + 2));
  expect_all_is_store();
  expect_all_is_store("other");
}

TEST_F(ReindexerTest, OfAReindexOfAllEachTenantSeesItsOwnPart) {
  fill();
  fill("other");
  on_loop([this] { chat_.say("c1", "one more", "other"); });
  const auto look = [](Reindexer& reindexer) -> Task<std::pair<std::string, std::vector<Result<ReindexState>>>> {
    const auto all = co_await reindexer.start(std::nullopt, in_time());
    const auto refused = co_await reindexer.start(TenantId("acme"), in_time());
    EXPECT_TRUE(refused->already_running);
    EXPECT_EQ(refused->state.id, all->state.id);
    std::vector<Result<ReindexState>> seen{refused->state};
    for (const char* tenant : {"acme", "other", "third"}) {
      seen.push_back(co_await reindexer.state(all->state.id, TenantId(tenant), in_time()));
    }
    co_return std::pair(all->state.id, std::move(seen));
  };
  const auto [id, seen] = wait(look(at_->reindexer));
  EXPECT_EQ(seen[0]->tenant, TenantId("acme"));
  EXPECT_EQ(seen[1]->phase, ReindexPhase::kRunning);
  EXPECT_EQ(seen[1]->tenants, 1);
  EXPECT_EQ(seen[3].error().kind, ErrorKind::kNotFound);
  ended(id);
  const auto part = [&](const char* tenant) {
    return wait(at_->reindexer.state(id, TenantId(tenant), in_time())).value();
  };
  for (const char* tenant : {"acme", "other"}) {
    EXPECT_EQ(part(tenant).tenant, TenantId(tenant));
    EXPECT_EQ(part(tenant).phase, ReindexPhase::kDone);
    EXPECT_EQ(part(tenant).tenants, 1);
    EXPECT_EQ(part(tenant).tenants_done, 1);
    EXPECT_EQ(part(tenant).progress, 1);
    EXPECT_TRUE(part(tenant).finished_at);
  }
  EXPECT_EQ(part("acme").messages, 9 * 4 + 2);
  EXPECT_EQ(part("other").messages, 9 * 4 + 3);
  EXPECT_EQ(part("acme").users, 3);
}

TEST_F(ReindexerTest, WhatFailedForOneTenantIsNotToldToAnother) {
  fill();
  fill("other");
  const auto begin_and_fail = [](Reindexer& reindexer, ChatModel& chat) -> Task<std::string> {
    auto all = co_await reindexer.start(std::nullopt, in_time());
    chat.away = TenantId("other");
    co_return all->state.id;
  };
  const std::string id = wait(begin_and_fail(at_->reindexer, chat_));
  EXPECT_EQ(ended(id).phase, ReindexPhase::kFailed);
  const auto of_acme = wait(at_->reindexer.state(id, TenantId("acme"), in_time()));
  EXPECT_EQ(of_acme->phase, ReindexPhase::kDone);
  EXPECT_EQ(of_acme->failure, "");
  EXPECT_EQ(wait(at_->reindexer.state(id, TenantId("other"), in_time()))->phase, ReindexPhase::kFailed);
}

TEST_F(ReindexerTest, ATenantIsKnownByWhatTheStoreOrTheIndexHas) {
  fill();
  on_loop([this] { chat_.name_user("zoe", "Zoe", "people alone"); });
  caught_up();
  const auto known = [&](const char* tenant) {
    return wait(at_->reindexer.is_known(TenantId(tenant), in_time())).value();
  };
  EXPECT_TRUE(known("acme"));
  EXPECT_TRUE(known("people alone"));
  EXPECT_FALSE(known("acne"));
  on_loop([this] {
    index_.serving[TenantId("left behind")].documents[ConversationId("c1")][MessageId("m")] = {
        .number = 1, .live = true, .message = {}};
  });
  EXPECT_TRUE(known("left behind"));
  on_loop([this] { chat_.scan_failures = 1; });
  EXPECT_FALSE(wait(at_->reindexer.is_known(TenantId("acme"), in_time())));
}

TEST_F(ReindexerTest, WithoutATenantThereIsNothingToDo) {
  const auto started = wait(at_->reindexer.start(std::nullopt, in_time()));
  ASSERT_TRUE(started);
  EXPECT_EQ(started->state.phase, ReindexPhase::kDone);
}

TEST_F(ReindexerTest, AStoreOrAnIndexThatFailsForAWhileIsAskedAgain) {
  fill();
  damage();
  on_loop([this] { chat_.scan_failures = 2; });
  const std::string id = reindex();
  on_loop([this] { index_.failures = 2; });
  EXPECT_EQ(ended(id).phase, ReindexPhase::kDone);
  expect_all_is_store();
}

TEST_F(ReindexerTest, AnswersThatGetLostDoNotMatter) {
  fill();
  for (int lost = 1; lost < 5; ++lost) {
    damage();
    const std::string id = reindex();
    on_loop([&, this] { index_.lost_answers = lost; });
    EXPECT_EQ(ended(id).phase, ReindexPhase::kDone);
    on_loop([this] { index_.lost_answers = 0; });
    expect_all_is_store();
  }
}

TEST_F(ReindexerTest, AStoreThatStaysAwayEndsItWithAReasonAndTheOldIndexServes) {
  fill();
  const auto before = indexed("c1");
  const auto begin_and_fail = [](Reindexer& reindexer, ChatModel& chat) -> Task<Result<ReindexStart>> {
    auto started = co_await reindexer.start(TenantId("acme"), in_time());
    chat.scan_failures = 1'000'000;
    co_return started;
  };
  const auto started = wait(begin_and_fail(at_->reindexer, chat_));
  const ReindexState state = ended(started->state.id);
  EXPECT_EQ(state.phase, ReindexPhase::kFailed);
  EXPECT_THAT(state.failure, HasSubstr("store is away"));
  EXPECT_EQ(indexed("c1"), before);
  on_loop([this] { chat_.scan_failures = 0; });
  EXPECT_EQ(ended(reindex()).phase, ReindexPhase::kDone);
}

TEST_F(ReindexerTest, WhatTheIndexRefusesIsLeftOutAndNothingElse) {
  fill();
  on_loop([this] { index_.refused_content = "c13"; });
  EXPECT_EQ(ended(reindex()).phase, ReindexPhase::kDone);
  auto expected = chat_.contents("c1");
  std::erase(expected, "c13");
  EXPECT_THAT(indexed("c1"), ::testing::UnorderedElementsAreArray(expected));
  expect_index_is_store("c2");
}

TEST_F(ReindexerTest, AnIdThatIsNoneIsNotFound) {
  EXPECT_EQ(wait(at_->reindexer.state("nobody", std::nullopt, in_time())).error().kind, ErrorKind::kNotFound);
}

TEST_F(ReindexerTest, CachesHearOfTheSwap) {
  fill();
  const Changes before = wait(changes_.since("", 0, in_time()));
  ended(reindex());
  const Changes after = wait(changes_.since(before.instance, before.through, in_time()));
  EXPECT_THAT(after.tenants, ElementsAre(TenantId("acme")));
}

TEST_F(ReindexerTest, WhatIsLeftOfOldIndexesIsSweptAfterAReindexAndAfterAStart) {
  fill();
  on_loop([this] { index_.sweeps_left = 3; });
  const std::string id = reindex();
  ended(id);
  int left = 1;
  while (left > 0) on_loop([&] { left = index_.sweeps_left; });
  index_.sweeps_left = 2;
  restart();
  left = 1;
  while (left > 0) on_loop([&] { left = index_.sweeps_left; });
}

TEST(TenantReader, AnUnreadableCursorBeginsAtTheBeginning) {
  SystemClock clock;
  ChatModel chat(clock);
  for (const char* cursor : {"", "{", "[]", R"({"stage":"nowhere"})", R"({"stage":7})"}) {
    EXPECT_FALSE(TenantReader(chat, TenantId("acme"), cursor, 4).at_end()) << cursor;
  }
  EXPECT_TRUE(TenantReader(chat, TenantId("acme"), R"({"stage":"end"})", 4).at_end());
}

}  // namespace
}  // namespace parley::search::testing
