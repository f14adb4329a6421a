// What every index must keep of changes that are no plain messages, and tell to those who compare it with the store.
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(SearchIndexContract, WhatIsNewerThanAnErasureStaysAndTheRestIsSweptAway) {
  std::vector<IndexChange> changes;
  for (int i = 1; i <= 20; ++i) changes.push_back(change(i, message(("o" + std::to_string(i)).c_str(), "grub")));
  changes.push_back(change(22, message("new", "grub")));
  changes.push_back(removal(23, "gone"));
  changes.push_back(erasure(21));
  apply(std::move(changes));
  EXPECT_THAT(found("grub"), ElementsAre("new"));
  EXPECT_EQ(apply({change(22, message("gone", "grub"))}).stale, 1u);
  sweep_all();
  EXPECT_THAT(found("grub"), ElementsAre("new"));
  EXPECT_EQ(count(), 1);
}

TEST_P(SearchIndexContract, ReactionsComeAndGoAndAnEditKeepsThem) {
  write("a", "grub");
  apply({reaction(5, "a", true)});
  EXPECT_THAT(found("has:reaction"), ElementsAre("a"));
  EXPECT_EQ(apply({reaction(5, "a", false), reaction(4, "a", false), reaction(9, "unknown", true)}).stale, 3u);
  apply({change(6, message("a", "grub edited"))});
  EXPECT_THAT(found("has:reaction edited"), ElementsAre("a"));
  apply({reaction(7, "a", false)});
  EXPECT_THAT(found("has:reaction"), IsEmpty());
  EXPECT_THAT(found("edited"), ElementsAre("a"));
  apply({removal(8, "a")});
  EXPECT_EQ(apply({reaction(9, "a", true)}).stale, 1u);
  EXPECT_THAT(found("has:reaction"), IsEmpty());
}

