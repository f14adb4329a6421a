// What every index must keep while one of a tenant is built beside the one that serves.
#include <set>

#include "search/query_parser.h"
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_P(SearchIndexContract, TheOldIndexServesUntilTheNewOneIsFinished) {
  write("a", "old grub");
  write("lost", "grub that the store does not have");
  ASSERT_TRUE(begin_rebuild().has_value());
  add_to_rebuild({change(0, message("a", "new grub")), change(0, message("b", "new boot"), "c2")});
  EXPECT_THAT(found("grub", scope({"c1", "c2"})), ElementsAre("lost", "a"));
  EXPECT_THAT(found("new", scope({"c1", "c2"})), IsEmpty());
  EXPECT_EQ(count("c2"), 0);
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_THAT(found("grub", scope({"c1", "c2"})), ElementsAre("a"));
  EXPECT_THAT(found("old", scope({"c1", "c2"})), IsEmpty());
  EXPECT_THAT(suggested("ne", scope({"c2"})), ElementsAre("new"));
  EXPECT_EQ(count("c1"), 1);
  EXPECT_EQ(count("c2"), 1);
  sweep_all();
  EXPECT_THAT(found("grub"), ElementsAre("a"));
}

// Messages of one second stand in the new index in another order, so that going on there would leave some out.
TEST_P(SearchIndexContract, PagesThatBeganBeforeASwapDoNotGoOnInTheNewIndex) {
  const auto begin = [](Sort sort, const char* tenant) {
    SearchRequest request{.scope = scope({"c1", "c2"}), .query = parse_query("grub").value(), .sort = sort, .limit = 2};
    request.scope.tenant = TenantId(tenant);
    return request;
  };
  std::vector<IndexChange> changes, anew;
  for (int i = 1; i <= 5; ++i) {
    for (const char* room : {"c1", "c2"}) {
      const std::string id = room + std::to_string(i);
      changes.push_back(change(i, message(id.c_str(), "grub"), room));
      changes.push_back(change(i, message(id.c_str(), "grub"), room, "other"));
    }
  }
  for (const char* room : {"c1", "c2"}) {
    for (int i = 1; i <= 5; ++i) anew.push_back(change(0, message((room + std::to_string(i)).c_str(), "grub"), room));
  }
  apply(std::move(changes));
  ASSERT_TRUE(begin_rebuild().has_value());
  add_to_rebuild(std::move(anew));
  std::vector<SearchRequest> begun;
  for (const Sort sort : {Sort::kRelevance, Sort::kNewest}) {
    begun.push_back(begin(sort, "acme"));
    begun.back().after = page(begun.back()).next;
    ASSERT_TRUE(begun.back().after);
    EXPECT_THAT(page(begun.back()).items, SizeIs(2));  // while both are there, it goes on in the old one
  }
  SearchRequest of_other = begin(Sort::kNewest, "other");
  of_other.after = page(of_other).next;
  ASSERT_TRUE(finish_rebuild().has_value());
  for (const SearchRequest& request : begun) {
    const auto answer = wait(index().search(request, kNoHurry));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(answer.error().code, "invalid_cursor");
    EXPECT_EQ(answer.error().fields.front().path, "query.cursor");
    SearchRequest again = request;
    std::set<std::string> seen;
    for (again.after.reset();;) {
      const SearchPage next = page(again);
      for (const Hit& hit : next.items) seen.insert(hit.id.value);
      if (!next.next) break;
      again.after = next.next;
    }
    EXPECT_THAT(seen, SizeIs(10));
  }
  EXPECT_THAT(page(of_other).items, SizeIs(2));
}

TEST_P(SearchIndexContract, ARebuildOfATenantLeavesTheOthersAlone) {
  std::vector<IndexChange> changes;
  for (int i = 1; i <= 20; ++i) changes.push_back(change(i, message(std::to_string(i).c_str(), "grub")));
  apply(std::move(changes));
  write("x", "grub", "c1", "other");
  ASSERT_TRUE(begin_rebuild().has_value());
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_GT(sweep_all(3), 5);
  EXPECT_THAT(found("grub"), IsEmpty());
  EXPECT_THAT(found("grub", scope({"c1"}, "other")), ElementsAre("x"));
}

TEST_P(SearchIndexContract, ASecondRebuildOfATenantIsRefusedWithTheFirstOnesId) {
  ASSERT_TRUE(begin_rebuild("first").has_value());
  const auto second = begin_rebuild("second");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(second.error().code, "rebuild_running");
  EXPECT_EQ(second.error().detail, "first");
  EXPECT_TRUE(begin_rebuild("third", "other").has_value());
  ASSERT_TRUE(abandon_rebuild("first").has_value());
  EXPECT_TRUE(begin_rebuild("fourth").has_value());
}

