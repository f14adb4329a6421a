#include "http/url.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

TEST(ParseUrl, ReadsItsParts) {
  const Url url = parse_url("https://example.com:8443/base/").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/base");
  EXPECT_EQ(url.authority(), "example.com:8443");
  EXPECT_EQ(parse_url("http://127.0.0.1").value().authority(), "127.0.0.1");
  EXPECT_EQ(parse_url("http://[::1]:3004").value().authority(), "[::1]:3004");
}

TEST(ParseUrl, RefusesOthers) {
  for (const char* bad : {"", "ftp://x", "http://", "http://:80", "http://x:0", "http://x:65536", "http://x:y",
                          "http://u@x", "http://x/?q", "http://x/#f", "http://[::1", "http://x y", "x:80"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace parley::http
