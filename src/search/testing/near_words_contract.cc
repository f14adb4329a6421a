// What every index must answer to a word that nobody wrote, and must not tell.
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST_P(SearchIndexContract, AMistypedWordIsMended) {
  write("a", "the kernel needs ndiswrapper on Ubuntu");
  EXPECT_THAT(near("kernal"), Optional(Eq("kernel")));
  EXPECT_THAT(near("UBUNUT"), Optional(Eq("ubuntu")));
  EXPECT_THAT(near("ndiswraper"), Optional(Eq("ndiswrapper")));
  EXPECT_THAT(near("ndsiwraper"), Optional(Eq("ndiswrapper")));
  EXPECT_EQ(near("ndsiwrapr"), std::nullopt);
}

TEST_P(SearchIndexContract, TheRestOfTheQueryStaysAsItWasTyped) {
  write("a", "kernel panic on Ubuntu");
  EXPECT_THAT(near("Panic kernal -boot"), Optional(Eq("Panic kernel -boot")));
  EXPECT_THAT(near("\"kernal panic\" ubun*"), Optional(Eq("\"kernel panic\" ubun*")));
  EXPECT_THAT(near("boot OR kernal"), Optional(Eq("boot OR kernel")));
  EXPECT_THAT(near("kernal-panic"), Optional(Eq("kernel-panic")));
}

TEST_P(SearchIndexContract, NothingIsMendedWithoutNeed) {
  write("a", "kernel panic");
  for (const char* query :
       {"kernel", "panic kernel", "", "?", "kernels", "abc", "xyzzy", "kernal*", "-kernal", "\U0001F600"}) {
    EXPECT_EQ(near(query), std::nullopt) << query;
  }
}

TEST_P(SearchIndexContract, OfTwoWordsTheNearerIsMeantAndThenTheMoreUsed) {
  write("a", "lines lined lined");
  EXPECT_THAT(near("linez"), Optional(Eq("lined")));
  write("b", "linezz linez linez");
  EXPECT_THAT(near("linezzz"), Optional(Eq("linezz")));
}

TEST_P(SearchIndexContract, NearWordsTellNothingOfWhatIsOutOfScope) {
  write("a", "kernel", "c2");
  write("b", "kernel", "c1", "other");
  write("c", "boot");
  EXPECT_EQ(near("kernal"), std::nullopt);
  EXPECT_EQ(near("kernal", scope({})), std::nullopt);
  EXPECT_THAT(near("kernal", scope({"c1", "c2"})), Optional(Eq("kernel")));
  // A word is mended although others wrote it.
  write("d", "kernal", "c2");
  write("e", "kernel");
  EXPECT_THAT(near("kernal"), Optional(Eq("kernel")));
  apply({removal(++number_, "e")});
  EXPECT_EQ(near("kernal"), std::nullopt);
  SearchScope wide = scope();
  wide.conversations.assign(kMaxScope + 1, ConversationId("c1"));
  EXPECT_FALSE(wait(index().did_you_mean(wide, {}, kNoHurry)).has_value());
}

}  // namespace
}  // namespace parley::search::testing
