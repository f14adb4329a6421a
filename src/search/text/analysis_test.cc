#include "search/text/analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "search/text/fold.h"

namespace parley::search {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// "term" at a new place, "+term" at the place before, each with the text it stands for.
class Recording final : public TokenSink {
 public:
  explicit Recording(std::string_view text) : text_(text) { analyze(text, *this); }
  bool on_token(std::string_view term, std::size_t begin, std::size_t end, bool same_place) override {
    EXPECT_LE(begin, end);
    EXPECT_LE(end, text_.size());
    EXPECT_LE(term.size(), kMaxTermBytes);
    terms.push_back((same_place ? "+" : "") + std::string(term));
    sources.emplace_back(text_.substr(begin, end - begin));
    return true;
  }
  std::vector<std::string> terms, sources;

 private:
  std::string_view text_;
};

TEST(Fold, SpellingsThatReadersTakeForOneFoldToOne) {
  EXPECT_EQ(fold("CAFÉ"), fold("cafe\u0301"));
  EXPECT_EQ(fold("Straße"), "strasse");
  EXPECT_EQ(fold("İI ıi"), "ii ii");
  EXPECT_EQ(fold("Đà Nẵng"), "da nang");
  EXPECT_EQ(fold("ΟΔΌΣ"), fold("οδος"));
  EXPECT_EQ(fold("ＡＢＣ"), "abc");
  EXPECT_EQ(fold("ガ"), "ガ");
  EXPECT_EQ(fold("ｶﾞ"), "ガ");
  EXPECT_EQ(fold("한"), "한");
}

TEST(Fold, VowelSignsOfThaiAndHindiStay) {
  EXPECT_NE(fold("กิน"), fold("กัน"));
  EXPECT_NE(fold("दिल"), fold("दल"));
}

TEST(Analysis, EnglishWordsAlsoGiveTheirStem) {
  const Recording text("The Servers");
  EXPECT_THAT(text.terms, ElementsAre("the", "servers", "+server"));
  EXPECT_THAT(text.sources, ElementsAre("The", "Servers", "Servers"));
}

TEST(Analysis, WordsOfOtherLettersAreLeftAlone) {
  EXPECT_THAT(Recording("cafés столы").terms, ElementsAre("cafes", "столы"));
}

TEST(Analysis, IdentifiersGiveTheirParts) {
  EXPECT_THAT(Recording("apt-get").terms, ElementsAre("apt", "get"));
  EXPECT_THAT(Recording("/etc/fstab").terms, ElementsAre("etc", "fstab"));
  EXPECT_THAT(Recording("foo_bar").terms, ElementsAre("foo", "bar"));
  const Recording camel("getUserById");
  EXPECT_EQ(camel.terms.front(), "getuserbyid");
  EXPECT_THAT(camel.terms, Contains("+user"));
  EXPECT_THAT(camel.terms, Contains("+id"));
  EXPECT_THAT(camel.sources, Contains("User"));
  EXPECT_THAT(Recording("HTTPServer").terms, Contains("+server"));
}

TEST(Analysis, ApostrophesJoinAndPart) {
  EXPECT_THAT(Recording("John\u2019s").terms, ElementsAre("johns", "+john"));
  EXPECT_THAT(Recording("'quoted'").terms, ElementsAre("quoted", "+quot"));
}

TEST(Analysis, UnspacedScriptsGiveCharactersAndPairs) {
  const Recording text("会議室x");
  EXPECT_THAT(text.terms, ElementsAre("会", "+会議", "議", "+議室", "室", "x"));
  EXPECT_THAT(text.sources, ElementsAre("会", "会議", "議", "議室", "室", "x"));
}

TEST(Analysis, BrokenTextGivesWhatIsWholeInIt) {
  EXPECT_THAT(Recording("\xFF\xC3").terms, IsEmpty());
  EXPECT_THAT(Recording("ab\xE4\xBC cd").terms, ElementsAre("ab", "cd"));
  EXPECT_THAT(Recording(std::string_view("a\0b", 3)).terms, ElementsAre("a", "b"));
}

TEST(Analysis, CostIsBounded) {
  EXPECT_LE(Recording(std::string(10 * kMaxTextBytes, 'a')).terms.size(), 2u);
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "a ";
  EXPECT_LE(Recording(many).terms.size(), kMaxTokens);
  std::string letters;
  for (int i = 0; i < 30'000; ++i) letters += "é";
  EXPECT_LE(Recording(letters).terms.size(), 2u);
}

TEST(TermsToFind, AWordIsSoughtByItselfAndItsStem) {
  EXPECT_THAT(terms_to_find("Running", Match::kAlsoStem, 9), ElementsAre(ElementsAre("running", "run")));
  EXPECT_THAT(terms_to_find("Running", Match::kExact, 9), ElementsAre(ElementsAre("running")));
}

TEST(TermsToFind, ARunOfCharactersIsSoughtByItsPairs) {
  EXPECT_THAT(terms_to_find("会議室", Match::kExact, 9), ElementsAre(ElementsAre("会議"), ElementsAre("議室")));
  EXPECT_THAT(terms_to_find("会", Match::kExact, 9), ElementsAre(ElementsAre("会")));
  EXPECT_THAT(terms_to_find("会議 x", Match::kExact, 9),
              ElementsAre(ElementsAre("会議"), ElementsAre("議"), ElementsAre("x")));
}

TEST(TermsToFind, PunctuationAloneIsNothingAndTheBoundHolds) {
  EXPECT_THAT(terms_to_find("?!", Match::kExact, 9), IsEmpty());
  EXPECT_EQ(terms_to_find("a b c d", Match::kExact, 2).size(), 2u);
}

}  // namespace
}  // namespace parley::search
