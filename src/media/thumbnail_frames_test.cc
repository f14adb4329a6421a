#include "media/thumbnail_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace parley::media {
namespace {

using ::testing::ElementsAre;

std::string webp(std::string_view content) {
  std::string bytes = "RIFF";
  const auto length = static_cast<std::uint32_t>(content.size() + 4);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(length >> shift & 0xff);
  return bytes.append("WEBP").append(content);
}

TEST(ThumbnailFrames, WhatIsWrittenIsRead) {
  const std::string frames = frame_of(ImageSize{30'000, 2}) + frame_of(ThumbnailSize::kSmall, webp("small")) +
                             frame_of(ThumbnailSize::kLarge, webp("large"));
  for (const bool cut : {false, true}) {
    const auto picture = parse_frames(frames, cut);
    ASSERT_TRUE(picture);
    EXPECT_EQ(picture->image, (ImageSize{30'000, 2}));
    EXPECT_THAT(picture->thumbnails, ElementsAre(std::pair{ThumbnailSize::kSmall, webp("small")},
                                                 std::pair{ThumbnailSize::kLarge, webp("large")}));
  }
}

TEST(ThumbnailFrames, OfACutAnswerTheWholeFramesCount) {
  const std::string frames = frame_of(ImageSize{3, 2}) + frame_of(ThumbnailSize::kSmall, webp("small"));
  for (std::size_t length = 0; length < frames.size(); ++length) {
    const std::string_view cut = std::string_view(frames).substr(0, length);
    const auto picture = parse_frames(cut, true);
    ASSERT_TRUE(picture) << length;
    EXPECT_EQ(picture->image.has_value(), length >= frame_of(ImageSize{3, 2}).size());
    EXPECT_TRUE(picture->thumbnails.empty());
    if (length != 0 && length != frame_of(ImageSize{3, 2}).size()) {
      EXPECT_FALSE(parse_frames(cut, false)) << length;
    }
  }
}

TEST(ThumbnailFrames, WhatBreaksARuleIsNotBelieved) {
  const std::string size = frame_of(ImageSize{3, 2});
  const std::string small = frame_of(ThumbnailSize::kSmall, webp("small"));
  for (const std::string& frames :
       {size + size, size + small + small, small, frame_of(ImageSize{0, 2}), frame_of(ImageSize{2, 0}),
        size + frame_of(ThumbnailSize::kSmall, "<svg>"), size + frame_of(ThumbnailSize::kSmall, ""),
        size + frame_of(ThumbnailSize::kSmall, webp("x") + "more"), std::string(5, '\0'),
        std::string("\x04\0\0\0\0", 5), std::string("\xff\xff\xff\xff\xff", 5) + std::string(100, 'x')}) {
    EXPECT_FALSE(parse_frames(frames, false)) << ::testing::PrintToString(frames);
  }
}

TEST(ThumbnailFrames, NoAnswerIsTooStrangeToBeRead) {
  SeededRandom random(1);
  const std::string good = frame_of(ImageSize{3, 2}) + frame_of(ThumbnailSize::kSmall, webp("small"));
  for (int round = 0; round < 20'000; ++round) {
    std::string frames = good;
    for (std::uint64_t i = random.below(6); i > 0; --i) {
      frames[random.below(frames.size())] = static_cast<char>(random.below(256));
    }
    frames.resize(random.below(frames.size() + 1));
    const auto picture = parse_frames(frames, random.below(2) == 0);
    if (picture && !picture->thumbnails.empty()) {
      EXPECT_TRUE(picture->image);
      EXPECT_TRUE(picture->thumbnails.front().second.starts_with("RIFF"));
    }
  }
}

TEST(ThumbnailFrames, APictureHasTheSizesThatAreSmallerThanItselfAndAlwaysTheSmallOne) {
  EXPECT_THAT(thumbnails_for({1, 1}), ElementsAre(ThumbnailSize::kSmall));
  EXPECT_THAT(thumbnails_for({480, 100}), ElementsAre(ThumbnailSize::kSmall));
  EXPECT_THAT(thumbnails_for({100, 481}), ElementsAre(ThumbnailSize::kSmall, ThumbnailSize::kMedium));
  EXPECT_THAT(thumbnails_for({1280, 1280}), ElementsAre(ThumbnailSize::kSmall, ThumbnailSize::kMedium));
  EXPECT_THAT(thumbnails_for({1281, 3}),
              ElementsAre(ThumbnailSize::kSmall, ThumbnailSize::kMedium, ThumbnailSize::kLarge));
}

}  // namespace
}  // namespace parley::media
