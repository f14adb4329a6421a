#include "media/stores/s3_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace parley::media {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::uint64_t kMiB = 1 << 20;
const FileId kId("0192f3a1-7d20-7c21-9a00-0000000000f1");
const S3BlobKeys kKeys("mine/");
using ObjectRun = Run;  // a test has a Run of its own

TEST(S3BlobKeys, WhatIsMadeIsReadBack) {
  const PieceName piece{5 * kMiB, 17, UINT64_MAX};
  EXPECT_EQ(kKeys.sealed(kId), "mine/files/f1/0192f3a1-7d20-7c21-9a00-0000000000f1");
  EXPECT_EQ(kKeys.piece(kId, piece),
            "mine/uploads/f1/0192f3a1-7d20-7c21-9a00-0000000000f1/0000000000500000-0000000000000011-ffffffffffffffff");
  EXPECT_EQ(kKeys.parse(kKeys.sealed(kId))->kind, ObjectKind::kSealed);
  EXPECT_EQ(kKeys.parse(kKeys.thumbnail(kId, ThumbnailSize::kLarge))->kind, ObjectKind::kThumbnail);
  EXPECT_EQ(kKeys.parse(kKeys.marker(kId))->kind, ObjectKind::kMarker);
  const auto parsed = kKeys.parse(kKeys.piece(kId, piece));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, kId);
  EXPECT_EQ(parsed->piece, piece);
}

TEST(S3BlobKeys, WhatIsNotOursIsNothing) {
  for (const std::string& key :
       {std::string(), std::string("mine/"), std::string("files/f1/") + kId.value, "mine/files/f2/" + kId.value,
        "mine/files/f1/" + kId.value + ".huge", "mine/files/f1/" + kId.value + "/", "mine/uploads/f1/" + kId.value,
        "mine/uploads/f1/" + kId.value + "/", "mine/uploads/f1/" + kId.value + "/0-1-2",
        kKeys.pieces(kId) + "0000000000500000-0000000000000011-FFFFFFFFFFFFFFFF",
        kKeys.pieces(kId) + "ffffffffffffffff-0000000000000011-0000000000000000"}) {
    EXPECT_FALSE(kKeys.parse(key)) << key;
  }
}

TEST(S3BlobKeys, KeysOfABlobStandTogetherAndItsMarkerComesLast) {
  EXPECT_LT(kKeys.piece(kId, {UINT64_MAX - 1, 1, UINT64_MAX}), kKeys.marker(kId));
  EXPECT_LT(kKeys.marker(kId), kKeys.after_uploads(kId));
  EXPECT_LT(kKeys.thumbnail(kId, ThumbnailSize::kSmall), kKeys.after_files(kId));
  EXPECT_LT(kKeys.pieces_before(kId, 5), kKeys.piece(kId, {5, 0, 0}));
  EXPECT_GT(kKeys.pieces_before(kId, 5), kKeys.piece(kId, {4, UINT64_MAX - 4, UINT64_MAX}));
}

StoredPiece piece(std::uint64_t first, std::uint64_t length, std::uint64_t order, std::string key = {}) {
  if (key.empty()) key = std::to_string(first) + "+" + std::to_string(length) + "@" + std::to_string(order);
  return {std::move(key), {first, length, order}};
}

// "key[from,length)" for each run.
std::vector<std::string> shown(const std::vector<Run>& runs) {
  std::vector<std::string> texts;
  for (const Run& run : runs) {
    texts.push_back(run.key + "[" + std::to_string(run.from) + "," + std::to_string(run.length) + ")");
  }
  return texts;
}

TEST(S3Layout, PiecesStandOneAfterTheOtherInAnyOrderOfComing) {
  const auto runs = lay_out({piece(10, 5, 1), piece(0, 10, 2)});
  EXPECT_THAT(shown(runs), ElementsAre("0+10@2[0,10)", "10+5@1[0,5)"));
  EXPECT_TRUE(covers(runs, {0, 15}));
  EXPECT_FALSE(covers(runs, {0, 14}));
  EXPECT_FALSE(covers(runs, {0, 16}));
  EXPECT_FALSE(covers(lay_out({piece(0, 4, 1), piece(5, 4, 1)}), {0, 9}));
  EXPECT_TRUE(covers({}, {0, 0}));
}

TEST(S3Layout, TheNewerPieceCountsWhereTwoHaveTheSameBytes) {
  EXPECT_THAT(shown(lay_out({piece(0, 10, 1), piece(3, 4, 2)})),
              ElementsAre("0+10@1[0,3)", "3+4@2[0,4)", "0+10@1[7,3)"));
  EXPECT_THAT(shown(lay_out({piece(0, 10, 3), piece(3, 4, 2)})), ElementsAre("0+10@3[0,10)"));
  EXPECT_THAT(shown(lay_out({piece(0, 4, 7), piece(0, 9, 7)})), ElementsAre("0+9@7[0,9)")) << "one that has grown";
  EXPECT_THAT(shown(lay_out({piece(0, 0, 7)})), ElementsAre());
}

