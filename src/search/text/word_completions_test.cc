#include "search/text/word_completions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::search {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> completed(std::string_view typed, std::initializer_list<std::string_view> texts) {
  WordCompletions words(typed);
  for (const std::string_view text : texts) words.add(text);
  return words.most_used(10);
}

TEST(WordCompletions, WordsThatBeginSoComeTheMostUsedFirst) {
  EXPECT_THAT(completed("ub", {"Ubuntu UBUNTU unity", "ubiquity, ubuntu", "ebub"}), ElementsAre("ubuntu", "ubiquity"));
  EXPECT_THAT(completed("Ub", {"ubuntu"}), ElementsAre("ubuntu"));
  EXPECT_THAT(completed("ubuntu", {"ubuntu"}), ElementsAre("ubuntu"));
  EXPECT_THAT(completed("  ub ", {"ubuntu"}), ElementsAre("ubuntu"));
}

TEST(WordCompletions, OneLetterOrSeveralWordsAreNotCompleted) {
  for (const char* typed : {"", " ", "u", "?", "ub un", "apt-g", "ü"}) {
    EXPECT_FALSE(WordCompletions(typed).possible()) << typed;
    EXPECT_THAT(completed(typed, {"ubuntu unity ub un apt-get"}), IsEmpty()) << typed;
  }
}

TEST(WordCompletions, UsesAndTypedCharactersAreCounted) {
  WordCompletions words(" ÜBü ");
  for (const char* text : {"übung Ubuntu", "ubuntu", "nothing"}) words.add(text);
  EXPECT_EQ(words.uses(), 3u);
  EXPECT_EQ(words.typed_characters(), 3u);
  EXPECT_EQ(WordCompletions("북경").typed_characters(), 2u);
  EXPECT_EQ(WordCompletions("").typed_characters(), 0u);
}

TEST(WordCompletions, StemsAreNoWords) {
  EXPECT_THAT(completed("happ", {"happiness"}), ElementsAre("happiness"));
}

TEST(WordCompletions, FoldedSpellingsAreOneWord) {
  EXPECT_THAT(completed("caf", {"Café", "cafe"}), ElementsAre("cafe"));
}

TEST(WordCompletions, CharactersOfScriptsWithoutSpacesAreCompletedToTheEndOfTheirWord) {
  EXPECT_THAT(completed("会議", {"会議は明日です"}), Contains("会議"));
  EXPECT_THAT(completed("북경", {"북경에서 만나요", "북경"}), ElementsAre("북경", "북경에서"));
  EXPECT_THAT(completed("プロ", {"プログラムを書く"}), Contains("プログラム"));
  EXPECT_THAT(completed("ประ", {"ไปประชุมที่โรงเรียน"}), Contains("ประชุม"));
  EXPECT_THAT(completed("ﾌﾟﾛ", {"プログラム"}), Contains("プログラム"));  // half width
}

TEST(WordCompletions, OneCharacterIsEnoughWhereItIsAWord) {
  const auto words = completed("会", {"会議は明日です", "社会"});
  EXPECT_THAT(words, Contains("会議"));
  EXPECT_THAT(words, Each(StartsWith("会")));
}

TEST(WordCompletions, NothingThatIsNotThereIsSuggested) {
  EXPECT_THAT(completed("会議", {"明日", "ubuntu", ""}), IsEmpty());
}

TEST(WordCompletions, ACompletionEndsWhereItsScriptDoes) {
  EXPECT_THAT(completed("会議", {"会議abc", "会議。次", "会議 室"}), ElementsAre("会議"));
}

TEST(WordCompletions, LongAndBrokenTextsAreBounded) {
  std::string text(WordCompletions::kMostBytes, ' ');
  text += "ubuntu";
  EXPECT_THAT(completed("ub", {text}), IsEmpty());
  std::string wide;
  for (int i = 0; i < 10'000; ++i) wide += "会";
  EXPECT_LE(completed("会会", {wide}).size(), 10u);
  EXPECT_LE(completed(wide, {wide}).size(), 10u);
  EXPECT_THAT(completed("ub", {"\xff\xfeubuntu\xff"}), Contains("ubuntu"));
  completed("会議", {"\xe4\xbc", "会\xe8\xad", "\xff会議\xff"});
}

}  // namespace
}  // namespace parley::search
