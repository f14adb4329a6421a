#include "drivers/s3/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/run_on_loop.h"
#include "base/text.h"

namespace parley::s3 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr SteadyTime kNoHurry = SteadyTime::max();

TEST(CredentialsFile, TheProfileThatIsAskedForIsRead) {
  constexpr const char* kText =
      "# mine\n[other]\naws_access_key_id=O\naws_secret_access_key=o\n\n[ default ]\r\naws_access_key_id = A\r\n"
      "aws_secret_access_key = s=/+\naws_session_token=T\nregion=x\n[last]\n";
  const auto found = parse_credentials_file(kText, "default");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key, "A");
  EXPECT_EQ(found->secret_key, "s=/+");
  EXPECT_EQ(found->session_token, "T");
  EXPECT_EQ(parse_credentials_file(kText, "other")->session_token, "");
  for (const char* profile : {"last", "none", ""}) EXPECT_FALSE(parse_credentials_file(kText, profile));
  EXPECT_FALSE(parse_credentials_file("[default]\naws_access_key_id=A\n", "default"));
}

TEST(RoleAnswer, OnlyWholeKeysCount) {
  const auto fetched =
      parse_role_answer(R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T03:04:05Z"})");
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->credentials.session_token, "t");
  EXPECT_TRUE(fetched->expires_at);
  for (const char* bad : {"", "[]", "{", R"({"AccessKeyId":"A"})", R"({"AccessKeyId":1,"SecretAccessKey":"s"})"}) {
    EXPECT_FALSE(parse_role_answer(bad)) << bad;
  }
}

// Answers what a test put down for a method and a target.
class Endpoint final : public http::Upstream {
 public:
  std::map<std::string, std::pair<int, std::string>> answers;
  std::vector<std::string> asked;  // with the fields that prove who asks

  std::string_view name() const override { return "role"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    std::string line = std::string(request.method_text) + " " + std::string(request.target);
    const auto found = answers.find(line);
    for (const char* field : {"X-aws-ec2-metadata-token", "Authorization"}) {
      if (const auto value = request.fields.find(field)) line.append(" ").append(*value);
    }
    asked.push_back(line);
    if (found == answers.end()) co_return unavailable("upstream_unavailable", "gone");
    co_return http::text_response(found->second.first, "text/plain", found->second.second);
  }
};

std::string keys(const std::string& name, WallTime expires_at) {
  return R"({"AccessKeyId":")" + name + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" +
         format_rfc3339(expires_at) + R"("})";
}

class RenewedCredentialsTest : public ::testing::Test {
 protected:
  RenewedCredentialsTest() { loops_.start(); }
  ~RenewedCredentialsTest() override { loops_.stop(); }

  std::unique_ptr<RoleCredentials> role(std::string target, std::filesystem::path token_file = {}) {
    auto endpoint = std::make_unique<Endpoint>();
    endpoint_ = endpoint.get();
    return std::make_unique<RoleCredentials>(std::move(endpoint), std::move(target), std::move(token_file), pool_,
                                             clock_);
  }
  std::string key_of(CredentialsSource& source) {
    const auto now = run_on_loop(loops_.at(0), source.current(kNoHurry));
    return now ? (*now)->access_key : now.error().code;
  }
  std::filesystem::path file(const std::string& text) {
    std::ofstream(path_, std::ios::trunc) << text;
    return path_;
  }

  ManualClock clock_;
  EventLoops loops_{1};
  BlockingPool pool_{"test", 1, 10};
  Endpoint* endpoint_ = nullptr;
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("parley-keys-" + std::to_string(::getpid()));
};

TEST_F(RenewedCredentialsTest, KeysOfARoleAreRenewedBeforeTheyExpire) {
  const auto source = role("/creds");
  endpoint_->answers["GET /creds"] = {200, keys("one", clock_.wall_now() + std::chrono::hours(1))};
  EXPECT_EQ(key_of(*source), "one");
  clock_.advance(std::chrono::minutes(54));
  EXPECT_EQ(key_of(*source), "one");
  EXPECT_EQ(endpoint_->asked.size(), 1u);
  clock_.advance(std::chrono::minutes(2));
  endpoint_->answers["GET /creds"] = {200, keys("two", clock_.wall_now() + std::chrono::hours(1))};
  EXPECT_EQ(key_of(*source), "two");
}

TEST_F(RenewedCredentialsTest, OldKeysServeWhileTheEndpointIsDownUntilTheyExpire) {
  const auto source = role("/creds");
  EXPECT_EQ(key_of(*source), "no_credentials");
  endpoint_->answers["GET /creds"] = {200, keys("one", clock_.wall_now() + std::chrono::hours(1))};
  EXPECT_EQ(key_of(*source), "one");
  endpoint_->answers["GET /creds"] = {500, ""};
  clock_.advance(std::chrono::minutes(57));
  EXPECT_EQ(key_of(*source), "one");
  clock_.advance(std::chrono::minutes(4));
  EXPECT_EQ(key_of(*source), "no_credentials");
}

TEST_F(RenewedCredentialsTest, KeysThatWereRefusedAreFetchedAnew) {
  const auto source = role("/creds");
  endpoint_->answers["GET /creds"] = {200, keys("one", clock_.wall_now() + std::chrono::hours(1))};
  EXPECT_EQ(key_of(*source), "one");
  endpoint_->answers["GET /creds"] = {200, keys("two", clock_.wall_now() + std::chrono::hours(1))};
  source->were_refused();
  EXPECT_EQ(key_of(*source), "two");
}

TEST_F(RenewedCredentialsTest, AMachineIsAskedWithASessionTokenAndForItsRole) {
  const auto source = role("/latest/meta-data/iam/security-credentials/");
  endpoint_->answers["PUT /latest/api/token"] = {200, "tok\n"};
  endpoint_->answers["GET /latest/meta-data/iam/security-credentials/"] = {200, "my-role\n"};
  endpoint_->answers["GET /latest/meta-data/iam/security-credentials/my-role"] = {
      200, keys("one", clock_.wall_now() + std::chrono::hours(1))};
  EXPECT_EQ(key_of(*source), "one");
  EXPECT_THAT(endpoint_->asked,
              ElementsAre("PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/ tok",
                          "GET /latest/meta-data/iam/security-credentials/my-role tok"));
}

TEST_F(RenewedCredentialsTest, AContainersEndpointIsShownTheTokenOfItsFile) {
  const auto source = role("/v1/credentials", file("the token\n"));
  endpoint_->answers["GET /v1/credentials"] = {200, keys("one", clock_.wall_now() + std::chrono::hours(1))};
  EXPECT_EQ(key_of(*source), "one");
  EXPECT_THAT(endpoint_->asked, ElementsAre("GET /v1/credentials the token"));
}

TEST_F(RenewedCredentialsTest, AFileIsReadAgainNowAndThen) {
  FileCredentials source(file("[default]\naws_access_key_id=one\naws_secret_access_key=s\n"), "default", pool_, clock_);
  EXPECT_EQ(key_of(source), "one");
  file("[default]\naws_access_key_id=two\naws_secret_access_key=s\n");
  EXPECT_EQ(key_of(source), "one");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(key_of(source), "two");
  file("nonsense with a secret");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(key_of(source), "two") << "what is known serves on";
  std::filesystem::remove(path_);
  FileCredentials none(path_, "default", pool_, clock_);
  EXPECT_EQ(key_of(none), "no_credentials");
}

}  // namespace
}  // namespace parley::s3
