#include "media/upload_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/tus_concat.h"

namespace parley::media {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Upload chunked(std::uint64_t size, std::vector<ByteRange> present) {
  Upload upload;
  upload.kind = UploadKind::kChunked;
  upload.size = size;
  upload.chunk_size = 10;
  upload.present = std::move(present);
  return upload;
}

TEST(UploadProgress, AChunkIsPresentOnceAllOfItIs) {
  const ChunkCount none = count_chunks(chunked(35, {}));
  EXPECT_EQ(none.total, 4u);
  EXPECT_EQ(none.present, 0u);
  EXPECT_THAT(none.missing, ElementsAre(Pair(0, 3)));
  const ChunkCount parts = count_chunks(chunked(35, {{0, 10}, {12, 15}, {17, 20}, {30, 35}}));
  EXPECT_EQ(parts.present, 2u);
  EXPECT_THAT(parts.missing, ElementsAre(Pair(1, 2)));
  const ChunkCount odd = count_chunks(chunked(35, {{5, 25}}));
  EXPECT_EQ(odd.present, 1u);
  EXPECT_THAT(odd.missing, ElementsAre(Pair(0, 0), Pair(2, 3)));
  EXPECT_THAT(count_chunks(chunked(35, {{0, 35}})).missing, IsEmpty());
  EXPECT_EQ(count_chunks(chunked(0, {})).total, 0u);
}

TEST(UploadProgress, OfManyGapsTheFirstThousandAreNamed) {
  std::vector<ByteRange> every_other;
  for (std::uint64_t i = 0; i < 3'000; ++i) every_other.push_back({i * 20, i * 20 + 10});
  const ChunkCount count = count_chunks(chunked(60'000, every_other));
  EXPECT_EQ(count.present, 3'000u);
  EXPECT_EQ(count.missing.size(), 1'000u);
  EXPECT_THAT(count.missing.back(), Pair(1'999, 1'999));
  EXPECT_TRUE(count.more_missing);
}

TEST(UploadProgress, TheFrontEndsAtTheFirstGap) {
  EXPECT_EQ(front_end(chunked(35, {})), 0u);
  EXPECT_EQ(front_end(chunked(35, {{1, 10}})), 0u);
  EXPECT_EQ(front_end(chunked(35, {{0, 12}, {20, 35}})), 12u);
}

TEST(TusConcat, PartialUploadsAreNamedByTheEndsOfTheirAddresses) {
  EXPECT_THAT(partials_of("final;/files/a http://h:1/v1/media/tus/b?x=1  tus/c d/"),
              ElementsAre(FileId("a"), FileId("b"), FileId("c"), FileId("")));
  EXPECT_THAT(partials_of("final;"), IsEmpty());
  EXPECT_THAT(partials_of("partial"), IsEmpty());
}

TEST(TusConcat, FieldsComeOutAsTheyWentIn) {
  for (const TusFields& fields : {TusFields{"", ""}, {"a Yg==", ""}, {"", "partial"}, {"a Yg==,c", "final;a b"}}) {
    const TusFields out = unpack_tus_fields(pack(fields));
    EXPECT_EQ(out.metadata, fields.metadata);
    EXPECT_EQ(out.concat, fields.concat);
  }
}

}  // namespace
}  // namespace parley::media
