#include "media/file_name.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/text.h"

namespace parley::media {
namespace {

TEST(SafeFileName, LeavesAGoodNameAlone) {
  for (const char* name : {"a", "report.pdf", ".bashrc", "Ein \"großer\" Plan (2).tar.gz", "会議.txt",
                           "🧑‍🚀🏴󠁧󠁢󠁥󠁮󠁧󠁿.png", "a..b", "100% & <more>; 'x'", "e\u0301.txt",
                           "نص.txt", "क्‍ष.txt"}) {
    EXPECT_EQ(safe_file_name(name), name);
  }
}

TEST(SafeFileName, IsTheLastPartOfAPath) {
  EXPECT_EQ(safe_file_name("/etc/passwd"), "passwd");
  EXPECT_EQ(safe_file_name("../../up.txt"), "up.txt");
  EXPECT_EQ(safe_file_name("C:\\Users\\me\\a.txt"), "a.txt");
  EXPECT_EQ(safe_file_name("folder/"), "folder");
  EXPECT_EQ(safe_file_name("a/b\\c//"), "c");
}

TEST(SafeFileName, IsFileWhereNothingIsLeft) {
  for (const char* name : {"", "/", "\\", ".", "..", "../", "../..", "...", " ", " . ", "\n", "\t\r", "\u202e\u200b"}) {
    EXPECT_EQ(safe_file_name(name), "file") << name;
  }
}

TEST(SafeFileName, HasNoControlCharactersAndNothingThatHidesOrTurnsText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(safe_file_name("two\nlines.txt"), "two lines.txt");
  EXPECT_EQ(safe_file_name("a\r\nSet-Cookie: x\x7f.txt"), "a  Set-Cookie: x .txt");
  EXPECT_EQ(safe_file_name("a\0b.txt"sv), "a b.txt");
  EXPECT_EQ(safe_file_name("next\u0085line\u2028.txt"), "next line .txt");
  EXPECT_EQ(safe_file_name("cod\u202etxt.exe"), "codtxt.exe");
  EXPECT_EQ(safe_file_name("a\u2066b\u2069\u200f\u061c\ufeff.txt"), "ab.txt");
}

TEST(SafeFileName, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(safe_file_name("caf\xe9.txt"), "caf\ufffd.txt");
  EXPECT_EQ(safe_file_name("\xff\xfe"), "\ufffd\ufffd");
  EXPECT_EQ(safe_file_name("\xc0\xaf.txt"), "\ufffd\ufffd.txt");    // an overlong slash
  EXPECT_EQ(safe_file_name("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");  // a surrogate
  EXPECT_EQ(safe_file_name("cut \xf0\x9f\x98"), "cut \ufffd\ufffd\ufffd");
}

TEST(SafeFileName, IsNoDeviceOfWindows) {
  EXPECT_EQ(safe_file_name("CON"), "_CON");
  EXPECT_EQ(safe_file_name("nul.txt"), "_nul.txt");
  EXPECT_EQ(safe_file_name("Com1.tar.gz"), "_Com1.tar.gz");
  EXPECT_EQ(safe_file_name("lpt\u00b2.txt"), "_lpt\u00b2.txt");
  EXPECT_EQ(safe_file_name("aux .h"), "_aux .h");
  for (const char* name : {"console", "com", "com10", "comx", "null", "con1"}) EXPECT_EQ(safe_file_name(name), name);
}

TEST(SafeFileName, HasNoBlanksAroundAndNoDotsAtItsEnd) {
  EXPECT_EQ(safe_file_name("  a.txt  "), "a.txt");
  EXPECT_EQ(safe_file_name("a. . ."), "a");
}

TEST(SafeFileName, ALongOneIsCutBetweenCharactersAndKeepsItsExtension) {
  const std::string stem(996, 'a');
  EXPECT_EQ(safe_file_name(stem + ".pdf"), stem.substr(0, 251) + ".pdf");
  EXPECT_EQ(safe_file_name(stem), stem.substr(0, 255));
  EXPECT_EQ(safe_file_name("a." + stem), "a." + stem.substr(0, 253));
  std::string emoji;
  for (int i = 0; i < 1000; ++i) emoji += "😀";
  const std::string cut = safe_file_name(emoji + ".jpeg");
  EXPECT_EQ(cut, emoji.substr(0, 4 * 62) + ".jpeg");
  EXPECT_EQ(safe_file_name(std::string(250, 'a') + "      b.txt"), std::string(250, 'a') + ".txt");
  EXPECT_EQ(safe_file_name("con" + std::string(300, ' ') + "x.txt"), "_con.txt");
  EXPECT_EQ(safe_file_name("con." + std::string(300, 'x')), "_con." + std::string(250, 'x'));
}

TEST(SafeFileName, OfAnyBytesIsAGoodNameAndStaysAsItIs) {
  SeededRandom random(7);
  static constexpr std::string_view kPieces[] = {"a",    "/",      "\\", ".",   " ",    "\n", "\x80",
                                                 "\xe2", "\u202e", "😀", "con", "\xff", "é"};
  for (int round = 0; round < 20'000; ++round) {
    std::string raw;
    for (std::uint64_t i = random.below(round % 10 == 0 ? 400 : 12); i > 0; --i)
      raw += kPieces[random.below(std::size(kPieces))];
    const std::string name = safe_file_name(raw);
    ASSERT_TRUE(is_valid_utf8(name));
    ASSERT_GE(name.size(), 1u);
    ASSERT_LE(name.size(), 255u);
    ASSERT_FALSE(has_control_characters(name));
    ASSERT_EQ(name.find_first_of("/\\"), std::string::npos);
    ASSERT_FALSE(is_dot_segment(name));
    ASSERT_EQ(safe_file_name(name), name);
  }
}

}  // namespace
}  // namespace parley::media
