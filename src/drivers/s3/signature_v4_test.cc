// The values are those that AWS publishes: of its "Signature Version 4 Test Suite" (service "service") and of the
// examples in the S3 API reference, "Authenticating Requests".
#include "drivers/s3/signature_v4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "base/text.h"

namespace parley::s3 {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kEmptyHash = hex_encode(sha256(""));

WallTime at(const char* time) {
  return *parse_rfc3339(time);
}

class TestSuite : public ::testing::Test {
 protected:
  std::string sign(std::string_view method, std::string_view query, std::vector<NamedValue> more = {}) {
    more.push_back({"host", "example.amazonaws.com"});
    more.push_back({"x-amz-date", "20150830T123600Z"});
    return authorization(
        {.method = method, .path = "/", .query = query, .headers = std::move(more), .payload_hash = kEmptyHash},
        {.access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
        {.region = "us-east-1", .service = "service"}, at("2015-08-30T12:36:00Z"));
  }
};

TEST_F(TestSuite, GetVanilla) {
  EXPECT_EQ(sign("GET", ""),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST_F(TestSuite, GetVanillaQueryOrderKeyCase) {
  EXPECT_THAT(sign("GET", canonical_query({{"Param2", "value2"}, {"Param1", "value1"}})),
              EndsWith("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
}

TEST_F(TestSuite, PostVanilla) {
  EXPECT_THAT(sign("POST", ""), EndsWith("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
}

class S3Examples : public ::testing::Test {
 protected:
  const Credentials credentials{.access_key = "AKIAIOSFODNN7EXAMPLE",
                                .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  const SigningScope scope{.region = "us-east-1"};
  const WallTime now = at("2013-05-24T00:00:00Z");

  std::string sign(std::string_view method, const std::string& path, std::string_view query,
                   const std::string& payload_hash, std::vector<NamedValue> more) {
    more.push_back({"host", "examplebucket.s3.amazonaws.com"});
    more.push_back({"x-amz-content-sha256", payload_hash});
    more.push_back({"x-amz-date", amz_date(now)});
    return authorization(
        {.method = method, .path = path, .query = query, .headers = std::move(more), .payload_hash = payload_hash},
        credentials, scope, now);
  }
};

TEST_F(S3Examples, GetObjectWithARange) {
  EXPECT_EQ(sign("GET", "/test.txt", "", kEmptyHash, {{"range", "bytes=0-9"}}),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(S3Examples, PutObjectWhoseKeyNeedsEncoding) {
  EXPECT_THAT(sign("PUT", encode_path("/test$file.text"), "", hex_encode(sha256("Welcome to Amazon S3.")),
                   {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}),
              EndsWith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST_F(S3Examples, AParameterWithoutAValue) {
  EXPECT_THAT(sign("GET", "/", canonical_query({{"lifecycle", ""}}), kEmptyHash, {}),
              EndsWith("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST_F(S3Examples, ListObjects) {
  EXPECT_THAT(sign("GET", "/", canonical_query({{"prefix", "J"}, {"max-keys", "2"}}), kEmptyHash, {}),
              EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST_F(S3Examples, APresignedGet) {
  EXPECT_EQ(presigned_query("examplebucket.s3.amazonaws.com", "/test.txt", {}, credentials, scope, now,
                            std::chrono::hours(24)),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_F(S3Examples, NothingThatComesOutHasTheSecret) {
  EXPECT_THAT(sign("GET", "/", "", kEmptyHash, {}), Not(HasSubstr(credentials.secret_key)));
  EXPECT_THAT(presigned_query("h", "/k", {}, credentials, scope, now, std::chrono::seconds(1)),
              Not(HasSubstr(credentials.secret_key)));
}

TEST(SignatureV4, PathsAreEncodedOnceAndKeepTheirSlashes) {
  EXPECT_EQ(encode_path("/a b/\xc3\xa9/c~d-e_f.g"), "/a%20b/%C3%A9/c~d-e_f.g");
  EXPECT_EQ(encode_path(""), "");
  EXPECT_EQ(encode_path("/a/"), "/a/");
}

TEST(SignatureV4, ParametersAreSortedByTheirEncodedNamesThenByTheirValues) {
  EXPECT_EQ(canonical_query({{"b", "2"}, {"a", "x y"}, {"b", "1"}, {"B", "+"}}), "B=%2B&a=x%20y&b=1&b=2");
}

}  // namespace
}  // namespace parley::s3