TEST_P(SearchIndexContract, WhatIsNotBeingRebuiltIsNotFound) {
  write("a", "grub");
  const auto step = wait(index().add_to_rebuild(TenantId("acme"), "r1", {}, kNoHurry));
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().code, "rebuild_unknown");
  EXPECT_EQ(step.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(finish_rebuild().has_value());
  EXPECT_FALSE(abandon_rebuild().has_value());
  EXPECT_FALSE(finish_rebuild("r1", "unknown").has_value());
  EXPECT_THAT(rebuilds(), IsEmpty());
  EXPECT_THAT(found("grub"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, ARebuildIsTouchedByWhoeverNamesItAlone) {
  ASSERT_TRUE(begin_rebuild("old").has_value());
  ASSERT_TRUE(abandon_rebuild("old").has_value());
  ASSERT_TRUE(begin_rebuild("new").has_value());
  ASSERT_TRUE(begin_rebuild("others", "other").has_value());
  const TenantId tenant("acme");
  for (const char* id : {"old", "others", "never", "", "NEW", "new "}) {
    RebuildStep late{.changes = {change(0, message("late", "grub"))}, .cursor = "late", .messages = 1};
    const auto added = wait(index().add_to_rebuild(tenant, id, std::move(late), kNoHurry));
    ASSERT_FALSE(added.has_value()) << id;
    EXPECT_EQ(added.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(added.error().code, "rebuild_unknown");
    EXPECT_EQ(finish_rebuild(id).error().code, "rebuild_unknown") << id;
    EXPECT_EQ(abandon_rebuild(id).error().code, "rebuild_unknown") << id;
  }
  const auto running = rebuilds();
  ASSERT_THAT(running, SizeIs(2));
  EXPECT_EQ(running[0].id, "new");
  EXPECT_EQ(running[0].cursor, "");
  EXPECT_EQ(running[0].messages, 0);
  add_to_rebuild({change(0, message("a", "grub"))}, "", "new");
  ASSERT_TRUE(finish_rebuild("new").has_value());
  EXPECT_THAT(found("grub"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, AnAbandonedRebuildLeavesNothing) {
  write("a", "grub");
  ASSERT_TRUE(begin_rebuild().has_value());
  add_to_rebuild({change(0, message("b", "grub"))});
  ASSERT_TRUE(abandon_rebuild().has_value());
  write("c", "grub");
  sweep_all();
  EXPECT_THAT(found("grub"), ElementsAre("c", "a"));
  ASSERT_TRUE(begin_rebuild().has_value());
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_THAT(found("grub"), IsEmpty());
}

TEST_P(SearchIndexContract, ARebuildGoesOnAfterARestartWhereItWas) {
  write("a", "grub");
  ASSERT_TRUE(begin_rebuild("r7").has_value());
  add_to_rebuild({change(0, message("a", "grub"))}, "c1:1", "r7");
  under_test_->reopen();
  const auto running = rebuilds();
  ASSERT_THAT(running, SizeIs(1));
  EXPECT_EQ(running[0].id, "r7");
  EXPECT_EQ(running[0].tenant, TenantId("acme"));
  EXPECT_EQ(running[0].cursor, "c1:1");
  EXPECT_EQ(running[0].messages, 1);
  const RebuildState state = add_to_rebuild({change(0, message("b", "grub"))}, "c1:2", "r7");
  EXPECT_EQ(state.messages, 2);
  EXPECT_EQ(finish_rebuild("r7").value().messages, 2);
  EXPECT_THAT(rebuilds(), IsEmpty());
  EXPECT_THAT(found("grub"), ElementsAre("b", "a"));
}

TEST_P(SearchIndexContract, WhatEventsWriteMeanwhileIsInBoth) {
  ASSERT_TRUE(begin_rebuild().has_value());
  write("a", "live grub");
  EXPECT_THAT(found("live"), ElementsAre("a"));
  add_to_rebuild({change(0, message("a", "stale grub"))});
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_THAT(found("live"), ElementsAre("a"));
  EXPECT_THAT(found("stale"), IsEmpty());
}

TEST_P(SearchIndexContract, WhatEventsRemovedMeanwhileStaysGone) {
  write("a", "grub");
  write("b", "grub", "c2");
  ASSERT_TRUE(begin_rebuild().has_value());
  apply({removal(++number_, "a"), erasure(++number_, "c2")});
  add_to_rebuild({change(0, message("a", "grub")), change(0, message("b", "grub"), "c2")});
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_THAT(found("grub", scope({"c1", "c2"})), IsEmpty());
}

TEST_P(SearchIndexContract, ARemovalThatTheStoreTellsIsFinal) {
  ASSERT_TRUE(begin_rebuild().has_value());
  add_to_rebuild({removal(0, "a"), change(0, message("b", "grub")), removal(0, "b")});
  apply({change(1, message("a", "grub"))});
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_EQ(apply({change(2, message("a", "grub"))}).stale, 1u);
  EXPECT_THAT(found("grub"), IsEmpty());
}

TEST_P(SearchIndexContract, ReactionsMeetARebuildInEitherOrder) {
  for (const char* name : {"early", "late", "gone", "edited"}) write(name, "grub");
  ASSERT_TRUE(begin_rebuild().has_value());
  const auto of_store = [&](const char* name, bool any) {
    auto said = message(name, "grub");
    said.has_reaction = any;
    return change(0, said);
  };
  apply({reaction(11, "early", true), reaction(12, "gone", true), reaction(13, "gone", false),
         change(14, message("edited", "grub"))});
  add_to_rebuild({of_store("early", false), of_store("late", false), of_store("gone", true), of_store("edited", true)});
  apply({reaction(15, "late", true)});
  ASSERT_TRUE(finish_rebuild().has_value());
  EXPECT_THAT(found("has:reaction"), UnorderedElementsAre("early", "late", "edited"));
  EXPECT_THAT(found("grub"), SizeIs(4));
}

}  // namespace
}  // namespace parley::search::testing
