#include "media/signed_address_check.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "tenancy/caller.h"

namespace parley::media {
namespace {

const FileId kFile("0198c5a2-7f00-7000-8000-0000000000f1");

class SignedAddressCheckTest : public ::testing::Test {
 protected:
  // The status of a refusal, else 0.
  int check(const std::string& query, http::Access access = http::Access::kTokenOrSigned) {
    route_.access = access;
    target_ = "/download/" + kFile.value + "?" + query;
    request_.set_target(target_);
    exchange_.emplace(request_);
    exchange_->route = &route_;
    exchange_->path.add("file_id", kFile.value);
    exchange_->caller = caller_;
    auto verdict = check_.before(*exchange_);
    const auto* const refusal = std::get_if<http::Response>(&verdict);
    return refusal != nullptr ? refusal->status : 0;
  }
  std::string query() {
    const std::string address =
        signer_.address({TenantId("acme"), kFile, UserId("ada"), http::Disposition::kAttachment,
                         std::chrono::floor<std::chrono::seconds>(clock_.wall_now()) + std::chrono::seconds(10)});
    return address.substr(address.find('?') + 1);
  }

  ManualClock clock_;
  UrlSigner signer_{{{"a", Secret("0123456789abcdef")}}, [] { return std::string("http://h"); }};
  SignedAddressCheck check_{signer_, clock_};
  http::Route route_{http::Method::kGet, "/download/{file_id}", {}};
  std::string target_;
  http::Request request_;
  std::optional<http::Exchange> exchange_;
  std::shared_ptr<const Caller> caller_;
};

TEST_F(SignedAddressCheckTest, WhoSignedIsTheCallerWithoutARole) {
  EXPECT_EQ(check(query()), 0);
  ASSERT_NE(exchange_->caller, nullptr);
  EXPECT_EQ(exchange_->caller->tenant, TenantId("acme"));
  EXPECT_EQ(exchange_->caller->user, UserId("ada"));
  EXPECT_FALSE(exchange_->caller->roles.admin || exchange_->caller->roles.service);
}

TEST_F(SignedAddressCheckTest, ABadSignatureOrALateOneIs403) {
  const std::string good = query();
  EXPECT_EQ(check(good + "x"), 403);
  EXPECT_EQ(check("signature="), 403);
  EXPECT_EQ(check(""), 403);
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(check(good), 403);
}

TEST_F(SignedAddressCheckTest, WithATokenAndOnOtherRoutesNothingIsAsked) {
  EXPECT_EQ(check("signature=bad", http::Access::kOpen), 0);
  EXPECT_EQ(exchange_->caller, nullptr);
  caller_ = std::make_shared<const Caller>(Caller{TenantId("acme"), UserId("eve"), {}, {}, {}});
  EXPECT_EQ(check("signature=bad"), 0);
  EXPECT_EQ(exchange_->caller->user, UserId("eve"));
}

}  // namespace
}  // namespace parley::media
