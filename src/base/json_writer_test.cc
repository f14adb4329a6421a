#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/text.h"

namespace parley {
namespace {

using namespace std::string_view_literals;

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .key("a")
      .number(std::int64_t{-1})
      .key("b")
      .begin_array()
      .string("x")
      .begin_object()
      .end_object()
      .begin_array()
      .end_array()
      .null()
      .end_array()
      .key("c")
      .boolean(true)
      .key("d")
      .raw(R"({"k":1})")
      .key("e")
      .string(std::optional<std::string>())
      .end_object();
  EXPECT_EQ(out, R"({"a":-1,"b":["x",{},[],null],"c":true,"d":{"k":1},"e":null})");
}

TEST(JsonWriter, EscapesWhatMustBeAndNothingElse) {
  std::string out;
  JsonWriter(out).string("q\" b\\ n\n r\r t\t \x01 \x1f \0 é 👍 / \x7f"sv);
  EXPECT_EQ(out, R"("q\" b\\ n\n r\r t\t \u0001 \u001f \u0000 é 👍 / )"
                 "\x7f\"");
  for (int c = 0; c < 128; ++c) {
    std::string one;
    JsonWriter(one).string(std::string(1, static_cast<char>(c)));
    EXPECT_EQ(boost::json::parse(one).as_string(), std::string(1, static_cast<char>(c))) << c;
  }
}

TEST(JsonWriter, WritesTimesAsTheRestOfTheProcessDoes) {
  for (const std::int64_t ms : {0LL, 1LL, 999LL, 951'782'400'000LL, 1'700'000'000'123LL, 253'402'300'799'999LL, -1LL}) {
    const WallTime time{std::chrono::milliseconds(ms)};
    std::string out;
    JsonWriter(out).time(time);
    EXPECT_EQ(out, '"' + format_rfc3339(time) + '"');
  }
}

TEST(CanonicalJson, IsOneTextForOneValue) {
  const auto canonical = [](const char* text) { return canonical_json(boost::json::parse(text)); };
  EXPECT_EQ(canonical(R"( { "b" : [ 1.50, 1e2, true, null ] , "a" : { "z" : "\u0041", "y" : -0.1 } } )"),
            R"({"a":{"y":-0.1,"z":"A"},"b":[1.5,100,true,null]})");
  EXPECT_EQ(canonical(R"({"a":18446744073709551615,"":0})"), R"({"":0,"a":18446744073709551615})");
  EXPECT_EQ(canonical(R"({"k\n\"":1})"), R"({"k\n\"":1})");
  EXPECT_EQ(canonical("{}"), "{}");
}

}  // namespace
}  // namespace parley
