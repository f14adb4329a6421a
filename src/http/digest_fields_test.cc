#include "http/digest_fields.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace parley::http {
namespace {

using HeaderList = std::initializer_list<std::pair<const char*, const char*>>;

// Of "hello".
constexpr auto kMd5 = "XUFAKrxLKna5cZ2REBfFkg==";
constexpr auto kSha1 = "qvTGHdzF6KLavt4PO0gs2a6pQ00=";
constexpr auto kSha256 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
constexpr auto kSha512 = "m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==";

std::string read(HeaderList headers) {
  Fields fields;
  for (const auto& [name, value] : headers) fields.add(name, value);
  const auto digests = digest_fields(fields);
  if (!digests) return digests.error().fields.at(0).path;
  std::string text;
  for (const ExpectedDigest& digest : *digests) {
    static constexpr const char* kNames[] = {"md5", "sha1", "sha256", "sha512"};
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(digest.bytes.data());
    text.append(kNames[static_cast<int>(digest.kind)]).append(":");
    text.append(hex_encode({bytes, 2})).append("+").append(std::to_string(digest.bytes.size())).append(" ");
  }
  return text;
}

std::string with(const char* before, const char* digest, const char* after = "") {
  return std::string(before) + digest + after;
}

TEST(DigestFields, AreReadInEveryForm) {
  EXPECT_EQ(read({}), "");
  EXPECT_EQ(read({{"Content-MD5", kMd5}}), "md5:5d41+16 ");
  EXPECT_EQ(read({{"digest", with("SHA-256=", kSha256).c_str()}}), "sha256:2cf2+32 ");
  EXPECT_EQ(read({{"Repr-Digest", with("sha-512=:", kSha512, ":").c_str()}}), "sha512:9b71+64 ");
  EXPECT_EQ(read({{"Content-Digest", with("sha-256=:", kSha256, ":;a=1").c_str()}}), "sha256:2cf2+32 ");
  EXPECT_EQ(read({{"X-Checksum-SHA256", "2CF24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}}),
            "sha256:2cf2+32 ");
}

TEST(DigestFields, MayBeSeveral) {
  const std::string digest = with("md5=", kMd5) + with(" ,, SHA=", kSha1) + with(",sha-256=", kSha256);
  EXPECT_EQ(read({{"Digest", digest.c_str()}, {"Content-MD5", kMd5}}), "md5:5d41+16 sha1:aaf4+20 sha256:2cf2+32 ");
  const std::string repr = with("sha-256=:", kSha256, ":") + with(", sha=:", kSha1, ":");
  EXPECT_EQ(read({{"Repr-Digest", repr.c_str()}, {"Repr-Digest", with("md5=:", kMd5, ":").c_str()}}),
            "sha256:2cf2+32 sha1:aaf4+20 md5:5d41+16 ");
}

TEST(DigestFields, AreOneOfEachKind) {
  constexpr auto kOtherMd5 = "AAAAAAAAAAAAAAAAAAAAAA==";
  const std::string twice = with("md5=", kMd5) + with(",MD5=", kMd5),
                    both = with("md5=", kMd5) + with(",md5=", kOtherMd5);
  EXPECT_EQ(read({{"Digest", twice.c_str()}}), "md5:5d41+16 ");
  EXPECT_EQ(read({{"Digest", both.c_str()}}), "header.Digest");
  EXPECT_EQ(read({{"Digest", twice.c_str()}, {"Content-MD5", kOtherMd5}}), "header.Content-MD5");
}

TEST(DigestFields, OfUnknownAlgorithmsAreLeftOut) {
  EXPECT_EQ(read({{"Digest", with("crc32c=abc, unixsum=1, sha-256=", kSha256).c_str()}}), "sha256:2cf2+32 ");
  EXPECT_EQ(read({{"Repr-Digest", "sha-3=:AAAA:, x, y=\"a,b\", adler32=1"}}), "");
  EXPECT_EQ(read({{"Want-Digest", "sha-256"}, {"Want-Repr-Digest", "sha-256=1"}}), "");
  EXPECT_EQ(read({{"Digest", ""}}), "");
}

TEST(DigestFields, ThatAreMalformedAreNamed) {
  for (const char* bad : {"", "x", "XUFAKrxLKna5cZ2REBfFkg=", "XUFAKrxLKna5cZ2REBfFkh==",
                          "5d41402abc4b2a76b9719d911017c592", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="}) {
    EXPECT_EQ(read({{"Content-MD5", bad}}), "header.Content-MD5") << bad;
  }
  for (const char* bad :
       {"sha-256", "sha-256=", "sha-256=:", "sha-256=AAAA",
        "sha=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"}) {
    EXPECT_EQ(read({{"Digest", bad}}), "header.Digest") << bad;
  }
  for (const char* bad : {"sha-256", "sha-256=", "sha-256=:", "sha-256=::", "sha-256=:AAAA:", "sha-256=?1",
                          "sha-256=\"x\"", "sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
                          "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=: x"}) {
    EXPECT_EQ(read({{"Repr-Digest", bad}}), "header.Repr-Digest") << bad;
    EXPECT_EQ(read({{"Content-Digest", bad}}), "header.Content-Digest") << bad;
  }
  for (const char* bad : {"", "2cf2", "zz", kSha256}) {
    EXPECT_EQ(read({{"X-Checksum-SHA256", bad}}), "header.X-Checksum-SHA256") << bad;
  }
}

TEST(DigestFields, WhatAnAnswerAnnouncesIsWhatARequestMayBring) {
  EXPECT_EQ(repr_digest(sha256("hello")), "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:");
  for (int i = 0; i < 100; ++i) {  // with every character of the alphabet
    const Sha256 digest = sha256(std::to_string(i));
    const std::string field = repr_digest(digest);
    Fields fields;
    fields.add("Repr-Digest", field);
    const auto parsed = digest_fields(fields);
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(parsed->size(), 1u);
    EXPECT_EQ(parsed->front().bytes, std::string(digest.begin(), digest.end()));
  }
}

}  // namespace
}  // namespace parley::http
