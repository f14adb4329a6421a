#include "media/digests.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace parley::media {
namespace {

// FIPS 180-4 and RFC 1321, the examples for "abc".
constexpr std::string_view kSha256OfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string kMd5OfAbc("\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72", 16);

TEST(Digests, AreOfAllPiecesTogetherAndMayBeReadOnTheWay) {
  Digests digests({});
  digests.update("ab");
  const Sha256 before = digests.sha256();
  digests.update("");
  digests.update("c");
  EXPECT_EQ(before, sha256("ab"));
  EXPECT_EQ(hex_encode(digests.sha256()), kSha256OfAbc);
  EXPECT_EQ(digests.length(), 3u);
}

TEST(Digests, CompareWithEveryKindThatWasAnnounced) {
  const Sha256 right = sha256("abc");
  const std::string sha(right.begin(), right.end());
  Digests good({{DigestKind::kMd5, kMd5OfAbc}, {DigestKind::kSha256, sha}});
  good.update("abc");
  EXPECT_TRUE(good.as_expected());
  good.update("d");
  EXPECT_FALSE(good.as_expected());

  std::string wrong = kMd5OfAbc;
  wrong[0] ^= 1;
  Digests one_wrong({{DigestKind::kSha256, sha}, {DigestKind::kMd5, wrong}});
  one_wrong.update("abc");
  EXPECT_FALSE(one_wrong.as_expected());
}

TEST(Digests, GoOnFromWhereOthersAreAndCompareWhatIsNew) {
  const Sha256 of_b = sha256("b");
  Digests first({});
  first.update("a");
  Digests next = first.continued({{DigestKind::kSha256, std::string(of_b.begin(), of_b.end())}});
  EXPECT_EQ(next.sha256(), sha256("a"));
  next.update("b");
  EXPECT_TRUE(next.as_expected());
  EXPECT_EQ(next.sha256(), sha256("ab"));
  EXPECT_EQ(next.length(), 2u);
  EXPECT_EQ(first.sha256(), sha256("a"));
}

TEST(Digests, OfNothingAreAsExpectedWhenNothingWas) {
  EXPECT_TRUE(Digests({}).as_expected());
  EXPECT_EQ(Digests({}).sha256(), sha256(""));
}

}  // namespace
}  // namespace parley::media
