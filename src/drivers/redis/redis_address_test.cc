#include "drivers/redis/redis_address.h"

#include <gtest/gtest.h>

namespace parley::redis {
namespace {

TEST(RedisAddress, IsReadFromAUrl) {
  const auto plain = parse_redis_url("redis://cache.internal").value();
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host, "cache.internal");
  EXPECT_EQ(plain.port, 6379);
  EXPECT_EQ(plain.database, 0u);
  EXPECT_TRUE(plain.user.empty());
  EXPECT_TRUE(plain.password.empty());
  EXPECT_EQ(plain.authority(), "cache.internal:6379");

  const auto full = parse_redis_url("rediss://parley:p%40ss%3Aw%2Ford@10.0.0.7:6380/3").value();
  EXPECT_TRUE(full.tls);
  EXPECT_EQ(full.user, "parley");
  EXPECT_EQ(full.password.reveal(), "p@ss:w/ord");
  EXPECT_EQ(full.host, "10.0.0.7");
  EXPECT_EQ(full.port, 6380);
  EXPECT_EQ(full.database, 3u);
}

TEST(RedisAddress, MayLeaveOutTheUserTheDatabaseAndThePort) {
  const auto password_only = parse_redis_url("redis://:secret@[::1]/").value();
  EXPECT_TRUE(password_only.user.empty());
  EXPECT_EQ(password_only.password.reveal(), "secret");
  EXPECT_EQ(password_only.host, "::1");
  EXPECT_EQ(password_only.authority(), "[::1]:6379");
  // An at sign in a password that nobody encoded belongs to the password.
  EXPECT_EQ(parse_redis_url("redis://u:secret@secret@host").value().password.reveal(), "secret@secret");
}

TEST(RedisAddress, OfAnythingElseIsRefusedWithoutRepeatingIt) {
  for (const char* text : {"",
                           "redis",
                           "redis://",
                           "http://host",
                           "redis:/host",
                           "REDIS://host",
                           "redis://host:0",
                           "redis://host:65536",
                           "redis://host:x",
                           "redis://[::1",
                           "redis://[]",
                           "redis://host/x",
                           "redis://host/-1",
                           "redis://host/99999",
                           "redis://host/1/2",
                           "redis://topsecret@host",
                           "redis://u:@host",
                           "redis://u:topsecret%@host",
                           "redis://u:p@",
                           "redis://u:topsecret @host",
                           "redis://host?db=1",
                           "redis://host#1",
                           "redis://topsecret:secret@:6379"}) {
    const auto address = parse_redis_url(text);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_EQ(address.error().detail.find("topsecret"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace parley::redis
