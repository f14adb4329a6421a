#include "http/chunked.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

using std::string_literals::operator""s;

struct Decoded {
  bool ok = true;
  bool done = false;
  std::string content;
  std::string rest;
};

// Feeds `text` in pieces of `step` bytes.
Decoded decode(const std::string& text, std::size_t step) {
  ChunkedDecoder decoder;
  Decoded out;
  std::string_view all = text;
  while (!all.empty() && !decoder.done()) {
    std::string_view piece = all.substr(0, step);
    const std::size_t before = piece.size();
    const Result<std::string_view> content = decoder.decode(piece);
    if (!content) return {false, false, out.content, {}};
    out.content += *content;
    all.remove_prefix(before - piece.size());
  }
  out.done = decoder.done();
  out.rest = all;
  return out;
}

TEST(ChunkedDecoder, JoinsChunksHoweverTheyArrive) {
  const std::string text = "5\r\nhello\r\n6;ext=\"v\"\r\n world\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Decoded out = decode(text, step);
    EXPECT_TRUE(out.ok && out.done) << step;
    EXPECT_EQ(out.content, "hello world");
    EXPECT_EQ(out.rest, "NEXT");
  }
}

TEST(ChunkedDecoder, RefusesWhatIsMalformed) {
  for (const std::string& bad :
       {"\r\n"s, "g\r\n"s, "-1\r\n"s, "+1\r\n"s, "0x5\r\n"s, " 5\r\n"s, "5 \r\nhello\r\n"s, "5\nhello\r\n"s,
        "5\r\nhello\n"s, "5\r\nhelloX\r\n"s, "5\r\nhello\rX"s, "11111111111111111\r\n"s, "5;a\nb\r\n"s,
        "0\r\nX: y\n\r\n"s, "0\r\n X\r\n\r\n"s, "0\r\n\rX"s, "5\rX"s, "5;a\0\r\n"s}) {
    EXPECT_FALSE(decode(bad, 1).ok) << testing::PrintToString(bad);
  }
}

TEST(ChunkedDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_FALSE(decode("5;" + std::string(300, 'x') + "\r\nhello\r\n", 64).ok);
  EXPECT_FALSE(decode("0\r\nX: " + std::string(5000, 'x') + "\r\n\r\n", 64).ok);
}

TEST(ChunkedDecoder, IsNotDoneBeforeTheLastLineEnd) {
  EXPECT_FALSE(decode("0\r\n", 1).done);
  EXPECT_FALSE(decode("0\r\n\r", 1).done);
  EXPECT_TRUE(decode("0\r\n\r\n", 1).done);
}

TEST(AppendChunkSize, WritesHex) {
  std::string out;
  append_chunk_size(out, 255);
  EXPECT_EQ(out, "ff\r\n");
}

}  // namespace
}  // namespace parley::http
