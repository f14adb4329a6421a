#include "media/url_signer.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "drivers/sqlite/temp_folder.h"

namespace parley::media {
namespace {

using std::chrono::seconds;

const FileId kFile("0198c5a2-7f00-7000-8000-0000000000f1");
const WallTime kNow(seconds(1'800'000'000));

std::vector<NamedSecret> keys(const char* text) {
  auto parsed = parse_named_secrets(text);
  EXPECT_TRUE(parsed.has_value());
  return std::move(*parsed);
}

std::function<std::string()> at(const char* gateway) {
  return [gateway] { return std::string(gateway); };
}

const UrlSigner& signer() {
  static const UrlSigner one(keys("new:0123456789abcdef,old:fedcba9876543210"), at("https://chat.example.com/"));
  return one;
}

SignedDownload download() {
  return {TenantId("acme"), kFile, UserId("ada lovelace&co=1"), http::Disposition::kInline, kNow + seconds(60)};
}

std::string query_of(const std::string& address) {
  return address.substr(address.find('?') + 1);
}

bool holds(const FileId& file, std::string_view query, WallTime now = kNow) {
  const auto verified = signer().verify(file, query, now);
  if (!verified) {
    EXPECT_EQ(verified.error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(verified.error().code, "invalid_signature");
  }
  return verified.has_value();
}

TEST(UrlSigner, WhatItSignedIsWhatItReads) {
  const std::string address = signer().address(download());
  EXPECT_TRUE(address.starts_with("https://chat.example.com/v1/media/download/" + kFile.value + "?tenant=acme&user="));
  const auto verified = signer().verify(kFile, query_of(address), kNow);
  ASSERT_TRUE(verified.has_value());
  EXPECT_EQ(verified->tenant, TenantId("acme"));
  EXPECT_EQ(verified->user, UserId("ada lovelace&co=1"));
  EXPECT_EQ(verified->file, kFile);
  EXPECT_EQ(verified->disposition, http::Disposition::kInline);
  EXPECT_EQ(verified->expires_at, kNow + seconds(60));
}

TEST(UrlSigner, AnAddressEndsAtItsTime) {
  const std::string query = query_of(signer().address(download()));
  EXPECT_TRUE(holds(kFile, query, kNow + seconds(60) - std::chrono::milliseconds(1)));
  EXPECT_FALSE(holds(kFile, query, kNow + seconds(60)));
  EXPECT_FALSE(holds(kFile, query, kNow + seconds(61)));
}

TEST(UrlSigner, OneChangedByteAnywhereIsRefused) {
  const std::string query = query_of(signer().address(download()));
  for (std::size_t at = 0; at < query.size(); ++at) {
    for (const char other : {'a', 'A', '0', '1', '-', '&', '=', '%', '+'}) {
      if (query[at] == other) continue;
      std::string changed = query;
      changed[at] = other;
      EXPECT_FALSE(holds(kFile, changed)) << changed;
    }
    EXPECT_FALSE(holds(kFile, query.substr(0, at)));
    EXPECT_FALSE(holds(kFile, query.substr(0, at) + query.substr(at + 1)));
  }
  EXPECT_FALSE(holds(FileId("0198c5a2-7f00-7000-8000-0000000000f2"), query));
}

TEST(UrlSigner, AnotherSpellingOfTheSameIsRefused) {
  const std::string query = query_of(signer().address(download()));
  const std::string signature = query.substr(query.rfind('=') + 1);
  for (const std::string& other :
       {query + "&", "&" + query, query + "&a=b", query + "=", query + "&signature=" + signature, "user=x&" + query,
        query + "&user=x", std::string(query).replace(query.find("acme"), 1, "%61"),
        std::string(query).replace(query.find("%20"), 3, "+"), std::string(query).replace(query.find("%3D"), 3, "%3d"),
        std::string(query).replace(query.find("expires="), 8, "expires=0"), std::string()}) {
    EXPECT_FALSE(holds(kFile, other)) << other;
  }
}

// The last of 43 characters holds four bits of the signature; that the other two are zero is a matter of form.
TEST(UrlSigner, OneSignatureHasOneText) {
  const std::string query = query_of(signer().address(download()));
  int good = 0;
  for (const char last : std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")) {
    good += holds(kFile, query.substr(0, query.size() - 1) + last) ? 1 : 0;
  }
  EXPECT_EQ(good, 1);
}

TEST(UrlSigner, AKeyThatIsKeptStillOpensAndOneThatIsGoneDoesNot) {
  const UrlSigner before(keys("old:fedcba9876543210"), at("http://h"));
  EXPECT_TRUE(holds(kFile, query_of(before.address(download()))));
  const UrlSigner gone(keys("older:fedcba9876543210"), at("http://h"));
  EXPECT_FALSE(holds(kFile, query_of(gone.address(download()))));
  const UrlSigner same_name(keys("old:fedcba987654321x"), at("http://h"));
  EXPECT_FALSE(holds(kFile, query_of(same_name.address(download()))));
  const UrlSigner same_secret(keys("older:0123456789abcdef,new:0123456789abcdef"), at("http://h"));
  EXPECT_FALSE(holds(kFile, query_of(same_secret.address(download()))));
}

TEST(UrlSigner, AnAddressBeginsWhereTheGatewayIsByThen) {
  std::string gateway = "http://127.0.0.1:3000";
  const UrlSigner one(keys("a:0123456789abcdef"), [&gateway] { return gateway; });
  const std::string query = query_of(one.address(download()));
  gateway = "https://chat.example.com/parley//";
  const std::string later = one.address(download());
  EXPECT_TRUE(later.starts_with("https://chat.example.com/parley/v1/media/download/")) << later;
  EXPECT_EQ(query_of(later), query);  // no host is signed
}

TEST(UrlSigner, AFoldersKeyIsMadeOnceAndKept) {
  const sqlite::TempFolder folder;
  SecureRandom random;
  const auto first = UrlSigner::load_or_create_keys(folder.path(), random);
  const auto second = UrlSigner::load_or_create_keys(folder.path(), random);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->front().secret.reveal(), second->front().secret.reveal());
}

}  // namespace
}  // namespace parley::media
