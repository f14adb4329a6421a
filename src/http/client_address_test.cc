#include "http/client_address.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

class ClientAddress : public testing::Test {
 protected:
  std::string_view of(const char* peer, std::vector<const char*> forwarded) {
    request = Request();
    request.peer = peer;
    for (const char* value : forwarded) request.fields.add("x-forwarded-for", value);
    return client_address(request, trusted);
  }
  Request request;
  IpNetworks trusted = *IpNetworks::parse(std::vector<std::string>{"10.0.0.0/8", "127.0.0.1"});
};

TEST_F(ClientAddress, IsThePeerUnlessThatIsATrustedProxy) {
  EXPECT_EQ(of("203.0.113.9", {}), "203.0.113.9");
  EXPECT_EQ(of("203.0.113.9", {"198.51.100.1"}), "203.0.113.9");
  EXPECT_EQ(of("", {"198.51.100.1"}), "");
  trusted = {};
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1"}), "10.0.0.1");
}

TEST_F(ClientAddress, IsTheNearestThatNoTrustedProxyHas) {
  EXPECT_EQ(of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(of("127.0.0.1", {"6.6.6.6, 198.51.100.1 ,\t10.0.0.7"}), "198.51.100.1");
  EXPECT_EQ(of("10.0.0.1", {"10.0.0.3, 10.0.0.2"}), "10.0.0.3");
  EXPECT_EQ(of("10.0.0.1", {"2001:db8::1"}), "2001:db8::1");
}

TEST_F(ClientAddress, ReadsSeveralFieldsAsOneList) {
  EXPECT_EQ(of("10.0.0.1", {"6.6.6.6", "198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(of("10.0.0.1", {"6.6.6.6, 198.51.100.1", "10.0.0.2"}), "198.51.100.1");
}

TEST_F(ClientAddress, StopsAtWhatIsNoAddress) {
  for (const char* odd : {"unknown", "_hidden", "198.51.100.1:80", "[::1]", "1.2.3.4, ", ", ", "\"x\""}) {
    EXPECT_EQ(of("10.0.0.1", {odd}), "10.0.0.1") << odd;
  }
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1, unknown, 10.0.0.2"}), "10.0.0.2");
}

TEST_F(ClientAddress, PassesOnTheWholeChainAndThenThePeer) {
  of("10.0.0.1", {"1.1.1.1, 2.2.2.2", "3.3.3.3"});
  EXPECT_EQ(forwarded_chain(request), "1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.1");
  of("10.0.0.1", {});
  EXPECT_EQ(forwarded_chain(request), "10.0.0.1");
}

}  // namespace
}  // namespace parley::http
