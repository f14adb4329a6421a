#include "import/line_reader.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "import/testing/recording_sink.h"
#include "import/windows_1252.h"

namespace parley::import {
namespace {

using std::string_literals::operator""s;

std::vector<std::string> lines_of(std::string_view content, std::size_t limit = 100) {
  TestFolder folder;
  LineReader reader(folder.write("file", content), limit);
  EXPECT_TRUE(reader.opened().has_value());
  std::vector<std::string> lines;
  std::uint64_t bytes = 0;
  LineReader::Line line;
  while (reader.next(line)) {
    lines.push_back(std::string(line.text) + (line.too_long ? "…" : ""));
    EXPECT_EQ(line.number, lines.size());
    bytes += line.bytes;
  }
  EXPECT_EQ(bytes, content.size());
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineReader, EndsLinesAtLfAndCrLfAndAtTheEnd) {
  EXPECT_EQ(lines_of("a\nb\r\n\nc"), (Lines{"a", "b", "", "c"}));
  EXPECT_EQ(lines_of("a\n"), (Lines{"a"}));
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("a\rb\n"), (Lines{"a\rb"}));
  EXPECT_EQ(lines_of("nul \0 inside\n"s), (Lines{"nul \0 inside"s}));
}

TEST(LineReader, TakesOffAByteOrderMarkOnTheFirstLineOnly) {
  EXPECT_EQ(lines_of("\xef\xbb\xbf"
                     "a\n\xef\xbb\xbf"
                     "b"),
            (Lines{"a",
                   "\xef\xbb\xbf"
                   "b"}));
}

TEST(LineReader, HoldsNoMoreThanTheLimitOfALongLine) {
  EXPECT_EQ(lines_of("12345\n123456\r\n12345\r\nx", 5), (Lines{"12345", "12345…", "12345", "x"}));
  EXPECT_EQ(lines_of(std::string(300'000, 'x') + "\nshort\n", 10), (Lines{"xxxxxxxxxx…", "short"}));
  EXPECT_EQ(lines_of(std::string(65'535, 'x') + "\r\nshort", 70'000), (Lines{std::string(65'535, 'x'), "short"}));
}

TEST(LineReader, SaysWhenThereIsNoFile) {
  TestFolder folder;
  EXPECT_FALSE(LineReader(folder.path() / "missing", 10).opened().has_value());
}

TEST(Windows1252, LeavesUtf8Alone) {
  EXPECT_EQ(to_utf8("plain ß 漢字 😀"), "plain ß 漢字 😀");
  EXPECT_EQ(to_utf8(""), "");
}

TEST(Windows1252, ReadsEveryOtherByteByItself) {
  EXPECT_EQ(to_utf8("caf\xe9 \x80 \x93q\x94 \xff"), "café € “q” ÿ");
  EXPECT_EQ(to_utf8("ß caf\xe9"), "ß café");
  EXPECT_EQ(to_utf8("\xe2\x82"), "â‚");  // a sequence cut short
  EXPECT_EQ(to_utf8("\xc3"), "Ã");
  EXPECT_EQ(to_utf8("\xf0\x9f\x98 x"), "ðŸ˜ x");
  EXPECT_EQ(to_utf8("\x81\x8d\x8f\x90\x9d"), "\ufffd\ufffd\ufffd\ufffd\ufffd");
}

TEST(Windows1252, MakesUtf8OfAnyByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    EXPECT_TRUE(is_valid_utf8(to_utf8(one))) << byte;
    EXPECT_TRUE(is_valid_utf8(to_utf8("\xe9" + one + "\xe2\x82" + one))) << byte;
  }
}

}  // namespace
}  // namespace parley::import
