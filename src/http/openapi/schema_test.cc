#include "http/openapi/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

namespace parley::http::openapi {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const Schema> compile(const std::string& yaml) {
  const YAML::Node root = YAML::Load("{components: {schemas: {Id: {type: string, minLength: 1, x-max-bytes: 8}}}}");
  return Schema::compile(YAML::Load(yaml), root);
}

// Each fault as "path: message".
std::vector<std::string> faults_of(const std::string& schema, const std::string& text) {
  Faults faults;
  compile(schema)->check(json::parse(text), Place{}, faults);
  std::vector<std::string> list;
  if (!faults.any()) return list;
  for (const FieldError& field : std::move(faults).to_error().fields) list.push_back(field.path + ": " + field.message);
  return list;
}

constexpr auto kMessage = R"(
type: object
additionalProperties: false
required: [to, text]
properties:
  to: {$ref: "#/components/schemas/Id"}
  text: {type: string, minLength: 1, maxLength: 3, x-no-nul: true}
  tags: {type: array, maxItems: 2, uniqueItems: true, items: {type: string, minLength: 1}}
  n: {type: integer, minimum: 1, maximum: 10}
  extra: {type: object, maxProperties: 2, x-max-bytes: 20, x-no-nul: true}
  topic: {type: [string, "null"]}
  on: {type: boolean}
)";

TEST(Schema, TakesWhatFits) {
  EXPECT_THAT(faults_of(kMessage,
                        R"({"to":"a","text":"abc","tags":["x","y"],"n":10,"extra":{"k":[1]},"topic":null,"on":true})"),
              IsEmpty());
}

TEST(Schema, NamesEveryFaultyField) {
  EXPECT_THAT(
      faults_of(kMessage, R"({"text":"","tags":["x","x",""],"n":11,"topic":1,"on":"yes","more":0})"),
      ElementsAre("/to: is required", "/text: must not be empty", "/tags: must not have more than 2 items; it has 3",
                  "/n: must be from 1 to 10", "/topic: must be a string or null", "/on: must be true or false",
                  "/more: is not a field of this request"));
}

TEST(Schema, CountsCharactersForLengthAndBytesForMaxBytes) {
  EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"äöü"})"), IsEmpty());
  EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"äöüx"})"),
              ElementsAre("/text: must not be longer than 3 characters"));
  EXPECT_THAT(faults_of(kMessage, R"({"to":"äöüäö","text":"x"})"),
              ElementsAre("/to: must not be longer than 8 bytes of UTF-8; it has 10"));
  EXPECT_THAT(faults_of("{type: string, minLength: 2}", R"("ä")"), ElementsAre(": must have at least 2 characters"));
}

TEST(Schema, RefusesRepeatedItemsByIndex) {
  EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"x","tags":["x","x"]})"),
              ElementsAre("/tags/1: must not be given twice"));
}

TEST(Schema, RefusesNulAnywhereInAnObject) {
  for (const char* extra : {R"({"k":"\u0000"})", R"({"\u0000":1})", R"({"k":[{"a":"x\u0000"}]})"}) {
    EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"x","extra":)" + std::string(extra) + "}"),
                ::testing::Contains("/extra: must not contain U+0000 in any key or string"))
        << extra;
  }
  EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"\u0000"})"), ElementsAre("/text: must not contain U+0000"));
}

TEST(Schema, BoundsAnObjectByMembersAndBytes) {
  EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"x","extra":{"a":1,"b":2,"c":3}})"),
              ElementsAre("/extra: must not have more than 2 members; it has 3"));
  EXPECT_THAT(faults_of(kMessage, R"({"to":"a","text":"x","extra":{"a":"0123456789abcdef"}})"),
              ElementsAre("/extra: must not be longer than 20 bytes as compact JSON; it has 24"));
}

TEST(Schema, TakesWholeNumbersWrittenAsSuchAndNoOthers) {
  for (const char* good : {"1", "10"})
    EXPECT_THAT(faults_of("{type: integer, minimum: 1, maximum: 10}", good), IsEmpty()) << good;
  for (const char* bad : {"0", "11", "-1", "1.0", "1e1", "1e300", "18446744073709551615"}) {
    EXPECT_EQ(faults_of("{type: integer, minimum: 1, maximum: 10}", bad).size(), 1U) << bad;
  }
  EXPECT_THAT(faults_of("{type: integer, minimum: 0}", "1.5"), ElementsAre(": must be a whole number"));
  EXPECT_THAT(faults_of("{type: integer, minimum: 0}", "\"1\""), ElementsAre(": must be a whole number"));
  EXPECT_THAT(faults_of("{type: integer, minimum: 3}", "2"), ElementsAre(": must be at least 3"));
  EXPECT_THAT(faults_of("{type: integer, maximum: 3}", "4"), ElementsAre(": must be at most 3"));
}

