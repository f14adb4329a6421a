#include "drivers/redis/redis_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::redis {
namespace {

using Kind = RedisReply::Kind;
using Next = RedisReplyReader::Next;

constexpr std::size_t kMost = 64 * 1024;

RedisReply read_one(std::string_view bytes) {
  RedisReplyReader reader(kMost);
  EXPECT_TRUE(reader.feed(bytes));
  RedisReply reply;
  EXPECT_EQ(reader.next(reply), Next::kReply) << bytes;
  RedisReply more;
  EXPECT_EQ(reader.next(more), Next::kMore) << bytes;
  return reply;
}

TEST(RedisCommand, IsAnArrayOfTextsOfAnyBytes) {
  std::string out;
  append_command(out, {"SET", "k", std::string("a\r\n\0b", 5), ""});
  using namespace std::string_literals;
  EXPECT_EQ(out, "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n"s);
}

TEST(RedisReplyReader, ReadsEveryKind) {
  EXPECT_EQ(read_one("+PONG\r\n").text, "PONG");
  EXPECT_EQ(read_one("$5\r\na\r\nbc\r\n").text, "a\r\nbc");
  EXPECT_EQ(read_one(":-7\r\n").number, -7);
  EXPECT_EQ(read_one("$-1\r\n").kind, Kind::kNil);
  EXPECT_EQ(read_one("*-1\r\n").kind, Kind::kNil);
  EXPECT_EQ(read_one("*0\r\n").kind, Kind::kArray);
  const RedisReply error = read_one("-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(error.kind, Kind::kError);
  EXPECT_EQ(error.error_code(), "NOAUTH");

  const RedisReply array = read_one("*4\r\n:1\r\n$-1\r\n*2\r\n$1\r\nx\r\n-ERR y\r\n$0\r\n\r\n");
  ASSERT_EQ(array.items.size(), 4u);
  EXPECT_EQ(array.items[0].number, 1);
  EXPECT_EQ(array.items[1].kind, Kind::kNil);
  EXPECT_EQ(array.items[2].items.at(0).text, "x");
  EXPECT_EQ(array.items[2].items.at(1).kind, Kind::kError);
  EXPECT_EQ(array.items[3].kind, Kind::kText);
}

TEST(RedisReplyReader, TakesRepliesInAnyPieces) {
  const std::string bytes = "*2\r\n$3\r\nabc\r\n:42\r\n+OK\r\n";
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    RedisReplyReader reader(kMost);
    std::vector<RedisReply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(at, size)));
      RedisReply reply;
      while (reader.next(reply) == Next::kReply) replies.push_back(std::move(reply));
    }
    ASSERT_EQ(replies.size(), 2u) << size;
    EXPECT_EQ(replies[0].items.at(0).text, "abc");
    EXPECT_EQ(replies[1].text, "OK");
  }
}

TEST(RedisReplyReader, WhatIsNoReplyBreaksItForGood) {
  for (const char* bytes :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "*2\r\n?\r\n", "*99999999\r\n", "*2147483647\r\n:1\r\n", "$-2\r\n\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "*-2\r\n"}) {
    RedisReplyReader reader(kMost);
    RedisReply reply;
    ASSERT_TRUE(reader.feed(bytes));
    EXPECT_EQ(reader.next(reply), Next::kBroken) << bytes;
    reader.feed("+OK\r\n");
    EXPECT_EQ(reader.next(reply), Next::kBroken) << bytes;
  }
}

TEST(RedisReplyReader, BoundsTheBytesOfAReply) {
  RedisReplyReader reader(kMost);
  EXPECT_TRUE(reader.feed("$1000000\r\n"));
  RedisReply reply;
  EXPECT_EQ(reader.next(reply), Next::kMore);
  const std::string piece(16 * 1024, 'x');
  bool within = true;
  for (int i = 0; i < 4 && within; ++i) {
    within = reader.feed(piece);
    if (within) {
      EXPECT_EQ(reader.next(reply), Next::kMore);
    }
  }
  EXPECT_FALSE(within);
  EXPECT_EQ(reader.next(reply), Next::kBroken);
}

TEST(RedisReplyReader, BoundsTheItemsOfAReplyHoweverTheyNest) {
  RedisReplyReader reader(1024 * 1024);
  std::string bytes = "*60000\r\n";
  for (int i = 0; i < 7; ++i) bytes += "*60000\r\n";
  ASSERT_TRUE(reader.feed(bytes));
  RedisReply reply;
  EXPECT_EQ(reader.next(reply), Next::kBroken);

  RedisReplyReader many(1024 * 1024);
  bytes = "*2\r\n*65000\r\n";
  for (int i = 0; i < 65'000; ++i) bytes += ":1\r\n";
  bytes += "*65000\r\n";
  for (int i = 0; i < 65'000; ++i) bytes += ":1\r\n";
  ASSERT_TRUE(many.feed(bytes));
  EXPECT_EQ(many.next(reply), Next::kBroken);
}

TEST(RedisReplyReader, ManySmallRepliesTogetherMayBeMoreThanOneMayBe) {
  RedisReplyReader reader(64);
  RedisReply reply;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(reader.feed("$40\r\n0123456789012345678901234567890123456789\r\n"));
    ASSERT_EQ(reader.next(reply), Next::kReply) << i;
  }
}

}  // namespace
}  // namespace parley::redis
