#include "auth/token_cache.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

const WallTime kNow(std::chrono::seconds(1'750'000'000));
const WallTime kLater = kNow + std::chrono::hours(1);

std::shared_ptr<const Caller> caller(std::string user) {
  return std::make_shared<const Caller>(Caller{TenantId("acme"), UserId(std::move(user)), {}, {}});
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

TEST(TokenCache, AnEntryEndsWithItsTokenAndWithItsKeys) {
  TokenCache cache(16);
  cache.insert("token", 1, kLater, kNow, caller("u1"));
  EXPECT_NE(cache.find("token", 1, kLater - std::chrono::milliseconds(1)), nullptr);
  EXPECT_EQ(cache.find("token", 1, kLater), nullptr);
  EXPECT_EQ(cache.find("token", 2, kNow), nullptr);
  cache.insert("token", 2, kLater, kNow, caller("u2"));
  EXPECT_EQ(cache.find("token", 2, kNow)->user, UserId("u2"));
  EXPECT_EQ(cache.size(), 1u);
}

TEST(TokenCache, RefusesWhatIsOverAlreadyAndWhatIsTooLong) {
  TokenCache cache(16);
  cache.insert("token", 1, kNow, kNow, caller("u1"));
  cache.insert(std::string(TokenCache::kMaxTokenBytes + 1, 't'), 1, kLater, kNow, caller("u1"));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(TokenCache, StaysWithinItsCapacity) {
  TokenCache cache(100);
  EXPECT_EQ(cache.capacity(), 128u);
  for (int i = 0; i < 10'000; ++i) cache.insert("token" + std::to_string(i), 1, kLater, kNow, caller("u"));
  EXPECT_LE(cache.size(), cache.capacity());
  EXPECT_GT(cache.size(), cache.capacity() / 2);
}

TEST(TokenCache, DropsTheDeadBeforeTheLivingAndTheIdleBeforeTheUsed) {
  TokenCache cache(TokenCache::kWays);  // one set
  const WallTime soon = kNow + std::chrono::seconds(1);
  for (std::size_t i = 0; i < TokenCache::kWays; ++i) {
    cache.insert("t" + std::to_string(i), 1, i == 5 ? soon : kLater, kNow, caller("u"));
  }
  EXPECT_NE(cache.find("t0", 1, kNow), nullptr);
  cache.insert("new1", 1, kLater, soon, caller("u"));  // t5 is dead
  cache.insert("new2", 1, kLater, soon, caller("u"));  // t1 has been idle longest
  EXPECT_EQ(cache.find("t5", 1, kNow), nullptr);
  EXPECT_EQ(cache.find("t1", 1, kNow), nullptr);
  for (const char* token : {"t0", "t2", "t3", "t4", "t6", "t7", "new1", "new2"}) {
    EXPECT_NE(cache.find(token, 1, soon), nullptr) << token;
  }
}

}  // namespace
}  // namespace parley::auth
