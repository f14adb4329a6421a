#include "base/ip_networks.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

std::optional<IpNetworks> parse(std::vector<std::string> texts) {
  return IpNetworks::parse(texts);
}

TEST(IpNetworks, KnowsAddressesAndNetworksOfBothFamilies) {
  const auto networks = parse({"10.0.0.0/8", "192.168.1.7", "172.16.9.9/12", "fd00::/8", "::1", "fe80::/10"});
  ASSERT_TRUE(networks);
  for (const char* inside :
       {"10.255.0.1", "192.168.1.7", "172.31.255.255", "fd12::1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0"}) {
    EXPECT_TRUE(networks->contains(inside)) << inside;
  }
  for (const char* outside : {"11.0.0.1", "192.168.1.8", "172.32.0.0", "fec0::1", "::2", "", "10.0.0", "unix"}) {
    EXPECT_FALSE(networks->contains(outside)) << outside;
  }
  EXPECT_FALSE(IpNetworks().contains("127.0.0.1"));
}

TEST(IpNetworks, AWholeFamilyIsOneNetwork) {
  EXPECT_TRUE(parse({"0.0.0.0/0"})->contains("203.0.113.9"));
  EXPECT_FALSE(parse({"0.0.0.0/0"})->contains("2001:db8::1"));
  EXPECT_TRUE(parse({"::/0"})->contains("2001:db8::1"));
}

TEST(IpNetworks, RefusesWhatIsNoAddress) {
  for (const char* bad : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.256", "fd00::/129", "*",
                          "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0 /8", "[::1]", "fe80::1%eth0", "10.0.0.1:80"}) {
    EXPECT_FALSE(parse({bad})) << bad;
  }
}

TEST(IsIpAddress, TakesBothFamiliesAndNothingElse) {
  for (const char* good : {"127.0.0.1", "::1", "2001:db8::1", "::ffff:1.2.3.4"})
    EXPECT_TRUE(is_ip_address(good)) << good;
  for (const char* bad : {"", "1.2.3", "1.2.3.4:5", "[::1]", "unknown", "10.0.0.0/8"}) EXPECT_FALSE(is_ip_address(bad));
  EXPECT_FALSE(is_ip_address(std::string(1000, '1')));
}

}  // namespace
}  // namespace parley
