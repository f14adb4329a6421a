// The small parts of the service by themselves: the cipher of cursors, the result cache, the lag.
#include <gtest/gtest.h>

#include "search/index_lag.h"
#include "search/payload_cipher.h"
#include "search/result_cache.h"

namespace parley::search {
namespace {

TEST(PayloadCipher, OpensWhatItClosedAndShowsNothingOfIt) {
  const PayloadCipher cipher("secret");
  for (const std::string payload : {"", "r:1:2:3", "a much longer payload than one block of the cipher is long"}) {
    const std::string closed = cipher.close(payload);
    EXPECT_EQ(cipher.open(closed), payload);
    if (payload.size() > 4) {
      EXPECT_EQ(closed.find(payload.substr(0, 5)), std::string::npos);
    }
  }
}

TEST(PayloadCipher, RefusesEverythingThatItDidNotMake) {
  const PayloadCipher cipher("secret");
  const std::string good = cipher.close("r:1:2:3");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bent = good;
    bent[i] = static_cast<char>(bent[i] ^ 1);
    EXPECT_FALSE(cipher.open(bent).has_value()) << i;
    EXPECT_FALSE(cipher.open(good.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(cipher.open(good + "x").has_value());
  EXPECT_FALSE(PayloadCipher("another").open(good).has_value());
}

ResultCache::State state(std::int64_t through, std::chrono::milliseconds at = {}) {
  return {ResultCache::digest_of({ConversationId("c1")}), {through}, SteadyTime(at)};
}
std::shared_ptr<const ResultCache::Found> some_page() {
  return std::make_shared<const ResultCache::Found>(FoundEntries());
}

TEST(ResultCache, GivesBackWhatIsStillGood) {
  ResultCache cache;
  const auto page = some_page();
  cache.put("k", state(1), page);
  EXPECT_EQ(cache.find("k", state(1, std::chrono::seconds(4))), page);
  EXPECT_EQ(cache.find("other", state(1)), nullptr);
}

TEST(ResultCache, AnEntryIsGoneWithTheNextEventWithAnotherMembershipAndWithTime) {
  ResultCache cache;
  cache.put("k", state(1), some_page());
  EXPECT_EQ(cache.find("k", state(2)), nullptr);
  cache.put("k", state(1), some_page());
  ResultCache::State left = state(1);
  left.scope = ResultCache::digest_of({});
  EXPECT_EQ(cache.find("k", left), nullptr);
  cache.put("k", state(1), some_page());
  EXPECT_EQ(cache.find("k", state(1, ResultCache::kLife)), nullptr);
}

TEST(ResultCache, TwoMembershipsNeverLookAlike) {
  const auto digest = [](std::vector<ConversationId> ids) { return ResultCache::digest_of(ids); };
  EXPECT_NE(digest({ConversationId("ab"), ConversationId("c")}), digest({ConversationId("a"), ConversationId("bc")}));
  EXPECT_NE(digest({ConversationId("a")}), digest({ConversationId("a"), ConversationId("b")}));
}

TEST(ResultCache, DoesNotKeepMoreThanItMay) {
  ResultCache cache;
  FoundEntries large;
  large.items.push_back({"id", std::string(3 * 1024 * 1024, 'x')});
  int kept = 0;
  for (int i = 0; i < 64; ++i) {
    cache.put(std::to_string(i), state(1), std::make_shared<const ResultCache::Found>(large));
  }
  for (int i = 0; i < 64; ++i) kept += cache.find(std::to_string(i), state(1)) != nullptr;
  EXPECT_LE(kept, 10);
  EXPECT_GE(kept, 1);
}

TEST(IndexLag, IsBehindOnlyWhenOneEventHasWaitedForLong) {
  IndexLag lag;
  const auto at = [](int ms) { return SteadyTime(std::chrono::milliseconds(ms)); };
  EXPECT_FALSE(lag.behind({5}, {4}, at(0)));
  EXPECT_FALSE(lag.behind({9}, {6}, at(400)));
  EXPECT_FALSE(lag.behind({20}, {8}, at(800)));
  EXPECT_TRUE(lag.behind({30}, {8}, at(1000)));
  EXPECT_FALSE(lag.behind({30}, {30}, at(1100)));
}

TEST(IndexLag, StaysBehindWhileASteadyBacklogMovesOn) {
  IndexLag lag;
  constexpr int kStep = 100, kBacklog = 1000;  // an event a millisecond, each indexed a second later
  for (int now = 0; now <= 10 * kBacklog; now += kStep) {
    const bool behind = lag.behind({now}, {now - kBacklog}, SteadyTime(std::chrono::milliseconds(now)));
    EXPECT_EQ(behind, now > 500) << now;
  }
}

}  // namespace
}  // namespace parley::search