TEST(Schema, HoldsStringsToEnumPatternFormatAndCharacters) {
  EXPECT_THAT(faults_of("{type: string, enum: [asc, desc]}", "\"up\""), ElementsAre(": must be asc or desc"));
  EXPECT_THAT(faults_of("{type: string, pattern: '^https?://'}", "\"https://x\""), IsEmpty());
  EXPECT_THAT(faults_of("{type: string, pattern: '^https?://'}", "\"x https://x\""),
              ElementsAre(": must match ^https?://"));
  EXPECT_THAT(faults_of("{type: string, format: date-time}", "\"2026-01-02T03:04:05+01:00\""), IsEmpty());
  EXPECT_EQ(faults_of("{type: string, format: date-time}", "\"2026-13-02T03:04:05Z\"").size(), 1U);
  EXPECT_THAT(faults_of("{type: string, x-visible-ascii: true}", "\"a b\""),
              ElementsAre(": must consist of visible ASCII characters, ! to ~"));
  constexpr const char* kNoDots = "{type: string, not: {enum: ['.', '..']}}";
  for (const char* dots : {R"(".")", R"("..")"}) {
    EXPECT_THAT(faults_of(kNoDots, dots), ElementsAre(": must not be . or .."));
  }
  EXPECT_THAT(faults_of(kNoDots, R"("...")"), IsEmpty());
  for (const char* control : {R"("\n")", R"("\u007f")", R"("\u0085")"}) {
    EXPECT_THAT(faults_of("{type: string, x-no-control-chars: true}", control),
                ElementsAre(": must not contain control characters"));
  }
}

TEST(Schema, StopsListingFaultsAtTwenty) {
  std::string body = R"({"to":"a","text":"x")";
  for (int i = 0; i < 50; ++i) body += ",\"f" + std::to_string(i) + "\":0";
  EXPECT_EQ(faults_of(kMessage, body + "}").size(), Faults::kMax);
}

TEST(Schema, EscapesPointersAsRfc6901Says) {
  EXPECT_THAT(faults_of("{type: object, additionalProperties: false}", R"({"a/b~c":0})"),
              ElementsAre("/a~1b~0c: is not a field of this request"));
}

TEST(Schema, ReadsParametersFromText) {
  Faults faults;
  const auto number = compile("{type: integer, minimum: -5, maximum: 100}");
  EXPECT_EQ(number->read_text("-5", "query.n", faults), json::value(-5));
  EXPECT_EQ(compile("{type: boolean}")->read_text("true", "query.b", faults), json::value(true));
  EXPECT_EQ(compile("{type: string}")->read_text("5", "query.s", faults), json::value("5"));
  EXPECT_FALSE(faults.any());
  for (const char* bad : {"", "-", "+5", " 5", "5 ", "5.0", "0x5", "101", "99999999999999999999", "--5"}) {
    EXPECT_EQ(number->read_text(bad, "query.n", faults), std::nullopt) << bad;
  }
  EXPECT_EQ(compile("{type: boolean}")->read_text("yes", "query.b", faults), std::nullopt);
  EXPECT_EQ(compile("{type: string}")->read_text("\xff", "query.s", faults), std::nullopt);
  EXPECT_EQ(std::move(faults).to_error().fields.size(), 12U);
}

TEST(Schema, KeepsDefaultsWithTheirTypes) {
  EXPECT_EQ(compile("{type: integer, default: 50}")->default_value(), json::value(50));
  EXPECT_EQ(compile("{type: string, default: desc}")->default_value(), json::value("desc"));
  EXPECT_EQ(compile("{type: string, default: \"50\"}")->default_value(), json::value("50"));
  EXPECT_EQ(compile("{type: boolean, default: false}")->default_value(), json::value(false));
}

TEST(Schema, RefusesToCompileWhatItWouldNotEnforce) {
  for (const char* bad : {"{type: string, maxLenght: 3}", "{type: integer, multipleOf: 2}", "{type: text}",
                          "{minLength: 3}", "{type: string, format: email}", "{$ref: '#/components/schemas/None'}",
                          "{$ref: 'other.yaml#/x'}", "{type: object, required: [a], properties: {b: {type: string}}}",
                          "{type: string, pattern: 'x$'}", "{type: string, not: {type: string}}",
                          "{type: string, not: {enum: [a], type: string}}", "{type: string, not: a}"}) {
    EXPECT_THROW((void)compile(bad), std::exception) << bad;
  }
}

}  // namespace
}  // namespace parley::http::openapi
