#include "auth/token_cache.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

const WallTime kNow(std::chrono::seconds(1'750'000'000));
const WallTime kLater = kNow + std::chrono::hours(1);

std::shared_ptr<const Caller> caller(std::string user) {
  return std::make_shared<const Caller>(Caller{TenantId("acme"), UserId(std::move(user)), {}, {}, {}});
}

TEST(TokenCache, GivesBackWhatWasPutInUnderTheSameTokenOnly) {
  TokenCache cache(16);
  cache.insert("head.body.signature", 1, kLater, kNow, caller("u1"));
  ASSERT_NE(cache.find("head.body.signature", 1, kNow), nullptr);
  EXPECT_EQ(cache.find("head.body.signature", 1, kNow)->user, UserId("u1"));
  EXPECT_EQ(cache.find("head.body.signaturE", 1, kNow), nullptr);
  EXPECT_EQ(cache.find("", 1, kNow), nullptr);
}

TEST(TokenCache, ComparesTheWholeTokenNotOnlyItsHash) {
  TokenCache cache(16);
  const std::string signature(86, 's');
  cache.insert("head.body1." + signature, 1, kLater, kNow, caller("u1"));
  EXPECT_EQ(cache.find("head.body2." + signature, 1, kNow), nullptr);
  cache.insert("head.body2." + signature, 1, kLater, kNow, caller("u2"));
  EXPECT_EQ(cache.find("head.body1." + signature, 1, kNow)->user, UserId("u1"));
  EXPECT_EQ(cache.find("head.body2." + signature, 1, kNow)->user, UserId("u2"));
}

TEST(TokenCache, AnEntryEndsWithItsToken) {
  TokenCache cache(16);
  cache.insert("token", 1, kLater, kNow, caller("u1"));
  EXPECT_NE(cache.find("token", 1, kLater - std::chrono::milliseconds(1)), nullptr);
  EXPECT_EQ(cache.find("token", 1, kLater), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(TokenCache, NewKeysForgetEverything) {
  TokenCache cache(16);
  for (const char* token : {"a", "b", "c"}) cache.insert(token, 1, kLater, kNow, caller("u1"));
  EXPECT_EQ(cache.find("a", 2, kNow), nullptr);
  EXPECT_EQ(cache.size(), 0u);
  cache.insert("a", 2, kLater, kNow, caller("u2"));
  EXPECT_EQ(cache.find("a", 2, kNow)->user, UserId("u2"));
}

TEST(TokenCache, IgnoresWhatOlderKeysVerified) {
  TokenCache cache(16);
  EXPECT_EQ(cache.find("token", 2, kNow), nullptr);
  cache.insert("token", 1, kLater, kNow, caller("u1"));
  EXPECT_EQ(cache.find("token", 2, kNow), nullptr);
}

TEST(TokenCache, RefusesWhatIsOverAlreadyAndWhatIsTooLong) {
  TokenCache cache(16);
  cache.insert("token", 1, kNow, kNow, caller("u1"));
  cache.insert(std::string(TokenCache::kMaxTokenBytes + 1, 't'), 1, kLater, kNow, caller("u1"));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(TokenCache, StaysWithinItsCapacityAndDropsTheLongestUnused) {
  TokenCache cache(100);
  cache.insert("kept", 1, kLater, kNow, caller("u"));
  for (int i = 0; i < 1000; ++i) {
    cache.insert("token" + std::to_string(i), 1, kLater, kNow, caller("u"));
    EXPECT_NE(cache.find("kept", 1, kNow), nullptr);
  }
  EXPECT_EQ(cache.size(), 100u);
  EXPECT_EQ(cache.find("token900", 1, kNow), nullptr);
  for (int i = 901; i < 1000; ++i) EXPECT_NE(cache.find("token" + std::to_string(i), 1, kNow), nullptr) << i;
}

}  // namespace
}  // namespace parley::auth
