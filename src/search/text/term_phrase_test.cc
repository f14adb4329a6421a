#include "search/text/term_phrase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "search/query_parser.h"

namespace parley::search {
namespace {

using ::testing::ElementsAre;

std::vector<TermPhrase> phrases_of_text(const char* query) {
  return phrases_of(parse_query(query).value().clauses.at(0));
}
std::vector<int> counts(const char* query, const char* text) {
  std::vector<int> numbers;
  for (const char byte : PhraseCounts(phrases_of_text(query)).tally(text)) {
    numbers.push_back(static_cast<unsigned char>(byte));
  }
  return numbers;
}

TEST(TermPhrase, AWordIsLookedForByItsStemToo) {
  EXPECT_THAT(phrases_of_text("servers"), ElementsAre(TermPhrase{{"servers"}}, TermPhrase{{"server"}}));
  EXPECT_THAT(phrases_of_text("\"servers\""), ElementsAre(TermPhrase{{"servers"}}));
  EXPECT_THAT(phrases_of_text("apt-ge*"), ElementsAre(TermPhrase{{"apt", "ge"}, true}));
  EXPECT_THAT(phrases_of_text("a*"), ElementsAre(TermPhrase{{"a"}, false}));
}

TEST(TermPhrase, OccurrencesAreCountedAsTheIndexHasThem) {
  EXPECT_THAT(counts("boot", "boot Boot booted reboot"), ElementsAre(3));
  EXPECT_THAT(counts("\"how do i\"", "how do I know how do you do how do i"), ElementsAre(2));
  EXPECT_THAT(counts("get-ap*", "get-apple get-b get apt getAp"), ElementsAre(2));
  EXPECT_THAT(counts("gr*", "grub grubs a ground of gold"), ElementsAre(3));
  EXPECT_THAT(counts("user", "getUserById users"), ElementsAre(2));
  EXPECT_THAT(counts("会議", "会議の会議室"), ElementsAre(2));
  EXPECT_THAT(counts("x", ""), ElementsAre(0));
}

TEST(TermPhrase, ACountEndsAt255) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "boot ";
  EXPECT_THAT(counts("boot", text.c_str()), ElementsAre(255));
}

}  // namespace
}  // namespace parley::search
