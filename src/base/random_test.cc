#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace parley {
namespace {

// Short and long answers come from different places; none may ever repeat.
TEST(SecureRandom, NeverGivesTheSameBytesTwice) {
  SecureRandom random;
  std::set<std::array<std::uint8_t, 16>> seen;
  for (int i = 0; i < 1000; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
    random.fill(std::span(bytes).first(static_cast<std::size_t>(i % 16)));
    std::array<std::uint8_t, 32> longer{};
    random.fill(longer);
    std::copy_n(longer.begin() + 8, bytes.size(), bytes.begin());
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(SecureRandom, FillsAllOfWhatItIsGiven) {
  SecureRandom random;
  for (const std::size_t size : {1u, 7u, 16u, 17u, 600u}) {
    std::vector<std::uint8_t> bytes(size);
    // Each byte must become something else than 0 in one of 32 tries.
    std::vector<bool> changed(size);
    for (int i = 0; i < 32; ++i) {
      random.fill(bytes);
      for (std::size_t at = 0; at < size; ++at) changed[at] = changed[at] || bytes[at] != 0;
    }
    EXPECT_EQ(std::count(changed.begin(), changed.end(), true), static_cast<std::ptrdiff_t>(size));
  }
}

TEST(SeededRandom, RepeatsWithItsSeed) {
  SeededRandom one(7), other(7), third(8);
  const std::uint64_t first = one.next_u64();
  EXPECT_EQ(other.next_u64(), first);
  EXPECT_NE(third.next_u64(), first);
}

}  // namespace
}  // namespace parley
