#include "search/text/name_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "search/query_parser.h"
#include "search/text/highlight.h"

namespace parley::search {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::optional<NameFit> fit_of(std::string_view typed, std::string_view name, std::string_view topic = {}) {
  const Lines spellings = spelling_lines({name}), terms = term_lines({name}), topic_terms = term_lines({topic});
  const auto found = fit(make_name_query(typed), {.spellings = spellings, .terms = terms, .topic_terms = topic_terms});
  return found ? std::optional(found->fit) : std::nullopt;
}

TEST(NameMatch, AnExactNameFitsBetterThanOneThatBeginsSoAndThatBetterThanWords) {
  EXPECT_EQ(fit_of("general", "General"), NameFit::kExact);
  EXPECT_EQ(fit_of("gen", "General"), NameFit::kBegins);
  EXPECT_EQ(fit_of("gen", "The general room"), NameFit::kWords);
  EXPECT_EQ(fit_of("gen", "random", "about generators"), NameFit::kTopic);
  EXPECT_EQ(fit_of("general", "gen"), std::nullopt);
}

TEST(NameMatch, WordsMayStandInAnyOrderAndAllMustBeThere) {
  EXPECT_EQ(fit_of("lov ad", "Ada Lovelace"), NameFit::kWords);
  EXPECT_EQ(fit_of("ada lov", "Ada Lovelace"), NameFit::kBegins);
  EXPECT_EQ(fit_of("ada byron", "Ada Lovelace"), std::nullopt);
  EXPECT_EQ(fit_of("ada prog", "Ada", "programs"), NameFit::kTopic);
}

TEST(NameMatch, CaseAccentsSpacesAndMarksOfAddressDoNotCount) {
  for (const char* typed : {"JOSÉ nunez", "  jose   núñez ", "@jose nunez", "#José Núñez"}) {
    EXPECT_EQ(fit_of(typed, "José Núñez"), NameFit::kExact) << typed;
  }
  EXPECT_EQ(fit_of("strasse", "Straße"), NameFit::kExact);
  EXPECT_EQ(fit_of("Ⅷ", "VIII"), NameFit::kExact);
}

TEST(NameMatch, ScriptsWithoutSpacesAreFoundInTheMiddleOfAName) {
  EXPECT_EQ(fit_of("会議", "東京会議室"), NameFit::kWords);
  EXPECT_EQ(fit_of("議室", "東京会議室"), NameFit::kWords);
  EXPECT_EQ(fit_of("会", "東京会議室"), NameFit::kWords);
  EXPECT_EQ(fit_of("東京", "東京会議室"), NameFit::kBegins);
  EXPECT_EQ(fit_of("북경", "여행 북경에서"), NameFit::kWords);
  EXPECT_EQ(fit_of("ประชุม", "ห้องประชุม"), NameFit::kWords);
  EXPECT_EQ(fit_of("大阪", "東京会議室"), std::nullopt);
}

TEST(NameMatch, PartsOfIdentifiersAreFound) {
  EXPECT_EQ(fit_of("get", "apt-get"), NameFit::kWords);
  EXPECT_EQ(fit_of("apt-g", "apt-get"), NameFit::kBegins);
  EXPECT_EQ(fit_of("nick", "irc:nick"), NameFit::kWords);
  EXPECT_EQ(fit_of("team", "AlphaTeam"), NameFit::kWords);
  EXPECT_EQ(fit_of("brien", "Pat O'Brien"), NameFit::kWords);
}

TEST(NameMatch, NothingTypedFindsNothing) {
  for (const char* typed : {"", "  ", "\t\n"}) {
    EXPECT_TRUE(make_name_query(typed).empty());
    EXPECT_EQ(fit_of(typed, "general"), std::nullopt);
    EXPECT_EQ(fit_of(typed, ""), std::nullopt);
  }
}

TEST(NameMatch, ANameOfSignsIsFoundByThem) {
  EXPECT_EQ(fit_of("???", "???"), NameFit::kExact);
  EXPECT_EQ(fit_of("?", "???"), NameFit::kBegins);
  EXPECT_EQ(fit_of("?", "why?"), std::nullopt);
  EXPECT_EQ(fit_of("#", "#"), NameFit::kExact);
  EXPECT_EQ(fit_of("🎉", "party 🎉"), NameFit::kWords);
}

TEST(NameMatch, BrokenAndOversizedTextsAreBounded) {
  const std::string longest(100'000, 'a');
  EXPECT_LE(spelling_of(longest).size(), kMaxSpellingBytes);
  EXPECT_LE(make_name_query(longest).whole.size(), kMaxSpellingBytes);
  std::string words;
  for (int i = 0; i < 10'000; ++i) words += "w" + std::to_string(i) + " ";
  EXPECT_THAT(split_lines(term_lines({words})), SizeIs(kMaxNameTerms));
  EXPECT_LE(make_name_query(words).words.size(), kMaxPhrases);
  std::string wide;
  for (int i = 0; i < 200; ++i) wide += "会";
  const std::string spelling = spelling_of(wide);
  EXPECT_LE(spelling.size(), kMaxSpellingBytes);
  EXPECT_EQ(spelling.size() % 3, 0u);  // no character cut in two
  EXPECT_EQ(fit_of("\xff\xfe", "general"), std::nullopt);
}

TEST(NameMatch, TheBestSpellingAndTheFirstTermSayWhereANameStands) {
  const Lines spellings = spelling_lines({"Ada Andersson", "ada-1"}), terms = term_lines({"Ada Andersson", "ada-1"});
  const NameTerms ada{.spellings = spellings, .terms = terms, .topic_terms = {}};
  EXPECT_THAT(split_lines(spellings), ElementsAre("ada andersson", "ada-1"));
  EXPECT_EQ(fit(make_name_query("ada"), ada)->by, "ada andersson");
  EXPECT_EQ(fit(make_name_query("ada-"), ada)->by, "ada-1");
  EXPECT_EQ(fit(make_name_query("and a"), ada)->by, "andersson");
}

TEST(NameMatch, LinesAreSortedAndEachIsThereOnce) {
  EXPECT_EQ(term_lines({"b a B"}), "\na\nb\n");
  EXPECT_EQ(term_lines({}), "");
  EXPECT_EQ(spelling_lines({""}), "");
  EXPECT_THAT(split_lines(""), ::testing::IsEmpty());
  EXPECT_THAT(split_lines("\na\nb\n"), ElementsAre("a", "b"));
}

TEST(NameMatch, WhatWasTypedLightsUpInTheName) {
  EXPECT_EQ(highlight("Ada <b>Lovelace</b>", make_name_query("lov").as_query()),
            "Ada &lt;b&gt;<em>Lovelace</em>&lt;/b&gt;");
  EXPECT_EQ(highlight("東京会議室", make_name_query("会議").as_query()), "東京<em>会議</em>室");
  EXPECT_THAT(make_name_query("b a b").words, ElementsAre("b", "a"));
}

}  // namespace
}  // namespace parley::search
