#include "search/query_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace parley::search {
namespace {

using ::testing::ElementsAre;

Query parsed(std::string_view text) {
  auto query = parse_query(text);
  EXPECT_TRUE(query.has_value()) << text;
  return query.value_or(Query{});
}
Clause word(const char* text) {
  return {.any_of = {{.text = text}}};
}

TEST(QueryParser, WordsMustAllMatch) {
  EXPECT_THAT(parsed("  grub   error\u300017 ").clauses, ElementsAre(word("grub"), word("error"), word("17")));
}

TEST(QueryParser, QuotesMakeOnePhraseAndMayStayOpen) {
  const Clause phrase{.any_of = {{.text = "how do i", .exact = true}}};
  EXPECT_THAT(parsed("\"how do i\"").clauses, ElementsAre(phrase));
  EXPECT_THAT(parsed("\u201Chow do i\u201D").clauses, ElementsAre(phrase));
  EXPECT_THAT(parsed("\"how do i").clauses, ElementsAre(phrase));
}

TEST(QueryParser, AStarAtTheEndIsAPrefixAndAloneIsText) {
  EXPECT_THAT(parsed("inst*").clauses, ElementsAre(Clause{.any_of = {{.text = "inst", .prefix = true}}}));
  EXPECT_THAT(parsed("*").clauses, ElementsAre(word("*")));
}

TEST(QueryParser, MinusExcludesAWordOrAPhrase) {
  EXPECT_THAT(parsed("-kde -\"too slow\" apt-get - x").clauses,
              ElementsAre(Clause{.any_of = {{.text = "kde"}}, .excluded = true},
                          Clause{.any_of = {{.text = "too slow", .exact = true}}, .excluded = true}, word("apt-get"),
                          word("-"), word("x")));
}

TEST(QueryParser, OrJoinsNeighboursAndIsAWordElsewhere) {
  EXPECT_THAT(parsed("a OR b OR c d").clauses,
              ElementsAre(Clause{.any_of = {{.text = "a"}, {.text = "b"}, {.text = "c"}}}, word("d")));
  EXPECT_THAT(parsed("OR a").clauses, ElementsAre(word("OR"), word("a")));
  EXPECT_THAT(parsed("a OR").clauses, ElementsAre(word("a")));
  EXPECT_THAT(parsed("a or b").clauses, ElementsAre(word("a"), word("or"), word("b")));
}

TEST(QueryParser, FiltersAreReadFromTheText) {
  const Query query = parsed("from:u1 From:\"u 2\" in:c1 has:file has:link has:reaction mentions:me grub");
  EXPECT_THAT(query.from, ElementsAre("u1", "u 2"));
  EXPECT_THAT(query.in, ElementsAre("c1"));
  EXPECT_TRUE(query.has_file && query.has_link && query.has_reaction && query.mentions_me && query.has_filter());
  EXPECT_THAT(query.clauses, ElementsAre(word("grub")));
}

TEST(QueryParser, AMinusBeforeAFilterTurnsItAround) {
  const Query query = parsed("-from:u1 -From:\"u 2\" -in:c1 -has:file -has:link -has:reaction -mentions:me grub");
  EXPECT_THAT(query.none_of.from, ElementsAre("u1", "u 2"));
  EXPECT_THAT(query.none_of.in, ElementsAre("c1"));
  EXPECT_TRUE(query.none_of.file && query.none_of.link && query.none_of.reaction && query.none_of.mention_of_me);
  EXPECT_TRUE(query.from.empty() && query.in.empty());
  EXPECT_FALSE(query.has_file || query.has_link || query.has_reaction || query.mentions_me);
  EXPECT_TRUE(query.has_filter());
  EXPECT_THAT(query.clauses, ElementsAre(word("grub")));
  EXPECT_EQ(parsed("-before:2024-02-28").not_before, parse_rfc3339("2024-02-28T00:00:00Z"));
  EXPECT_EQ(parsed("-after:2024-02-28").before, parse_rfc3339("2024-02-29T00:00:00Z"));
  const Query off = parsed("-on:2024-02-28");
  ASSERT_EQ(off.none_of.times.size(), 1u);
  EXPECT_EQ(off.none_of.times[0].begin, parse_rfc3339("2024-02-28T00:00:00Z"));
  EXPECT_EQ(off.none_of.times[0].end, parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(off.not_before || off.before);
  EXPECT_TRUE(off.has_filter());
}

TEST(QueryParser, AMinusBeforeWhatIsNoFilterExcludesItsText) {
  EXPECT_THAT(parsed("-has:cat -before:soon -http://x.y").clauses,
              ElementsAre(Clause{.any_of = {{.text = "has:cat"}}, .excluded = true},
                          Clause{.any_of = {{.text = "before:soon"}}, .excluded = true},
                          Clause{.any_of = {{.text = "http://x.y"}}, .excluded = true}));
  EXPECT_FALSE(parsed("-has:cat").has_filter());
}

TEST(QueryParser, DaysBoundWhatIsFound) {
  EXPECT_EQ(parsed("after:2024-02-28").not_before, parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_EQ(parsed("before:2024-02-28").before, parse_rfc3339("2024-02-28T00:00:00Z"));
  const Query on = parsed("on:2024-02-28");
  EXPECT_EQ(on.not_before, parse_rfc3339("2024-02-28T00:00:00Z"));
  EXPECT_EQ(on.before, parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_EQ(parsed("before:2024-02-28T10:00:00+02:00").before, parse_rfc3339("2024-02-28T08:00:00Z"));
}

TEST(QueryParser, WhatIsNoFilterIsText) {
  EXPECT_THAT(
      parsed("has:cat mentions:you before:soon from: http://x.y").clauses,
      ElementsAre(word("has:cat"), word("mentions:you"), word("before:soon"), word("from:"), word("http://x.y")));
}

TEST(QueryParser, NothingThatIsTypedIsASyntaxError) {
  for (const char* text :
       {"",    " ",        "\"",      "\"\"",   "-",     "--",  "-\"",      "*",         "(",        ")",        "AND",
        "NOT", "a AND (b", "from:\"", "{x}:^y", "a:b:c", "-OR", "OR OR OR", "-from:bob", "\x01\x02", "NEAR(a b)"}) {
    EXPECT_TRUE(parse_query(text).has_value()) << text;
  }
}

TEST(QueryParser, TooLongOrBrokenTextIsRefusedByField) {
  for (const std::string& text : {std::string(kMaxQueryBytes + 1, 'a'), std::string("\xFF\xFE")}) {
    const auto query = parse_query(text);
    ASSERT_FALSE(query.has_value());
    EXPECT_EQ(query.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(query.error().fields.front().path, "query.q");
  }
  EXPECT_TRUE(parse_query(std::string(kMaxQueryBytes, 'a')).has_value());
}

TEST(QueryParser, PhrasesBeyondTheBoundAreLeftOut) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "w" + std::to_string(i) + " ";
  EXPECT_EQ(parsed(text).clauses.size(), kMaxPhrases);
}

}  // namespace
}  // namespace parley::search
