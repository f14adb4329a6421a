#include "http/head.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

using std::string_literals::operator""s;

// The head's views refer to the text, which therefore lives as long as the test.
class RequestHeadTest : public testing::Test {
 protected:
  Result<> parse(std::string bytes, RequestHead& head) {
    text = std::move(bytes);
    return parse_request_head(text, head);
  }
  std::string text;
};

TEST_F(RequestHeadTest, ReadsMethodTargetAndFields) {
  RequestHead head;
  ASSERT_TRUE(parse("POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nX-Y: v w\r\n\r\n", head));
  EXPECT_EQ(head.method, Method::kPost);
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.fields.find("x-y"), "v w");
  EXPECT_EQ(head.framing.kind, Framing::Kind::kLength);
  EXPECT_EQ(head.framing.length, 12U);
  EXPECT_TRUE(head.keep_alive);
}

TEST_F(RequestHeadTest, KnowsWhenAConnectionStays) {
  RequestHead head;
  ASSERT_TRUE(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", head));
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse("GET / HTTP/1.0\r\n\r\n", head));
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head));
  EXPECT_TRUE(head.keep_alive);
}

TEST_F(RequestHeadTest, ReadsChunkedAndExpect) {
  RequestHead head;
  ASSERT_TRUE(parse("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n", head));
  EXPECT_EQ(head.framing.kind, Framing::Kind::kChunked);
  EXPECT_TRUE(head.expects_continue);
}

TEST_F(RequestHeadTest, CutsAbsoluteFormToItsPath) {
  RequestHead head;
  ASSERT_TRUE(parse("GET http://example.com/x?y HTTP/1.1\r\nHost: example.com\r\n\r\n", head));
  EXPECT_EQ(head.target, "/x?y");
  ASSERT_TRUE(parse("GET http://example.com HTTP/1.1\r\nHost: example.com\r\n\r\n", head));
  EXPECT_EQ(head.target, "/");
}

// Every one of these can be read two ways by two parsers, or by none.
TEST_F(RequestHeadTest, RefusesWhatIsMalformedOrAmbiguous) {
  for (const std::string& bad : {
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 2\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\x0b"
           "chunked\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n"s,
           "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"s,
           "GET / HTTP/1.1\nHost: h\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\n X: folded\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01"
           "b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\n: empty\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: h\r\nX Y: z\r\n\r\n"s,
           "GET / HTTP/1.1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"s,
           "GET / HTTP/2.0\r\nHost: h\r\n\r\n"s,
           "GET / HTTP/1.2\r\nHost: h\r\n\r\n"s,
           "GET /\r\n\r\n"s,
           "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "GET a HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "GET * HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"s,
           "\r\n\r\n"s,
       }) {
    RequestHead head;
    EXPECT_FALSE(parse(bad, head)) << testing::PrintToString(bad);
  }
}

TEST_F(RequestHeadTest, Answers431ForTooManyFields) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 0; i < Fields::kMaxFields; ++i) text += "X: y\r\n";
  RequestHead head;
  const Result<> parsed = parse(text + "\r\n", head);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::kHeadersTooLarge);
}

TEST(ResponseHead, KnowsWhetherABodyFollows) {
  ResponseHead head;
  ASSERT_TRUE(parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::kGet, head));
  EXPECT_EQ(head.framing.kind, Framing::Kind::kLength);
  ASSERT_TRUE(parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::kHead, head));
  EXPECT_EQ(head.framing.kind, Framing::Kind::kNone);
  ASSERT_TRUE(parse_response_head("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", Method::kGet, head));
  EXPECT_EQ(head.framing.kind, Framing::Kind::kNone);
  ASSERT_TRUE(parse_response_head("HTTP/1.1 200 OK\r\n\r\n", Method::kGet, head));
  EXPECT_EQ(head.framing.kind, Framing::Kind::kUntilClose);
  EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseHead, RefusesAmbiguousFraming) {
  ResponseHead head;
  for (const char* bad : {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                          "HTTP/1.1 999 OK\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "ICY 200 OK\r\n\r\n"}) {
    EXPECT_FALSE(parse_response_head(bad, Method::kGet, head)) << bad;
  }
}

TEST(FindHeadEnd, WaitsForTheEmptyLine) {
  EXPECT_EQ(find_head_end("GET / HTTP/1.1\r\nHost: h\r\n"), std::nullopt);
  EXPECT_EQ(find_head_end("a\r\n\r\nrest"), 5U);
  EXPECT_EQ(find_head_end("a\n\nrest"), 3U);
  EXPECT_EQ(skip_empty_lines("\r\n\r\nGET"), 4U);
}

}  // namespace
}  // namespace parley::http
