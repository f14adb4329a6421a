#include "drivers/vips/webp_chunks.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "base/random.h"

namespace parley::vips {
namespace {

std::string u32(std::size_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}
std::string chunk(const std::string& kind, const std::string& content) {
  return kind + u32(content.size()) + content + (content.size() % 2 == 1 ? std::string(1, '\0') : "");
}
std::string file(const std::string& chunks) {
  return "RIFF" + u32(chunks.size() + 4) + "WEBP" + chunks;
}

TEST(WebpChunks, WhatIsNotShownIsTakenOutAndWhatIsStaysAsItIs) {
  const std::string alpha = chunk("ALPH", "alpha");
  const std::string picture = chunk("VP8 ", "picture");
  EXPECT_EQ(
      without_metadata(file(chunk("VP8X", std::string("\x3c\0\0\0abcabc", 10)) + chunk("ICCP", "profile") + alpha +
                            picture + chunk("EXIF", "who") + chunk("XMP ", "where") + chunk("what", "ever"))),
      file(chunk("VP8X", std::string("\x10\0\0\0abcabc", 10)) + alpha + picture));
  const std::string plain = file(chunk("VP8L", "odd"));
  EXPECT_EQ(without_metadata(plain), plain);
}

TEST(WebpChunks, WhatIsNotWellFormedIsRefused) {
  const std::string good = file(chunk("VP8 ", "picture") + chunk("EXIF", "who"));
  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(without_metadata(good.substr(0, length)));
  EXPECT_FALSE(without_metadata(good + "x"));
  EXPECT_FALSE(without_metadata(file("VP8 " + u32(0xffffffff) + "x")));
  EXPECT_FALSE(without_metadata(file(chunk("VP8X", ""))));
  EXPECT_FALSE(without_metadata(file("VP8")));
}

TEST(WebpChunks, AnyBytesCanBeAsked) {
  SeededRandom random(1);
  const std::string good = file(chunk("VP8X", std::string(10, '\0')) + chunk("VP8 ", "picture") + chunk("EXIF", "who"));
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    if (const auto kept = without_metadata(bytes)) {
      EXPECT_EQ(without_metadata(*kept), kept);
    }
  }
}

}  // namespace
}  // namespace parley::vips
