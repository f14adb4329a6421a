#include "drivers/redis/redis_address.h"

#include <algorithm>

#include "base/text.h"

namespace parley::redis {

namespace {

std::unexpected<Error> bad_url() {
  return invalid_field("REDIS_URL", "must be redis://[user:password@]host[:port][/database], or the same with rediss");
}

// "[[user]:password]", percent-encoded.
bool read_credentials(std::string_view text, RedisAddress& into) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  auto user = percent_decode(text.substr(0, colon));
  auto password = percent_decode(text.substr(colon + 1));
  if (!user || !password || password->empty()) return false;
  into.user = std::move(*user);
  into.password = Secret(std::move(*password));
  return true;
}

bool read_host_and_port(std::string_view text, RedisAddress& into) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    into.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    into.host = text.substr(0, colon);
    text.remove_prefix(colon);
  }
  if (into.host.empty()) return false;
  if (text.empty()) return true;
  const auto port = text.starts_with(':') ? parse_u64(text.substr(1)) : std::nullopt;
  if (!port || *port == 0 || *port > 65535) return false;
  into.port = static_cast<std::uint16_t>(*port);
  return true;
}

}  // namespace

std::string RedisAddress::authority() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<RedisAddress> parse_redis_url(std::string_view text) {
  RedisAddress address;
  if (text.starts_with("rediss://")) {
    address.tls = true;
    text.remove_prefix(9);
  } else if (text.starts_with("redis://")) {
    text.remove_prefix(8);
  } else {
    return bad_url();
  }
  const bool odd = std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '?' || c == '#';
  });
  if (odd) return bad_url();
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!read_credentials(text.substr(0, at), address)) return bad_url();
    text.remove_prefix(at + 1);
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  if (!read_host_and_port(text.substr(0, slash), address)) return bad_url();
  text.remove_prefix(slash);
  if (text.size() > 1) {
    const auto database = parse_u64(text.substr(1));
    if (!database || *database > 65'535) return bad_url();
    address.database = static_cast<std::uint32_t>(*database);
  }
  return address;
}

}  // namespace parley::redis