TEST(S3Layout, ARangeIsCutOutOfIt) {
  const auto runs = lay_out({piece(0, 10, 1), piece(10, 10, 1), piece(20, 10, 1)});
  EXPECT_THAT(shown(cut_to(runs, {5, 25})), ElementsAre("0+10@1[5,5)", "10+10@1[0,10)", "20+10@1[0,5)"));
  EXPECT_THAT(shown(cut_to(runs, {10, 10})), ElementsAre());
}

// Against a blob written byte by byte.
TEST(S3Layout, RandomPiecesGiveTheBytesThatWereWrittenLast) {
  SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> expected(60);
    std::vector<StoredPiece> pieces;
    for (std::uint64_t order = 1; order <= 12; ++order) {
      const std::uint64_t first = random.below(50), length = 1 + random.below(60 - first);
      pieces.push_back(piece(first, length, order));
      for (std::uint64_t i = 0; i < length; ++i) {
        expected[first + i] = pieces.back().key + "." + std::to_string(i);
      }
    }
    for (std::size_t i = pieces.size(); i-- > 1;) std::swap(pieces[i], pieces[random.below(i + 1)]);
    std::vector<std::string> got(60);
    for (const ObjectRun& run : lay_out(pieces)) {
      for (std::uint64_t i = 0; i < run.length; ++i) got[run.at + i] = run.key + "." + std::to_string(run.from + i);
    }
    ASSERT_EQ(got, expected) << round;
  }
}

TEST(S3Parts, LargeRunsAreCopiedAndSmallOnesPutTogether) {
  const auto parts = plan_parts(lay_out({piece(0, 6 * kMiB, 1), piece(6 * kMiB, kMiB, 1), piece(7 * kMiB, kMiB, 1),
                                         piece(8 * kMiB, 5 * kMiB, 1), piece(13 * kMiB, 1, 1)}));
  ASSERT_THAT(parts, SizeIs(3));
  EXPECT_TRUE(parts[0].is_copied);
  EXPECT_FALSE(parts[1].is_copied);
  EXPECT_THAT(parts[1].sources, SizeIs(3));
  EXPECT_EQ(parts[1].size(), 7 * kMiB);
  EXPECT_TRUE(parts[2].is_copied) << "the last part may be small";
}

// What S3 asks of parts, for any layout.
TEST(S3Parts, RandomLayoutsGivePartsThatS3Takes) {
  SeededRandom random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<StoredPiece> pieces;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0, n = 1 + random.below(40); i < n; ++i) {
      const std::uint64_t most[] = {1000, kMiB, 12 * kMiB, 2'000 * kMiB};
      pieces.push_back(piece(at, 1 + random.below(most[random.below(4)]), 1 + i));
      at += pieces.back().name.length;
      if (random.below(4) == 0) at -= random.below(pieces.back().name.length);
    }
    const auto runs = lay_out(pieces);
    const auto parts = plan_parts(runs);
    ASSERT_LE(parts.size(), 10'000u);
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool is_last = i + 1 == parts.size();
      ASSERT_GE(parts[i].size(), is_last ? 1 : 5 * kMiB);
      ASSERT_LE(parts[i].size(), parts[i].is_copied ? 5'000 * kMiB : 15 * kMiB);
      for (const ObjectRun& run : parts[i].sources) {
        ASSERT_EQ(run.at, next);
        next = run.end();
        if (!parts[i].is_copied) continue;
        ASSERT_THAT(parts[i].sources, SizeIs(1));
        ASSERT_TRUE(run.is_whole_object() || run.object_size > 5 * kMiB);
      }
    }
    ASSERT_EQ(next, end_of(runs));
  }
}

TEST(S3Parts, OfAVeryLargeBlobPartsAreLargerSoThatThereAreNotTooMany) {
  std::vector<ObjectRun> runs;
  for (std::uint64_t i = 0; i < 60'000; ++i) {
    runs.push_back({.key = "k", .object_size = 5 * kMiB, .from = 0, .length = 5 * kMiB, .at = i * 5 * kMiB});
  }
  const auto parts = plan_parts(std::move(runs));
  EXPECT_LE(parts.size(), 10'000u);
  const auto one = plan_parts(
      {{.key = "k", .object_size = std::uint64_t{5} << 40, .from = 0, .length = std::uint64_t{5} << 40, .at = 0}});
  EXPECT_LE(one.size(), 10'000u);
  for (const PartPlan& part : one) EXPECT_LE(part.size(), std::uint64_t{5} << 30);
}

}  // namespace
}  // namespace parley::media
