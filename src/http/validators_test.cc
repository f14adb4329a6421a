#include "http/validators.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

using std::chrono::milliseconds;

const WallTime kTime{milliseconds(784'111'777'000)};

Request asking(Method method, std::initializer_list<std::pair<const char*, const char*>> fields) {
  Request request;
  request.method = method;
  for (const auto& [name, value] : fields) request.fields.add(name, value);
  return request;
}

TEST(HttpDate, IsWrittenToTheSecond) {
  EXPECT_EQ(format_http_date(kTime), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(kTime + milliseconds(999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(WallTime()), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(HttpDate, IsReadBack) {
  for (std::int64_t ms = 0; ms < 4'000'000'000'000; ms += 123'456'789'000) {
    const WallTime time{milliseconds(ms)};
    EXPECT_EQ(parse_http_date(format_http_date(time)), time);
  }
}

TEST(HttpDate, OfAnyOtherFormIsNone) {
  for (const char* bad :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Thu, 31 Feb 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun; 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

TEST(NotModified, IfNoneMatchNamesTheTag) {
  for (const char* value : {"\"a\"", "W/\"a\"", "*", "\"b\", \"a\"", "\"b\",W/\"a\" , \"c\"", ", \"a\""}) {
    EXPECT_TRUE(is_not_modified(asking(Method::kGet, {{"If-None-Match", value}}), "\"a\"", kTime)) << value;
    EXPECT_TRUE(is_not_modified(asking(Method::kHead, {{"If-None-Match", value}}), "W/\"a\"", kTime)) << value;
  }
  for (const char* value : {"", "\"b\"", "a", "\"a", "x, \"a\"", "w/\"a\"", "\"*\""}) {
    EXPECT_FALSE(is_not_modified(asking(Method::kGet, {{"If-None-Match", value}}), "\"a\"", kTime)) << value;
  }
  EXPECT_TRUE(
      is_not_modified(asking(Method::kGet, {{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}}), "\"a\"", kTime));
  EXPECT_FALSE(is_not_modified(asking(Method::kPost, {{"If-None-Match", "\"a\""}}), "\"a\"", kTime));
}

TEST(NotModified, IfTheDateIsNotBefore) {
  const auto since = [](const char* date) {
    return is_not_modified(asking(Method::kGet, {{"If-Modified-Since", date}}), "\"a\"", kTime + milliseconds(500));
  };
  EXPECT_TRUE(since("Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_TRUE(since("Sun, 06 Nov 1994 08:49:38 GMT"));
  EXPECT_FALSE(since("Sun, 06 Nov 1994 08:49:36 GMT"));
  EXPECT_FALSE(since("yesterday"));
  EXPECT_FALSE(is_not_modified(asking(Method::kGet, {}), "\"a\"", kTime));
}

TEST(NotModified, TheDateDoesNotCountBesideATag) {
  EXPECT_FALSE(is_not_modified(
      asking(Method::kGet, {{"If-None-Match", "\"b\""}, {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
      "\"a\"", kTime));
}

TEST(SameContent, IsThatOfTheVeryTagOrDate) {
  const auto same = [](const char* value, std::string_view etag = "\"a\"") {
    return is_same_content(asking(Method::kGet, {{"If-Range", value}}), etag, kTime + milliseconds(500));
  };
  EXPECT_TRUE(same("\"a\""));
  EXPECT_TRUE(same("Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_TRUE(is_same_content(asking(Method::kGet, {}), "\"a\"", kTime));
  for (const char* other : {"W/\"a\"", "\"b\"", "\"a\", \"b\"", "*", "", "Sun, 06 Nov 1994 08:49:38 GMT"}) {
    EXPECT_FALSE(same(other)) << other;
  }
  EXPECT_FALSE(same("\"a\"", "W/\"a\""));
  EXPECT_FALSE(is_same_content(asking(Method::kGet, {{"If-Range", "\"a\""}, {"If-Range", "\"b\""}}), "\"a\"", kTime));
}

}  // namespace
}  // namespace parley::http
