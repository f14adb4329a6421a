#include "import/jsonl_source.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "import/testing/recording_sink.h"

namespace parley::import {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

std::variant<JsonlMessage, JsonlFault> parse(std::string_view text) {
  return parse_jsonl_line(text, "f.jsonl:7", "", kNow);
}

// The fault of a good line in which `from` is replaced by `to`; empty when it is still good.
std::string fault_with(std::string_view from, std::string_view to) {
  std::string line =
      R"({"conversation":"c1","external_id":"e1","author":"x:al","content":"hi","created_at":"2020-01-02T03:04:05Z","reply_to":"e0","reactions":[{"reaction":"👍","users":["x:bo"]}]})";
  const std::size_t at = line.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  line.replace(at, from.size(), to);
  const auto parsed = parse(line);
  const auto* fault = std::get_if<JsonlFault>(&parsed);
  return fault ? fault->message : "";
}

TEST(JsonlLine, IsAMessageWithAllItsFields) {
  const auto parsed = parse(
      R"({"conversation":"c1","conversation_name":"Team","external_id":"e1","author":"x:al","content":"hi \ud83d\ude00","created_at":"2020-01-02T05:04:05.678+02:00","reply_to":"e0","reactions":[{"reaction":"👍","users":["x:bo","x:cy"]}]})");
  const auto& message = std::get<JsonlMessage>(parsed);
  EXPECT_EQ(message.conversation.id.value, "c1");
  EXPECT_EQ(message.conversation.name, "Team");
  EXPECT_EQ(message.line.external_id, "e1");
  EXPECT_EQ(message.line.author, "x:al");
  EXPECT_EQ(message.line.content, "hi 😀");
  EXPECT_EQ(format_rfc3339(message.line.created_at), "2020-01-02T03:04:05.678Z");
  EXPECT_EQ(message.line.reply_to, "e0");
  ASSERT_EQ(message.line.reactions.size(), 1U);
  EXPECT_EQ(message.line.reactions[0].users, (std::vector<std::string>{"x:bo", "x:cy"}));
}

TEST(JsonlLine, NeedsFourFieldsAndTakesItsPlaceAsExternalId) {
  const auto parsed =
      parse(R"({"conversation":"c1","author":"x:al","content":"hi","created_at":"2020-01-02T03:04:05Z"})");
  const auto& message = std::get<JsonlMessage>(parsed);
  EXPECT_EQ(message.line.external_id, "f.jsonl:7");
  EXPECT_EQ(message.conversation.name, "c1");
  for (const char* field : {R"("conversation":"c1",)", R"("author":"x:al",)", R"("content":"hi",)",
                            R"("created_at":"2020-01-02T03:04:05Z",)"}) {
    EXPECT_NE(fault_with(field, "").find("is missing"), std::string::npos) << field;
  }
}

TEST(JsonlLine, IsGoodAsTheTestsBelowBeginWithIt) {
  EXPECT_EQ(fault_with("hi", "ho"), "");
}

TEST(JsonlLine, IsBadWhenItIsNoObject) {
  for (const char* text : {"", "null", "[]", "1", "\"x\"", "{", "{}x", "{\"a\":\"\xff\"}", "{\"content\":\"\\ud800\"}",
                           "[[[[[[[[[[[[1]]]]]]]]]]]]"}) {
    EXPECT_TRUE(std::holds_alternative<JsonlFault>(parse(text))) << text;
  }
}

TEST(JsonlLine, IsBadWhenAFieldIsWrong) {
  EXPECT_NE(fault_with(R"("author":"x:al")", R"("author":"al")"), "");
  EXPECT_NE(fault_with(R"("author":"x:al")", R"("author":":al")"), "");
  EXPECT_NE(fault_with(R"("author":"x:al")", R"("author":"x:")"), "");
  EXPECT_NE(fault_with(R"("author":"x:al")", R"("author":5)"), "");
  EXPECT_NE(fault_with(R"("author":"x:al")", R"("author":"x:a\u0001")"), "");
  EXPECT_NE(fault_with("x:al", "x:" + std::string(127, 'a')), "");
  EXPECT_NE(fault_with(R"("c1")", R"("")"), "");
  EXPECT_NE(fault_with(R"("c1")", R"("a\u0000b")"), "");
  EXPECT_NE(fault_with("c1", std::string(129, 'c')), "");
  EXPECT_NE(fault_with("c1", ".."), "");
  EXPECT_NE(fault_with(R"("hi")", R"("")"), "");
  EXPECT_NE(fault_with(R"("hi")", R"("a\u0000b")"), "");
  EXPECT_NE(fault_with(R"("hi")", R"(null)"), "");
  EXPECT_EQ(fault_with("hi", std::string(kMaxContentBytes, 'x')), "");
  EXPECT_NE(fault_with("hi", std::string(kMaxContentBytes + 1, 'x')), "");
  EXPECT_NE(fault_with("e1", std::string(256, 'e')), "");
  EXPECT_NE(fault_with("e0", std::string(256, 'e')), "");
  EXPECT_NE(fault_with(R"("e1")", R"("")"), "");
  EXPECT_EQ(fault_with(R"("e0")", "null"), "");
}

TEST(JsonlLine, IsBadWhenItsTimeIsNoneOrToCome) {
  for (const char* time : {"", "2020-01-02", "2020-01-02T03:04:05", "2020-13-02T03:04:05Z", "yesterday"}) {
    EXPECT_NE(fault_with("2020-01-02T03:04:05Z", time), "") << time;
  }
  EXPECT_EQ(fault_with("2020-01-02T03:04:05Z", "2026-01-02T03:04:05Z"), "");
  EXPECT_NE(fault_with("2020-01-02T03:04:05Z", "2026-01-02T03:04:05.001Z"), "");
}

TEST(JsonlLine, IsBadWhenAReactionIsWrong) {
  const std::string good = R"([{"reaction":"👍","users":["x:bo"]}])";
  for (const char* bad : {"{}", "[1]", "[{}]", R"([{"reaction":"a"}])", R"([{"reaction":"a","users":[]}])",
                          R"([{"reaction":"a","users":["bo"]}])", R"([{"reaction":"a","users":["x:b","x:b"]}])",
                          R"([{"reaction":"","users":["x:b"]}])", R"([{"reaction":".","users":["x:b"]}])",
                          R"([{"reaction":"a","users":["x:b"],"n":1}])"}) {
    EXPECT_NE(fault_with(good, bad), "") << bad;
  }
  std::string many = "[";
  for (int i = 0; i < 51; ++i) many += R"({"reaction":"r","users":["x:b"]},)";
  many.back() = ']';
  EXPECT_NE(fault_with(good, many), "");
}

TEST(JsonlLine, NamesAFieldThatDoesNotExist) {
  EXPECT_NE(fault_with(R"("reply_to")", R"("replyto")").find("replyto"), std::string::npos);
}

TEST(JsonlSource, GoesOnBehindABadLineAndTellsItsNumber) {
  TestFolder folder;
  const std::string good = R"(,"author":"x:al","content":"hi","created_at":"2020-01-02T03:04:05Z"})";
  const auto file = folder.write("chat.jsonl", "\xef\xbb\xbf{\"conversation\":\"c1\"" + good + "\r\n\nnonsense\n" +
                                                   std::string(1'100'000, 'x') + "\n{\"conversation\":\"c2\"" + good);
  ManualClock clock(kNow);
  RecordingSink sink;
  JsonlSource source(*find_source_files(file, {".jsonl"}), "old-", clock);
  ASSERT_TRUE(source.read(sink).has_value());
  ASSERT_EQ(sink.lines.size(), 2U);
  EXPECT_EQ(sink.lines[1].external_id, "chat.jsonl:5");
  EXPECT_EQ(sink.conversations[1].id.value, "old-c2");
  ASSERT_EQ(sink.faults.size(), 2U);
  EXPECT_EQ(sink.faults[0].first, "chat.jsonl:3");
  EXPECT_EQ(sink.faults[1].first, "chat.jsonl:4");
  EXPECT_EQ(sink.left.at("blank line"), 1);
  EXPECT_EQ(sink.bytes, source.total_bytes());
}

}  // namespace
}  // namespace parley::import
