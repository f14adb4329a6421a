// RedisAddress: where a Redis is and as whom to speak to it, as REDIS_URL says it. Pure, any thread. kInvalid on
// anything but redis[s]://[[user]:password@]host[:port][/database], in words that repeat nothing of the text.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/secret.h"

namespace parley::redis {

struct RedisAddress {
  bool tls = false;
  std::string host;  // without brackets for IPv6
  std::uint16_t port = 6379;
  std::string user;  // empty: the default user
  Secret password;   // empty: none is asked for
  std::uint32_t database = 0;

  // "host:port", which may be shown.
  std::string authority() const;
};

Result<RedisAddress> parse_redis_url(std::string_view text);

}  // namespace parley::redis
