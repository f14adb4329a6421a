#include "base/ip_networks.h"

#include <arpa/inet.h>

#include <cstring>

#include "base/text.h"

namespace parley {

namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  unsigned bits = 128;  // of its own family
};

std::optional<Address> parse_address(std::string_view text) {
  text = text.substr(0, text.find('%'));  // the scope of a link-local one
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated) return std::nullopt;
  terminated[text.copy(terminated, text.size())] = '\0';
  Address address;
  if (::inet_pton(AF_INET6, terminated, address.bytes.data()) == 1) return address;
  if (::inet_pton(AF_INET, terminated, address.bytes.data() + 12) != 1) return std::nullopt;
  address.bytes[10] = address.bytes[11] = 0xff;
  address.bits = 32;
  return address;
}

bool same_up_to(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

bool is_ip_address(std::string_view text) {
  return parse_address(text).has_value();
}

std::optional<IpNetworks> IpNetworks::parse(std::span<const std::string> texts) {
  IpNetworks parsed;
  for (const std::string_view text : texts) {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address || text.find('%') != std::string_view::npos) return std::nullopt;
    std::uint64_t prefix = address->bits;
    if (slash != std::string_view::npos) {
      const auto given = parse_u64(text.substr(slash + 1));
      if (!given || *given > address->bits) return std::nullopt;
      prefix = *given;
    }
    parsed.networks_.push_back({address->bytes, static_cast<unsigned>(prefix) + 128 - address->bits});
  }
  return parsed;
}

bool IpNetworks::contains(std::string_view text) const {
  if (networks_.empty()) return false;
  const auto address = parse_address(text);
  if (!address) return false;
  for (const Network& network : networks_) {
    if (same_up_to(address->bytes, network.address, network.prefix)) return true;
  }
  return false;
}

}  // namespace parley
