#include <fmt/format.h>

#include "search/query_parser.h"
#include "search/testing/directory_contract.h"

namespace parley::search::testing {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::vector<Suggestion> DirectoryContract::suggestions(std::string prefix, SearchScope in, std::size_t limit) {
  auto made = wait(index().suggest({.scope = std::move(in), .prefix = std::move(prefix), .limit = limit}, kNoHurry));
  EXPECT_TRUE(made.has_value());
  return made.value_or(std::vector<Suggestion>{});
}
std::vector<std::string> DirectoryContract::suggested_names(std::string prefix, SearchScope in, std::size_t limit) {
  std::vector<std::string> names;
  for (const Suggestion& each : suggestions(std::move(prefix), std::move(in), limit)) {
    const char* kind = each.kind == SuggestionKind::kWord           ? "word:"
                       : each.kind == SuggestionKind::kConversation ? "conversation:"
                                                                    : "user:";
    names.push_back(kind + each.text);
  }
  return names;
}

namespace {

TEST_P(DirectoryContract, SuggestionsAreWordsThenConversationsThenPeople) {
  write("a", "design designer design");
  name("c1", "Design Team");
  person("u7", "Desiree");
  const auto made = suggestions("desi", scope());
  ASSERT_THAT(made, SizeIs(4));
  EXPECT_EQ(made[0].text, "design");
  EXPECT_EQ(made[0].kind, SuggestionKind::kWord);
  EXPECT_EQ(made[0].id, "");
  EXPECT_EQ(made[1].text, "designer");
  EXPECT_EQ(made[2].text, "Design Team");
  EXPECT_EQ(made[2].kind, SuggestionKind::kConversation);
  EXPECT_EQ(made[2].id, "c1");
  EXPECT_EQ(made[3].text, "Desiree");
  EXPECT_EQ(made[3].kind, SuggestionKind::kUser);
  EXPECT_EQ(made[3].id, "u7");
}

TEST_P(DirectoryContract, OfSeveralWordsTheLastIsCompletedAsItStandsWithTheOthers) {
  write("a", "grub rescue mode, rescue it");
  write("b", "Reset grub");
  write("c", "kernel resize");
  write("x", "grub respawn", "c2");
  EXPECT_THAT(suggested_names("grub res", scope(), 10), ElementsAre("word:grub rescue", "word:grub reset"));
  EXPECT_THAT(suggested_names("  GRUB   res ", scope(), 10), ElementsAre("word:GRUB   rescue", "word:GRUB   reset"));
  EXPECT_THAT(suggested_names("grub rescue mod", scope(), 10), ElementsAre("word:grub rescue mode"));
  EXPECT_THAT(suggested_names("kernel resc", scope(), 10), IsEmpty());
  EXPECT_THAT(suggested_names("res grub", scope(), 10), IsEmpty());  // "res" is a word once another follows
  EXPECT_THAT(suggested_names("grub r", scope(), 10), IsEmpty());
  EXPECT_THAT(suggested_names("-kernel res", scope(), 10), ElementsAre("word:-kernel rescue", "word:-kernel reset"));
  EXPECT_THAT(suggested_names("from:ben res", scope(), 1), ElementsAre("word:from:ben rescue"));
  write("d", "\u6771\u4EAC \u4F1A\u8B70");
  EXPECT_THAT(suggested_names("\u6771\u4EAC\u3000\u4F1A", scope(), 10),
              Contains("word:\u6771\u4EAC\u3000\u4F1A\u8B70"));
  name("c1", "Grub Rescuers");
  EXPECT_THAT(suggested_names("grub res", scope(), 10), Contains("conversation:Grub Rescuers"));
}

TEST_P(DirectoryContract, SuggestionsLeaveRoomForEachKind) {
  std::string words;
  for (int i = 0; i < 30; ++i) {
    words += fmt::format("design{} ", i);
    name(fmt::format("r{}", i).c_str(), fmt::format("Design {}", i));
    person(fmt::format("p{}", i).c_str(), fmt::format("Desi {}", i));
  }
  write("a", words);
  SearchScope in = scope();
  for (int i = 0; i < 30; ++i) in.conversations.emplace_back(fmt::format("r{}", i));
  for (const std::size_t limit : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{10}, kMaxHits}) {
    const auto made = suggested_names("desi", in, limit);
    EXPECT_THAT(made, SizeIs(std::min<std::size_t>(limit, 90)));
    if (limit < 3) continue;
    EXPECT_THAT(made, Contains(StartsWith("word:")));
    EXPECT_THAT(made, Contains(StartsWith("conversation:")));
    EXPECT_THAT(made, Contains(StartsWith("user:")));
  }
  EXPECT_THAT(suggested_names("desi", scope({"r1"}), 4), SizeIs(4));  // what one kind lacks the others have
}

TEST_P(DirectoryContract, SuggestionsOfWordsAndRoomsComeFromTheScopeAlone) {
  write("a", "ubuntu", "c1");
  write("b", "ubiquity", "c2");
  write("x", "ubports", "c1", "other");
  name("c2", "Ubuntu secrets");
  name("c1", "Ubuntu of others", {}, "other");
  person("u1", "Ubaldo");
  person("u2", "Ubba", "other");
  EXPECT_THAT(suggested_names("ub", scope()), ElementsAre("word:ubuntu", "user:Ubaldo"));
  EXPECT_THAT(suggested_names("ubu", scope()), ElementsAre("word:ubuntu"));
  EXPECT_THAT(suggested_names("ubun", scope()), ElementsAre("word:ubuntu"));
  EXPECT_THAT(suggested_names("ubiq", scope()), IsEmpty());
  EXPECT_THAT(suggested_names("ub", scope({})), ElementsAre("user:Ubaldo"));
  EXPECT_THAT(suggested_names("ub", scope({"unknown"})), ElementsAre("user:Ubaldo"));
  EXPECT_THAT(suggested_names("ub", scope({"c1"}, "other")),
              ElementsAre("word:ubports", "conversation:Ubuntu of others", "user:Ubba"));
  EXPECT_THAT(suggested_names("ub", scope({"c1"}, "nowhere")), IsEmpty());
}

TEST_P(DirectoryContract, WhatOthersWroteDoesNotMoveWhatIsSuggestedToMe) {
  write("a", "ubuntu ubiquity ubuntu");
  const auto before = suggested_names("ub", scope());
  for (int i = 0; i < 50; ++i) write(fmt::format("o{}", i).c_str(), "ubiquity ubports", "c2");
  for (int i = 0; i < 50; ++i) write(fmt::format("p{}", i).c_str(), "ubiquity ubports", "c1", "other");
  EXPECT_EQ(suggested_names("ub", scope()), before);
  EXPECT_EQ(suggested_names("ubiq", scope()), std::vector<std::string>{"word:ubiquity"});
}

TEST_P(DirectoryContract, WordsAreSuggestedHoweverManyOthersWroteSince) {
  write("a", "ubuntu");
  std::vector<IndexChange> changes;
  for (int i = 0; i < 5000; ++i) {
    changes.push_back(change(++number_, message(fmt::format("o{}", i).c_str(), "kernel ubports"), "c2"));
  }
  apply(std::move(changes));
  EXPECT_THAT(suggested_names("ub", scope()), ElementsAre("word:ubuntu"));
  EXPECT_THAT(suggested_names("ubun", scope()), ElementsAre("word:ubuntu"));
}

TEST_P(DirectoryContract, AnOldWordIsSuggestedOnceEnoughOfItIsTyped) {
  std::vector<IndexChange> changes{change(++number_, message("a", "ndiswrapper"))};
  for (int i = 0; i < 5000; ++i) {
    changes.push_back(change(++number_, message(fmt::format("o{}", i).c_str(), "kernel")));
  }
  apply(std::move(changes));
  EXPECT_THAT(suggested_names("ndis", scope()), ElementsAre("word:ndiswrapper"));
}

TEST_P(DirectoryContract, AWordOfTheLastOfManyRoomsIsSuggestedOnceEnoughOfItIsTyped) {
  SearchScope many = scope();
  for (int i = 0; i < 150; ++i) many.conversations.emplace_back(fmt::format("r{}", i));
  write("a", "ndiswrapper", "r149");
  write("b", "会議", "r149");
  EXPECT_THAT(suggested_names("ndis", many), ElementsAre("word:ndiswrapper"));
  EXPECT_THAT(suggested_names("会議", many), ElementsAre("word:会議"));
  many.conversations.pop_back();
  EXPECT_THAT(suggested_names("ndis", many), IsEmpty());
  EXPECT_THAT(suggested_names("会議", many), IsEmpty());
}

TEST_P(DirectoryContract, CharactersOfScriptsWithoutSpacesAreCompleted) {
  write("zh", "北京会议室");
  write("ja", "会議は明日です");
  write("ko", "북경에서 만나요");
  write("th", "ไปประชุมที่โรงเรียน");
  EXPECT_THAT(suggested_names("会議", scope()), Contains("word:会議"));
  EXPECT_THAT(suggested_names("会", scope()), Contains("word:会議"));
  EXPECT_THAT(suggested_names("북경", scope()), Contains("word:북경"));
  EXPECT_THAT(suggested_names("북경에", scope()), Contains("word:북경에서"));
  EXPECT_THAT(suggested_names("ประชุ", scope()), Contains("word:ประชุม"));
  EXPECT_THAT(suggested_names("会議", scope({"c2"})), IsEmpty());
  EXPECT_THAT(suggested_names("会議", scope({"c1"}, "other")), IsEmpty());
  EXPECT_THAT(suggested_names("大阪", scope()), IsEmpty());
}

TEST_P(DirectoryContract, CompletionsOfDeletedAndEditedMessagesAreGone) {
  auto said = message("a", "topsecret 機密会議");
  apply({change(1, said)});
  EXPECT_THAT(suggested_names("tops", scope()), ElementsAre("word:topsecret"));
  said.content = "harmless";
  apply({change(2, said)});
  for (const char* typed : {"to", "tops", "機密"}) EXPECT_THAT(suggested_names(typed, scope()), IsEmpty()) << typed;
  apply({removal(3, "a")});
  for (const char* typed : {"ha", "harm"}) EXPECT_THAT(suggested_names(typed, scope()), IsEmpty()) << typed;
}

TEST_P(DirectoryContract, SeveralTypedWordsSuggestNamesToo) {
  write("a", "ada lovelace");
  person("u7", "Ada Lovelace");
  name("c1", "Lovelace and Ada");
  EXPECT_THAT(suggested_names("ada lov", scope()),
              ElementsAre("word:ada lovelace", "conversation:Lovelace and Ada", "user:Ada Lovelace"));
}

TEST_P(DirectoryContract, APersonWithoutANameIsSuggestedByTheId) {
  person("irc:nick", "");
  EXPECT_THAT(suggested_names("irc", scope()), ElementsAre("user:irc:nick"));
}

TEST_P(DirectoryContract, TopicsAreNotSuggested) {
  name("c1", "Design", "about zebras");
  name("c2", std::nullopt, "zebras");
  EXPECT_THAT(suggested_names("zeb", scope({"c1", "c2"})), IsEmpty());
}

TEST_P(DirectoryContract, ANameWithHtmlIsSuggestedAsTheTextItIs) {
  name("c1", "<b>Design</b>");
  EXPECT_THAT(suggested_names("desi", scope()), ElementsAre("conversation:<b>Design</b>"));
}

TEST_P(DirectoryContract, NothingTypedSuggestsNothing) {
  write("a", "ubuntu");
  name("c1", "Design");
  person("u1", "Ada");
  for (const char* typed : {"", " ", "\t", "?", "*", "%"}) EXPECT_THAT(suggestions(typed, scope()), IsEmpty()) << typed;
}

TEST_P(DirectoryContract, WhatCannotBeSuggestedForIsRefused) {
  const SuggestRequest fine{.scope = scope(), .prefix = "ab"};
  const auto refused = [&](SuggestRequest request) {
    const auto answer = wait(index().suggest(std::move(request), kNoHurry));
    return !answer.has_value() && answer.error().kind == ErrorKind::kInvalid;
  };
  for (const std::string& text : {std::string(kMaxQueryBytes + 1, 'a'), std::string("\xff"), std::string("a\xc3")}) {
    SuggestRequest request = fine;
    request.prefix = text;
    EXPECT_TRUE(refused(request));
  }
  for (const std::size_t limit : {std::size_t{0}, kMaxHits + 1}) {
    SuggestRequest request = fine;
    request.limit = limit;
    EXPECT_TRUE(refused(request));
  }
  SuggestRequest wide = fine;
  wide.scope.conversations.assign(kMaxScope + 1, ConversationId("c1"));
  EXPECT_TRUE(refused(wide));
}

TEST_P(DirectoryContract, GarbageSuggestsNothingAndHarmsNothing) {
  write("a", "near and not or body scope words");
  for (const std::string& text : {std::string("NEAR(a"), std::string("body:gr"),
                                  std::string("\x01"
                                              "c1"),
                                  std::string("\x02"
                                              "bo"),
                                  std::string("a\"b"), std::string("'; DROP TABLE documents; --"),
                                  std::string(kMaxQueryBytes, 'z'), std::string("a\0b", 3)}) {
    suggestions(text, scope());
  }
  EXPECT_THAT(suggested_names("\x01"
                              "c1",
                              scope()),
              IsEmpty());
  EXPECT_THAT(suggested_names("bod", scope()), ElementsAre("word:body"));
}

}  // namespace
}  // namespace parley::search::testing
