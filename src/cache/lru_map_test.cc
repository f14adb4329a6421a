#include "cache/lru_map.h"

#include <gtest/gtest.h>

namespace parley::cache {
namespace {

TEST(LruMap, TheOneLongestUnusedGivesWayWhenThereAreTooMany) {
  LruMap<int> map(2, 100'000);
  map.put("a", 1, 10);
  map.put("b", 2, 10);
  ASSERT_NE(map.find("a"), nullptr);
  map.put("c", 3, 10);
  EXPECT_EQ(map.find("b"), nullptr);
  EXPECT_EQ(*map.find("a"), 1);
  EXPECT_EQ(*map.find("c"), 3);
  EXPECT_EQ(map.size(), 2u);
}

TEST(LruMap, MakesRoomInBytesForOneThatIsLarge) {
  LruMap<int> map(100, 2000);
  for (int i = 0; i < 5; ++i) map.put(std::to_string(i), i, 200);
  map.put("large", 9, 1500);
  EXPECT_NE(map.find("large"), nullptr);
  EXPECT_LE(map.bytes(), 2000u);
  EXPECT_EQ(map.find("0"), nullptr);
}

TEST(LruMap, DoesNotKeepWhatIsLargerThanItMayBeNorDropOthersForIt) {
  LruMap<int> map(100, 1000);
  map.put("small", 1, 10);
  map.put("huge", 2, 5000);
  EXPECT_EQ(map.find("huge"), nullptr);
  EXPECT_NE(map.find("small"), nullptr);
}

TEST(LruMap, APutTakesThePlaceOfTheOneBefore) {
  LruMap<int> map(100, 1000);
  map.put("a", 1, 10);
  const std::size_t bytes = map.bytes();
  map.put("a", 2, 10);
  EXPECT_EQ(*map.find("a"), 2);
  EXPECT_EQ(map.bytes(), bytes);
  map.erase("a");
  map.erase("a");
  EXPECT_EQ(map.bytes(), 0u);
  map.put("b", 1, 10);
  map.clear();
  EXPECT_EQ(map.find("b"), nullptr);
  EXPECT_EQ(map.bytes(), 0u);
}

TEST(LruMap, OfNoEntriesKeepsNone) {
  LruMap<int> map(0, 1000);
  map.put("a", 1, 10);
  EXPECT_EQ(map.find("a"), nullptr);
}

}  // namespace
}  // namespace parley::cache
