#include "http/field_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(FieldParameters, AreReadInOrderWithNamesInLowerCase) {
  const auto parsed = parse_parameterized("Multipart/Form-Data ;\tBoundary=abc; Charset=\"utf-8\";;");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->value, "multipart/form-data");
  EXPECT_THAT(parsed->parameters, ElementsAre(Pair("boundary", "abc"), Pair("charset", "utf-8")));
  EXPECT_EQ(*parsed->find("charset"), "utf-8");
  EXPECT_EQ(parsed->find("Charset"), nullptr);
}

TEST(FieldParameters, MayBeNone) {
  const auto parsed = parse_parameterized(" inline ");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->value, "inline");
  EXPECT_THAT(parsed->parameters, IsEmpty());
}

TEST(FieldParameters, InQuotesMayHoldAnythingThatIsNoControl) {
  const auto text = [](std::string_view quoted) {
    const auto parsed = parse_parameterized("a; b=" + std::string(quoted));
    return parsed ? *parsed->find("b") : "malformed";
  };
  EXPECT_EQ(text(R"("")"), "");
  EXPECT_EQ(text(R"("a;b=c, d")"), "a;b=c, d");
  EXPECT_EQ(text(R"("say \"hi\" \\ there")"), R"(say "hi" \ there)");
  EXPECT_EQ(text(R"("C:\files\new.txt")"), R"(C:\files\new.txt)");
  EXPECT_EQ(text("\"ß漢\""), "ß漢");
  EXPECT_EQ(text("ß漢.txt"), "ß漢.txt");
}

TEST(FieldParameters, ThatAreMalformedAreNone) {
  for (const char* bad : {"",           " ",       ";",         ";a=b",      "a b",          "a;b",
                          "a;=c",       "a;b=",    "a;b= c",    "a;b =c",    "a;b=\"c",      "a;b=\"c\\\"",
                          "a;b=\"c\"d", "a;b=c d", "a;b=c;b=d", "a;b=c;B=d", "a;b=\"\r\n\"", "a;b=\"\x01\"",
                          "a;b=\x7f",   "a;b=(c)", "a,b"}) {
    EXPECT_FALSE(parse_parameterized(bad)) << bad;
  }
}

}  // namespace
}  // namespace parley::http
