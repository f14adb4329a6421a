#include "import/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace parley::import {
namespace {

ImportConversation conversation(const std::string& id) {
  return {ConversationId(id), id, {}};
}

TEST(EncodeLine, WritesTheFieldsOfTheContract) {
  const ImportLine line{
      "e1", "irc:a", "hi \"you\"\nß\x01", *parse_rfc3339("2005-02-08T10:00:00Z"), "e0", {{"+1", {"irc:b", "irc:c"}}},
      "f:1"};
  const BatchLine encoded = encode_line(line);
  EXPECT_EQ(encoded.place, "f:1");
  EXPECT_EQ(encoded.json.find('\n'), std::string::npos);
  EXPECT_EQ(
      boost::json::parse(encoded.json),
      boost::json::parse(
          R"({"external_id":"e1","author":"irc:a","content":"hi \"you\"\nß\u0001","created_at":"2005-02-08T10:00:00.000Z","reply_to_external_id":"e0","reactions":[{"reaction":"+1","users":["irc:b","irc:c"]}]})"));
}

TEST(EncodeLine, LeavesOutWhatIsNotThere) {
  const BatchLine encoded = encode_line({"e1", "irc:a", "hi", WallTime{}, {}, {}, {}});
  EXPECT_EQ(boost::json::parse(encoded.json).as_object().size(), 4U);
  EXPECT_EQ(without_field(encoded.json, "reply_to_external_id"), std::nullopt);
  const BatchLine reply = encode_line({"e1", "irc:a", "hi", WallTime{}, "e0", {}, {}});
  EXPECT_EQ(without_field(reply.json, "reply_to_external_id"), encoded.json);
}

TEST(BatchCollector, CutsBatchesAtTheirLines) {
  BatchCollector collector;
  std::size_t batches = 0, lines = 0;
  for (std::size_t i = 0; i < 2 * kMaxBatchLines + 1; ++i) {
    if (auto due = collector.add(conversation("c"), {std::to_string(i), {}})) {
      EXPECT_EQ(due->lines.size(), kMaxBatchLines);
      EXPECT_EQ(due->lines.front().json, std::to_string(lines));
      lines += due->lines.size();
      ++batches;
    }
  }
  EXPECT_EQ(batches, 2U);
  const auto rest = collector.take_rest();
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->lines.size(), 1U);
  EXPECT_FALSE(collector.take_rest().has_value());
}

TEST(BatchCollector, CutsBatchesAtTheirBytes) {
  BatchCollector collector;
  const std::string big(100'000, 'x');
  std::size_t most = 0;
  for (int i = 0; i < 50; ++i) {
    if (const auto due = collector.add(conversation("c"), {big, {}})) {
      std::size_t bytes = 0;
      for (const BatchLine& line : due->lines) bytes += line.json.size() + 1;
      EXPECT_EQ(bytes, due->bytes);
      most = std::max(most, bytes);
    }
  }
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, kMaxBatchBytes);
}

TEST(BatchCollector, LetsALineThatIsABatchByItselfThrough) {
  BatchCollector collector;
  EXPECT_FALSE(collector.add(conversation("c"), {std::string(kMaxBatchBytes + 1, 'x'), {}}).has_value());
  EXPECT_EQ(collector.add(conversation("c"), {"y", {}})->lines.size(), 1U);
}

TEST(BatchCollector, MakesBatchesWorthSendingOfConversationsInTurns) {
  BatchCollector collector;
  std::size_t lines = 0, batches = 0;
  for (std::size_t i = 0; i < 3 * BatchCollector::kMaxLines; ++i) {
    if (const auto due = collector.add(conversation("c" + std::to_string(i % 200)), {std::to_string(i), {}})) {
      lines += due->lines.size();
      ++batches;
    }
  }
  EXPECT_GE(lines, 2 * BatchCollector::kMaxLines);  // the rest is what may be held
  EXPECT_GT(lines / batches, 50U);
  while (const auto rest = collector.take_rest()) lines += rest->lines.size();
  EXPECT_EQ(lines, 3 * BatchCollector::kMaxLines);
}

TEST(BatchCollector, HoldsNoMoreThanItsBytes) {
  BatchCollector collector;
  std::size_t held = 0, most = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    held += 30'001;
    if (const auto due = collector.add(conversation("c" + std::to_string(i % 100)), {std::string(30'000, 'x'), {}})) {
      held -= due->bytes;
    }
    most = std::max(most, held);
  }
  EXPECT_LE(most, BatchCollector::kMaxBytes);
  EXPECT_GT(most, BatchCollector::kMaxBytes / 2);
}

TEST(BatchCollector, GivesOutAConversationThatIsDone) {
  BatchCollector collector;
  collector.add(conversation("a"), {"1", {}});
  collector.add(conversation("b"), {"2", {}});
  EXPECT_EQ(collector.take(ConversationId("b"))->lines[0].json, "2");
  EXPECT_FALSE(collector.take(ConversationId("b")).has_value());
  EXPECT_EQ(collector.take_rest()->conversation.id.value, "a");
  EXPECT_FALSE(collector.take_rest().has_value());
}

}  // namespace
}  // namespace parley::import