TEST_P(SearchIndexContract, AFileThatHasNoNameIsAFile) {
  auto said = message("a", "grub");
  said.has_file = true;
  apply({change(1, said), change(2, message("b", "grub"))});
  EXPECT_THAT(found("grub has:file"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, DeadLettersAreKeptOnceWithTheirBatch) {
  EXPECT_EQ(wait(index().dead_letters(kNoHurry)).value(), 0);
  const DeadLetter letter{.offset = {7},
                          .event = EventId("e7"),
                          .type = "message.created",
                          .tenant = TenantId("acme"),
                          .key = "c1",
                          .reason = "data: no content"};
  auto other = letter;
  other.offset = {8};
  for (int i = 0; i < 2; ++i) {
    ChangeBatch batch{.changes = {}, .dead_letters = {letter, other}, .through = {8}};
    EXPECT_TRUE(wait(index().apply(std::move(batch), kNoHurry)).has_value());
  }
  under_test_->reopen();
  EXPECT_EQ(wait(index().dead_letters(kNoHurry)).value(), 2);
  EXPECT_EQ(wait(index().indexed_through(kNoHurry)).value().value, 8);
}

TEST_P(SearchIndexContract, TheOffsetGoesBackWhenTheIndexIsToFollowFromThere) {
  const auto follow_from = [this](std::int64_t offset) {
    EXPECT_TRUE(wait(index().follow_from({offset}, kNoHurry)).has_value());
  };
  const auto letter = [](std::int64_t offset) {
    return DeadLetter{.offset = {offset}, .event = EventId("e"), .type = "t", .tenant = {}, .key = {}, .reason = {}};
  };
  const auto through = [this] { return wait(index().indexed_through(kNoHurry)).value().value; };
  const auto bury = [&](std::int64_t offset) {
    ChangeBatch batch{.changes = {}, .dead_letters = {letter(offset)}, .through = {offset}};
    EXPECT_TRUE(wait(index().apply(std::move(batch), kNoHurry)).has_value());
  };
  write("a", "grub");
  for (const std::int64_t offset : {3, 4, 5, 9}) bury(offset);
  follow_from(4);
  EXPECT_EQ(through(), 4);
  EXPECT_EQ(wait(index().dead_letters(kNoHurry)).value(), 2) << "the later ones are of no event that comes";
  under_test_->reopen();
  EXPECT_EQ(through(), 4);
  EXPECT_EQ(search("grub").indexed_through.value, 4);
  EXPECT_THAT(found("grub"), ElementsAre("a"));

  bury(5);
  apply({}, 2);
  EXPECT_EQ(through(), 5) << "a late batch moves nothing back";
  EXPECT_EQ(wait(index().dead_letters(kNoHurry)).value(), 3);
  follow_from(20);
  EXPECT_EQ(through(), 20);
  EXPECT_EQ(wait(index().dead_letters(kNoHurry)).value(), 3);
  follow_from(0);
  EXPECT_EQ(through(), 0);
  EXPECT_EQ(wait(index().dead_letters(kNoHurry)).value(), 0);
}

TEST_P(SearchIndexContract, ANewIndexIsAtTheBeginningOfOneLane) {
  EXPECT_THAT(wait(index().lanes(kNoHurry)).value(), ElementsAre(LaneProgress{}));
  apply({change(1, message("a", "grub"))}, 5);
  EXPECT_THAT(wait(index().lanes(kNoHurry)).value(), ElementsAre(LaneProgress{.lane = 0, .through = {5}}));
}

TEST_P(SearchIndexContract, TheIndexIsAsFarAsItsLeastLane) {
  const auto through = [this] { return wait(index().indexed_through(kNoHurry)).value().value; };
  const auto advance = [this](std::vector<LaneProgress> lanes, std::int32_t count) {
    ChangeBatch batch{.changes = {}, .dead_letters = {}, .through = {}, .lanes = std::move(lanes), .lane_count = count};
    EXPECT_TRUE(wait(index().apply(std::move(batch), kNoHurry)).has_value());
  };
  advance({{.lane = 1, .through = {7}, .next = 3}}, 3);
  EXPECT_EQ(through(), 0) << "of two lanes nothing came";
  advance({{.lane = 0, .through = {9}, .next = 2}, {.lane = 2, .through = {8}, .next = 11}}, 3);
  EXPECT_EQ(through(), 7);
  EXPECT_EQ(search("grub").indexed_through.value, 7);
  advance({{.lane = 1, .through = {12}, .next = 4}}, 3);
  EXPECT_EQ(through(), 8);
  under_test_->reopen();
  EXPECT_EQ(through(), 8);
  EXPECT_THAT(wait(index().lanes(kNoHurry)).value(), ElementsAre(LaneProgress{.lane = 0, .through = {9}, .next = 2},
                                                                 LaneProgress{.lane = 1, .through = {12}, .next = 4},
                                                                 LaneProgress{.lane = 2, .through = {8}, .next = 11}));
}

TEST_P(SearchIndexContract, NeitherNumberOfALaneGoesBack) {
  const auto advance = [this](LaneProgress lane) {
    ChangeBatch batch{.changes = {}, .dead_letters = {}, .through = {}, .lanes = {lane}, .lane_count = 1};
    EXPECT_TRUE(wait(index().apply(std::move(batch), kNoHurry)).has_value());
  };
  advance({.lane = 0, .through = {9}, .next = 20});
  advance({.lane = 0, .through = {5}, .next = 22});  // repeated events, further on in the lane
  advance({.lane = 0, .through = {10}, .next = 19});
  EXPECT_THAT(wait(index().lanes(kNoHurry)).value(), ElementsAre(LaneProgress{.lane = 0, .through = {10}, .next = 22}));
}

TEST_P(SearchIndexContract, ALogWithMoreLanesThanBeforeWaitsForTheNewOnes) {
  const auto through = [this] { return wait(index().indexed_through(kNoHurry)).value().value; };
  apply({}, 30);  // a log read whole
  ChangeBatch batch{.lanes = {{.lane = 0, .through = {40}, .next = 2}}, .lane_count = 2};
  EXPECT_TRUE(wait(index().apply(std::move(batch), kNoHurry)).has_value());
  EXPECT_EQ(through(), 0);
  batch = {.lanes = {{.lane = 1, .through = {35}, .next = 1}}, .lane_count = 2};
  EXPECT_TRUE(wait(index().apply(std::move(batch), kNoHurry)).has_value());
  EXPECT_EQ(through(), 35);
}

TEST_P(SearchIndexContract, LanesToFollowTakeThePlaceOfAllOthers) {
  const auto follow = [this](std::vector<LaneProgress> lanes) {
    EXPECT_TRUE(wait(index().follow_lanes(std::move(lanes), kNoHurry)).has_value());
  };
  const std::vector<LaneProgress> two{{.lane = 0, .through = {50}, .next = 5}, {.lane = 1, .through = {50}, .next = 6}};
  write("a", "grub");
  follow(two);
  EXPECT_EQ(wait(index().indexed_through(kNoHurry)).value().value, 50);
  under_test_->reopen();
  EXPECT_EQ(wait(index().lanes(kNoHurry)).value(), two);
  follow({{.lane = 0, .through = {3}, .next = 1}});
  EXPECT_THAT(wait(index().lanes(kNoHurry)).value(), ElementsAre(LaneProgress{.lane = 0, .through = {3}, .next = 1}));
  EXPECT_EQ(wait(index().indexed_through(kNoHurry)).value().value, 3);
  EXPECT_THAT(found("grub"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, LookupTellsTextsAndNamesOfFilesApart) {
  auto said = message("a", "grub\nmenu");
  said.seq = 7;
  said.file_names = {"menu.lst"};
  apply({change(1, said), change(2, message("b", "")), change(3, message("c", "gone")), removal(4, "c")});
  EXPECT_THAT(contents({"b", "a", "c", "unknown"}), ElementsAre("", "grub\nmenu"));
  EXPECT_THAT(contents({"a"}, "c2"), IsEmpty());
  EXPECT_THAT(contents({"a"}, "c1", "other"), IsEmpty());
  EXPECT_THAT(found("menu.lst"), ElementsAre("a"));
  const auto held = wait(index().lookup(TenantId("acme"), ConversationId("c1"), {id_of("a")}, kNoHurry)).value();
  EXPECT_EQ(held[0].seq, 7);
  EXPECT_THAT(held[0].file_names, ElementsAre("menu.lst"));
}

TEST_P(SearchIndexContract, ConversationsAreListedWithTheirMessages) {
  for (const char* conversation : {"b", "a", "d", "c"}) write("m", "grub", conversation);
  write("n", "grub", "a");
  write("x", "grub", "e", "other");
  apply({removal(++number_, "m", "c")});
  using List = std::vector<std::pair<std::string, std::int64_t>>;
  const auto list = [&](std::optional<ConversationId> after, std::size_t limit, const char* tenant = "acme") {
    List listed;
    for (const IndexedConversation& each :
         wait(index().indexed_conversations(TenantId(tenant), after, limit, kNoHurry)).value()) {
      listed.emplace_back(each.id.value, each.messages);
    }
    return listed;
  };
  EXPECT_EQ(list(std::nullopt, 2), (List{{"a", 2}, {"b", 1}}));
  EXPECT_EQ(list(ConversationId("b"), 2), (List{{"d", 1}}));
  EXPECT_EQ(list(ConversationId("d"), 2), List{});
  EXPECT_EQ(list(std::nullopt, 9, "other"), (List{{"e", 1}}));
  EXPECT_EQ(list(std::nullopt, 9, "unknown"), List{});
}

}  // namespace
}  // namespace parley::search::testing
