#include "base/text.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

using std::string_literals::operator""s;

TEST(Utf8, AcceptsEveryLengthUpToTheLastCodePoint) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("plain"));
  EXPECT_TRUE(is_valid_utf8("ß 漢字 \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf"));
}

TEST(Utf8, RefusesOverlongSurrogatesTruncatedAndTooHigh) {
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x98", "\xff", "a\xc3"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

TEST(ControlCharacters, AreFoundInC0DelAndC1) {
  EXPECT_TRUE(has_control_characters("a\nb"));
  EXPECT_TRUE(has_control_characters("a\x7f"));
  EXPECT_TRUE(has_control_characters("\xc2\x85"));
  EXPECT_TRUE(has_control_characters("\0"s));
  EXPECT_FALSE(has_control_characters("\xc2\xa0 é 漢"));
}

TEST(PercentCoding, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a/b c"), "a%2Fb%20c");
}

TEST(PercentCoding, RefusesBrokenEscapes) {
  for (const char* bad : {"%", "%1", "%zz", "a%2"}) EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(Base64Url, RoundTripsAndHasNoPadding) {
  for (const auto& text : {""s, "f"s, "fo"s, "foo"s, "\xff\xfe\x00"s}) {
    const std::string encoded = base64url_encode(text);
    EXPECT_EQ(encoded.find('='), std::string::npos);
    EXPECT_EQ(base64url_decode(encoded), text);
  }
}

TEST(Base64Url, RefusesPaddingForeignCharactersAndNonCanonicalBits) {
  for (const char* bad : {"Zg==", "Zm8=", "Z", "Zh", "Zm9", "a+b/", "Zg\n"}) {
    EXPECT_EQ(base64url_decode(bad), std::nullopt) << bad;
  }
}

TEST(Base64, TakesPaddingWholeOrNone) {
  for (const char* good : {"Zm8=", "Zm8"}) EXPECT_EQ(base64_decode(good), "fo") << good;
  EXPECT_EQ(base64_decode(""), "");
  EXPECT_EQ(base64_decode("Zg=="), "f");
  EXPECT_EQ(base64_decode("+/+/"), "\xfb\xff\xbf");
}

TEST(Base64, RefusesHalfPaddingForeignCharactersAndNonCanonicalBits) {
  for (const char* bad :
       {"=", "==", "====", "Zg=", "Zm8==", "Zm9v====", "Zm9v=", "Zh==", "Zm9=", "a-b_", "Zg ==", "Z", "Z=g="}) {
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  }
}

TEST(Hex, RoundTripsAndRefusesWhatIsNone) {
  EXPECT_EQ(hex_decode("00fFa9"), "\x00\xff\xa9"s);
  EXPECT_EQ(hex_decode(""), "");
  for (const char* bad : {"0", "0g", "0x", " 00", "00 "}) EXPECT_EQ(hex_decode(bad), std::nullopt) << bad;
}

TEST(Utf8, IsMendedByteByByte) {
  EXPECT_EQ(to_valid_utf8("ß 漢"), "ß 漢");
  EXPECT_EQ(to_valid_utf8("a\xff\xc3z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
  EXPECT_EQ(to_valid_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(to_valid_utf8("\xe9t\xc3\xa9"), "\xef\xbf\xbdt\xc3\xa9");
}

TEST(Rfc3339, FormatsUtcMilliseconds) {
  EXPECT_EQ(format_rfc3339(WallTime(std::chrono::milliseconds(0))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(WallTime(std::chrono::milliseconds(1'767'323'045'678))), "2026-01-02T03:04:05.678Z");
}

TEST(Rfc3339, ParsesOffsetsAndFractions) {
  const WallTime expected(std::chrono::milliseconds(1'767'323'045'600));
  for (const char* text : {"2026-01-02T03:04:05.6Z", "2026-01-02T05:04:05.6+02:00", "2026-01-02t03:04:05.600999z",
                           "2026-01-01T22:04:05.600-05:00"}) {
    EXPECT_EQ(parse_rfc3339(text), expected) << text;
  }
}

TEST(Rfc3339, RefusesWhatIsNoDateTime) {
  for (const char* bad :
       {"", "2026-01-02", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:04:05",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zjunk", "2026-01-02T03:04:05+2:00", "2026/01/02T03:04:05Z",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

TEST(HtmlEscape, LeavesNothingThatMarkupIsMadeOf) {
  EXPECT_EQ(html_escape("<a href=\"x\" b='y'>&amp; ünï"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp; ünï");
  std::string out = "<b>";
  append_html_escaped(out, "1 < 2");
  EXPECT_EQ(out, "<b>1 &lt; 2");
  EXPECT_EQ(html_escape(""), "");
}

TEST(ParseU64, TakesWholeDecimalNumbersOnly) {
  EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616"}) {
    EXPECT_EQ(parse_u64(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace parley
