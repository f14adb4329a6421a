#include "http/byte_ranges.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

// "0-4 6-9" (last bytes included), "whole" or "unsatisfiable".
std::string asked(std::string_view value, std::uint64_t size) {
  const RangeAnswer answer = parse_ranges(value, size);
  if (answer.kind == RangeAnswer::Kind::kWhole) return "whole";
  if (answer.kind == RangeAnswer::Kind::kUnsatisfiable) return "unsatisfiable";
  std::string text;
  for (const ByteRange& part : answer.parts) {
    if (!text.empty()) text += ' ';
    text += std::to_string(part.first) + "-" + std::to_string(part.end - 1);
  }
  return text;
}

TEST(ByteRanges, AreCutToTheContent) {
  EXPECT_EQ(asked("bytes=0-0", 10), "0-0");
  EXPECT_EQ(asked("bytes=0-9", 10), "0-9");
  EXPECT_EQ(asked("bytes=0-", 10), "0-9");
  EXPECT_EQ(asked("bytes=9-", 10), "9-9");
  EXPECT_EQ(asked("bytes=3-99999999999999999999999", 10), "3-9");
  EXPECT_EQ(asked("bytes=-3", 10), "7-9");
  EXPECT_EQ(asked("bytes=-10", 10), "0-9");
  EXPECT_EQ(asked("bytes=-99999999999999999999999", 10), "0-9");
  EXPECT_EQ(asked("BYTES=0-1", 10), "0-1");
  EXPECT_EQ(asked("bytes=18446744073709551614-18446744073709551615", 18446744073709551615U),
            "18446744073709551614-18446744073709551614");
}

TEST(ByteRanges, ComeInTheOrderAskedFor) {
  EXPECT_EQ(asked("bytes=5-6,0-1", 10), "5-6 0-1");
  EXPECT_EQ(asked("bytes= 0-0 ,\t-1,, ", 10), "0-0 9-9");
  EXPECT_EQ(asked("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7", 10), "0-0 1-1 2-2 3-3 4-4 5-5 6-6 7-7");
}

TEST(ByteRanges, BeyondTheContentAreLeftOut) {
  EXPECT_EQ(asked("bytes=10-", 10), "unsatisfiable");
  EXPECT_EQ(asked("bytes=10-20,-0", 10), "unsatisfiable");
  EXPECT_EQ(asked("bytes=99999999999999999999999-", 10), "unsatisfiable");
  EXPECT_EQ(asked("bytes=10-20,2-3", 10), "2-3");
}

TEST(ByteRanges, ThatAreTooManyOrMoreThanTheWholeAreIgnored) {
  EXPECT_EQ(asked("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8", 10), "whole");
  EXPECT_EQ(asked("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,88-88", 10), "whole");
  EXPECT_EQ(asked("bytes=0-5,5-9", 10), "whole");
  EXPECT_EQ(asked("bytes=0-,0-", 10), "whole");
  EXPECT_EQ(asked("bytes=0-3,2-5", 10), "0-3 2-5");
}

TEST(ByteRanges, ThatAreMalformedAreIgnored) {
  for (const char* bad : {"",           "bytes",         "bytes=",     "bytes=,",     "bytes 0-1",
                          "bytes =0-1", "bytes=0",       "bytes=-",    "bytes=--1",   "bytes=1-0",
                          "bytes=a-b",  "bytes=0-1;",    "bytes=0 -1", "bytes=0- 1",  "bytes=0-1,x",
                          "bytes=+1-2", "bytes=0x0-0x1", "lines=0-1",  "bytes=1-2-3", "bytes=-1-2"}) {
    EXPECT_EQ(asked(bad, 10), "whole") << bad;
  }
}

TEST(ByteRanges, OfNothingAreTheWhole) {
  for (const char* value : {"bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"})
    EXPECT_EQ(asked(value, 0), "whole") << value;
}

TEST(ByteRanges, AreForGetAndForTheContentMeant) {
  const WallTime then{std::chrono::milliseconds(784'111'777'000)};
  const auto kind = [&](Method method, std::initializer_list<std::pair<const char*, const char*>> fields) {
    Request request;
    request.method = method;
    for (const auto& [name, value] : fields) request.fields.add(name, value);
    return requested_ranges(request, 10, "\"a\"", then).kind;
  };
  using enum RangeAnswer::Kind;
  EXPECT_EQ(kind(Method::kGet, {}), kWhole);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=0-1"}}), kParts);
  EXPECT_EQ(kind(Method::kHead, {{"Range", "bytes=0-1"}}), kWhole);
  EXPECT_EQ(kind(Method::kPost, {{"Range", "bytes=0-1"}}), kWhole);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=0-1"}, {"Range", "bytes=0-1"}}), kWhole);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=10-"}}), kUnsatisfiable);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=0-1"}, {"If-Range", "\"a\""}}), kParts);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=0-1"}, {"If-Range", "\"b\""}}), kWhole);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=10-"}, {"If-Range", "\"b\""}}), kWhole);
  EXPECT_EQ(kind(Method::kGet, {{"Range", "bytes=0-1"}, {"If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"}}), kParts);
}

TEST(ContentRange, IsWrittenWithItsLastByte) {
  EXPECT_EQ(content_range({0, 100}, 200), "bytes 0-99/200");
  EXPECT_EQ(unsatisfied_content_range(200), "bytes */200");
}

TEST(ContentRange, OfARequestIsRead) {
  const auto sent = parse_content_range("bytes 5-9/20");
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->range, (ByteRange{5, 10}));
  EXPECT_EQ(sent->size, 20U);
  const auto open = parse_content_range("Bytes 0-0/*");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->range, (ByteRange{0, 1}));
  EXPECT_EQ(open->size, std::nullopt);
}

TEST(ContentRange, ThatIsMalformedIsNone) {
  for (const char* bad :
       {"", "bytes", "bytes ", "bytes */20", "bytes 5-4/20", "bytes 5-20/20", "bytes 5-9", "bytes 5-9/", "bytes 5/20",
        "bytes -9/20", "bytes 5-/20", "bytes=5-9/20", "bytes  5-9/20", "bytes 5-9/20 ", "bytes 5/9-20", "lines 5-9/20",
        "bytes 0-18446744073709551615/*", "bytes 0-18446744073709551616/*"}) {
    EXPECT_FALSE(parse_content_range(bad)) << bad;
  }
}

}  // namespace
}  // namespace parley::http
