#include "base/ids.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(UuidV7, CarriesTimeVersionAndVariant) {
  SeededRandom random(1);
  const std::string id = make_uuid_v7(WallTime(std::chrono::milliseconds(0x0123456789ab)), random);
  EXPECT_TRUE(is_uuid(id));
  EXPECT_EQ(id.substr(0, 13), "01234567-89ab");
  EXPECT_EQ(id[14], '7');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
}

TEST(UuidV7, DiffersWithinOneMillisecond) {
  SecureRandom random;
  const WallTime now(std::chrono::milliseconds(1));
  EXPECT_NE(make_uuid_v7(now, random), make_uuid_v7(now, random));
}

TEST(IsUuid, RefusesOtherShapes) {
  EXPECT_FALSE(is_uuid(""));
  EXPECT_FALSE(is_uuid("0123456789ab7def8123456789abcdef0123"));
  EXPECT_FALSE(is_uuid("01234567-89ab-7def-8123-456789abcdeg"));
}

TEST(IsValidId, HoldsTheContractsBounds) {
  EXPECT_TRUE(is_valid_id("123"));
  EXPECT_TRUE(is_valid_id("irc:nick|away 漢"));
  EXPECT_TRUE(is_valid_id(std::string(128, 'a')));
  EXPECT_FALSE(is_valid_id(""));
  EXPECT_FALSE(is_valid_id(std::string(129, 'a')));
  EXPECT_FALSE(is_valid_id("a\nb"));
  EXPECT_FALSE(is_valid_id("a\xff"));
}

TEST(IsValidId, RefusesWhatNoPathCanName) {
  EXPECT_FALSE(is_valid_id("."));
  EXPECT_FALSE(is_valid_id(".."));
  for (const char* good : {"...", ".a", "a.", "%2e", "./", "../x"}) EXPECT_TRUE(is_valid_id(good)) << good;
}

}  // namespace
}  // namespace parley
