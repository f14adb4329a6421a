// IP addresses and networks as settings list them: "10.0.0.1", "10.0.0.0/8", "fd00::/8". Any thread; no allocation but
// in parse().
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley {

bool is_ip_address(std::string_view text);

class IpNetworks {
 public:
  IpNetworks() = default;
  // nullopt when one of `texts` is neither an address nor a network.
  static std::optional<IpNetworks> parse(std::span<const std::string> texts);

  bool empty() const { return networks_.empty(); }
  // Whether `address` is in one of them. An IPv4 address that came over IPv6 (::ffff:10.0.0.1) counts as IPv4; what is
  // no address is in none.
  bool contains(std::string_view address) const;

 private:
  // As IPv6, IPv4 mapped into it.
  struct Network {
    std::array<std::uint8_t, 16> address{};
    unsigned prefix = 0;  // bits
  };
  std::vector<Network> networks_;
};

}  // namespace parley
