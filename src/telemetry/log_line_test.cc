#include "telemetry/log_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/random.h"
#include "base/text.h"

namespace parley::log_detail {
namespace {

using namespace std::literals;
using testing::HasSubstr;

const WallTime kTime(std::chrono::milliseconds(1'767'323'045'678));

std::string json(std::string_view message, std::initializer_list<LogField> fields = {}, WallTime time = kTime) {
  return std::string(LogLine(time, LogLevel::kInfo, message, {fields.begin(), fields.size()}, false).text());
}

std::string pretty(std::string_view message, std::initializer_list<LogField> fields = {}) {
  return std::string(LogLine(kTime, LogLevel::kWarn, message, {fields.begin(), fields.size()}, true).text());
}

// What a JSON reader makes of a text value; the whole line must be valid JSON in valid UTF-8.
std::string read_back(std::string_view text) {
  const std::string line = json("m", {{"k", text}});
  EXPECT_TRUE(is_valid_utf8(line));
  return std::string(boost::json::parse(line).at("k").as_string());
}

TEST(LogLine, IsOneJsonObjectWithTimeLevelAndMessage) {
  EXPECT_EQ(json("started"), "{\"ts\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"msg\":\"started\"}\n");
}

TEST(LogLine, WritesEachKindOfValue) {
  EXPECT_EQ(json("m", {{"text", "a b"},
                       {"int", -3},
                       {"big", UINT64_MAX},
                       {"ratio", 0.25},
                       {"yes", true},
                       {"no", false},
                       {"least", INT64_MIN},
                       {"string", "x"s},
                       {"view", std::string_view("y")}}),
            "{\"ts\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"msg\":\"m\",\"text\":\"a b\",\"int\":-3,"
            "\"big\":18446744073709551615,\"ratio\":0.25,\"yes\":true,\"no\":false,\"least\":-9223372036854775808,"
            "\"string\":\"x\",\"view\":\"y\"}\n");
}

TEST(LogLine, WritesNumbersThatJsonLacksAsNull) {
  EXPECT_THAT(json("m", {{"a", std::nan("")}, {"b", HUGE_VAL}, {"c", -HUGE_VAL}}),
              HasSubstr("\"a\":null,\"b\":null,\"c\":null}"));
  EXPECT_NO_THROW(boost::json::parse(json("m", {{"a", 1e300}, {"b", 5e-324}, {"c", 1e21}})));
}

TEST(LogLine, TimesArePaddedAndCutToMilliseconds) {
  EXPECT_THAT(json("m", {}, WallTime(std::chrono::milliseconds(0))), HasSubstr("\"1970-01-01T00:00:00.000Z\""));
  EXPECT_THAT(json("m", {}, WallTime(std::chrono::milliseconds(7))), HasSubstr("\"1970-01-01T00:00:00.007Z\""));
  EXPECT_THAT(json("m", {}, WallTime(std::chrono::milliseconds(999))), HasSubstr("\"1970-01-01T00:00:00.999Z\""));
  EXPECT_THAT(json("m", {}, WallTime(std::chrono::milliseconds(1000))), HasSubstr("\"1970-01-01T00:00:01.000Z\""));
  EXPECT_THAT(json("m", {}, WallTime(std::chrono::milliseconds(-1))), HasSubstr("\"1969-12-31T23:59:59.999Z\""));
}

TEST(LogLine, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_THAT(json("m", {{"k", "a\"b\\c\nd\re\tf\bg\0h\x1b\x7fi"sv}}),
              HasSubstr("\"k\":\"a\\\"b\\\\c\\nd\\re\\tf\\u0008g\\u0000h\\u001b\\u007fi\"}"));
  EXPECT_THAT(json("m", {{"k",
                          "a\xc2\x9b"
                          "31m"}}),
              HasSubstr("\"a\\u009b31m\""));
  EXPECT_EQ(json("a\"}\n{\"x").find('\n'), json("a\"}\n{\"x").size() - 1);
}

TEST(LogLine, KeepsValidUtf8AsItIs) {
  for (const char* text :
       {"ß 漢字", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xc2\xa0", "\xed\x9f\xbf", "\xee\x80\x80"}) {
    EXPECT_EQ(read_back(text), text);
  }
}

TEST(LogLine, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(read_back("a\xff"
                      "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(read_back("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(read_back("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(read_back("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(read_back("\xf4\x90\x80\x80x").back(), 'x');
  EXPECT_EQ(read_back("\xc3"), "\xef\xbf\xbd");
}

TEST(LogLine, IsValidJsonForAnyBytes) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    std::string bytes(random.below(200), '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    const std::string line = json(bytes, {{"k", bytes}});
    ASSERT_TRUE(is_valid_utf8(line)) << "seed " << seed;
    ASSERT_EQ(line.find('\n'), line.size() - 1) << "seed " << seed;
    boost::system::error_code error;
    boost::json::parse(line, error);
    ASSERT_FALSE(error) << "seed " << seed << " " << line;
    ASSERT_EQ(pretty(bytes, {{"k", bytes}}).find('\n'), pretty(bytes, {{"k", bytes}}).size() - 1);
  }
}

TEST(LogLine, CutsLongTextsAtAWholeCharacter) {
  EXPECT_EQ(read_back(std::string(2048, 'x')), std::string(2048, 'x'));
  EXPECT_EQ(read_back(std::string(2049, 'x')), std::string(2048, 'x') + "…");
  EXPECT_EQ(read_back(std::string(2047, 'x') + "ß"), std::string(2047, 'x') + "…");
  EXPECT_EQ(read_back(std::string(2045, 'x') + "\xf0\x9f\x98\x80"), std::string(2045, 'x') + "…");
  EXPECT_EQ(read_back(std::string(2044, 'x') + "\xf0\x9f\x98\x80y"), std::string(2044, 'x') + "\xf0\x9f\x98\x80…");
}

TEST(LogLine, LeavesOutFieldsThatDoNotFitAndSaysSo) {
  const std::string hostile(5000, '\x01');  // each becomes six characters
  const std::string line = json("m", {{"a", hostile}, {"b", 1}, {"c", hostile}, {"d", 2}});
  EXPECT_TRUE(line.ends_with("\"b\":1,\"cut\":true}\n"));
  EXPECT_NO_THROW(boost::json::parse(line));
  EXPECT_TRUE(pretty("m", {{"a", hostile}, {"c", hostile}}).ends_with("\" …\n"));
}

TEST(LogLine, OfAHostileMessageAloneIsStillWhole) {
  const std::string line = json(std::string(5000, '\x01'), {{"a", 1}});
  EXPECT_LE(line.size(), LogLine::kCapacity);
  EXPECT_NO_THROW(boost::json::parse(line));
}

TEST(PrettyLine, IsForPeople) {
  EXPECT_EQ(pretty("breaker opened", {{"role", "search"}, {"why", "too slow"}, {"n", 3}, {"empty", ""}}),
            "2026-01-02T03:04:05.678Z \x1b[33mwarn\x1b[0m  breaker opened \x1b[2mrole=\x1b[0msearch "
            "\x1b[2mwhy=\x1b[0m\"too slow\" \x1b[2mn=\x1b[0m3 \x1b[2mempty=\x1b[0m\"\"\n");
}

TEST(PrettyLine, LetsNoEscapeSequenceThrough) {
  const std::string line = pretty("a\x1b[31mb", {{"k", "\x1b]0;title\x07"},
                                                 {"c1",
                                                  "\xc2\x9b"
                                                  "31m"}});
  EXPECT_THAT(line, HasSubstr("a\\u001b[31mb"));
  EXPECT_THAT(line, HasSubstr("\"\\u001b]0;title\\u0007\""));
  EXPECT_THAT(line, HasSubstr("\"\\u009b31m\""));
}

}  // namespace
}  // namespace parley::log_detail
