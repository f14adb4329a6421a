#include "search/text/edit_distance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "search/text/analysis.h"

namespace parley::search {
namespace {

TEST(EditDistance, CountsLettersAddedLeftOutChangedAndSwapped) {
  EXPECT_EQ(edit_distance("kernel", "kernel", 3), 0u);
  EXPECT_EQ(edit_distance("kernel", "kernal", 3), 1u);
  EXPECT_EQ(edit_distance("kernel", "kerne", 3), 1u);
  EXPECT_EQ(edit_distance("kernel", "kernels", 3), 1u);
  EXPECT_EQ(edit_distance("kernel", "kenrel", 3), 1u);
  EXPECT_EQ(edit_distance("kernel", "krenle", 3), 2u);
  EXPECT_EQ(edit_distance("", "ab", 3), 2u);
  EXPECT_EQ(edit_distance("", "", 3), 0u);
}

TEST(EditDistance, IsNotBelowTheMostWhenTheWordsAreFurtherApart) {
  EXPECT_GE(edit_distance("kernel", "panic", 2), 2u);
  EXPECT_GE(edit_distance("a", "abcdefgh", 3), 3u);
}

TEST(EditDistance, GoesByLettersNotByBytes) {
  EXPECT_EQ(edit_distance("привет", "превет", 3), 1u);
  EXPECT_EQ(edit_distance("привет", "првиет", 3), 1u);
  EXPECT_EQ(near_distance("при"), 0u);
  EXPECT_EQ(near_distance("прив"), 1u);
  EXPECT_EQ(near_distance("приветы"), 2u);
}

TEST(EditDistance, ReadsAWordOfAnyBytesAndLength) {
  const std::string most(kMaxTermBytes + 9, 'a'), broken = "\x80\xFF\xC3";
  EXPECT_EQ(edit_distance(most, most, 3), 0u);
  EXPECT_GE(edit_distance(broken, "abc", 2), 2u);
}

TEST(EditDistance, StopsEarlyOnlyWhereItMay) {
  SeededRandom random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string a, b;
    for (std::uint64_t n = random.below(7); n > 0; --n) a += static_cast<char>('a' + random.below(3));
    for (std::uint64_t n = random.below(7); n > 0; --n) b += static_cast<char>('a' + random.below(3));
    const std::size_t exact = edit_distance(a, b, 99);
    EXPECT_EQ(exact, edit_distance(b, a, 99));
    for (std::size_t most = 1; most < 5; ++most) {
      const std::size_t bounded = edit_distance(a, b, most);
      if (exact < most) {
        EXPECT_EQ(bounded, exact) << a << ' ' << b << ' ' << most;
      } else {
        EXPECT_GE(bounded, most) << a << ' ' << b << ' ' << most;
      }
    }
  }
}

}  // namespace
}  // namespace parley::search
