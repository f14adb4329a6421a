#include "media/tus_fields.h"

#include <gtest/gtest.h>

namespace parley::media {
namespace {

TEST(TusMetadata, NamesAndTypesAreRead) {
  const auto full = parse_tus_metadata("filename d29ybGQucGRm, is_confidential,filetype dGV4dC9wbGFpbg==");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->filename, "world.pdf");
  EXPECT_EQ(full->type, "text/plain");
  const auto other = parse_tus_metadata("name YQ==,type Yg==");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->filename, "a");
  EXPECT_EQ(other->type, "b");
  EXPECT_EQ(parse_tus_metadata("name YQ==,filename Yg==")->filename, "b");
  EXPECT_EQ(parse_tus_metadata("filename Yg==,name YQ==")->filename, "b");
  EXPECT_EQ(parse_tus_metadata("")->filename, "");
  EXPECT_EQ(parse_tus_metadata("filename ")->filename, "");
}

TEST(TusMetadata, WhatIsMalformedIsRefused) {
  for (const char* wrong : {"filename !", "a YQ==,a YQ==", ",", "a,,b", " , ", "filename YQ== YQ==", "\xc3\xa9 YQ=="}) {
    const auto refused = parse_tus_metadata(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().fields.at(0).path, "header.Upload-Metadata");
  }
}

TEST(TusChecksum, EachAlgorithmHasItsLength) {
  EXPECT_TRUE(parse_tus_checksum(std::nullopt)->empty());
  EXPECT_EQ(parse_tus_checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")->at(0).kind, DigestKind::kSha1);
  EXPECT_EQ(parse_tus_checksum("md5 kAFQmDzST7DWlj99KOF/cg==")->at(0).kind, DigestKind::kMd5);
  for (const char* wrong : {"", "sha1", "sha1 ", "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "crc32 AAAA",
                            "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "sha1 !q5sNclPz7QV2+lfQIuc6R7oRu0="}) {
    const auto refused = parse_tus_checksum(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().fields.at(0).path, "header.Upload-Checksum");
  }
}

}  // namespace
}  // namespace parley::media
