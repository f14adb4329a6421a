#include "auth/dev_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "auth/jwt.h"
#include "auth/token.h"

namespace parley::auth {
namespace {

namespace fs = std::filesystem;

class DevKey : public ::testing::Test {
 protected:
  DevKey() {
    std::string name = (fs::temp_directory_path() / "parley-dev-key-XXXXXX").string();
    root = ::mkdtemp(name.data());
  }
  ~DevKey() override { fs::remove_all(root); }
  fs::path file() const { return root / kDevKeyFile; }
  static unsigned mode_of(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); }
  fs::path root;
};

TEST_F(DevKey, IsMadeOnceForItsOwnerOnlyAndLeavesNothingElse) {
  const fs::path folder = root / "a" / "data";
  const auto made = load_or_create_dev_key(folder);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->algorithm(), Algorithm::kEs256);
  EXPECT_EQ(mode_of(folder), 0700u);
  EXPECT_EQ(mode_of(folder / kDevKeyFile), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  EXPECT_EQ(load_or_create_dev_key(folder)->kid(), made->kid());
  EXPECT_EQ(load_dev_key(folder)->kid(), made->kid());
}

TEST_F(DevKey, LoadingWhereThereIsNoneMakesNone) {
  EXPECT_EQ(load_dev_key(root).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(load_dev_key(root / "missing").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(DevKey, IsRefusedWhenOthersMayReadIt) {
  ASSERT_TRUE(load_or_create_dev_key(root));
  for (const mode_t mode : {0640, 0604, 0660, 0622}) {
    ::chmod(file().c_str(), mode);
    EXPECT_EQ(load_dev_key(root).error().code, "unsafe_key") << mode;
    EXPECT_EQ(load_or_create_dev_key(root).error().code, "unsafe_key") << mode;
  }
  ::chmod(file().c_str(), 0400);
  EXPECT_TRUE(load_dev_key(root));
}

TEST_F(DevKey, IsRefusedWhenItIsALinkOrNoFile) {
  ASSERT_TRUE(load_or_create_dev_key(root / "real"));
  fs::create_symlink(root / "real" / kDevKeyFile, file());
  EXPECT_EQ(load_or_create_dev_key(root).error().code, "unsafe_key");
  fs::remove(file());
  fs::create_directory(file());
  EXPECT_EQ(load_or_create_dev_key(root).error().code, "unsafe_key");
}

TEST_F(DevKey, IsRefusedWhenItIsNoKeyAndNeverOverwritten) {
  std::ofstream(file()) << "not a key";
  ::chmod(file().c_str(), 0600);
  EXPECT_EQ(load_or_create_dev_key(root).error().code, "bad_key");
  std::ifstream in(file());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "not a key");
}

TEST_F(DevKey, SaysSoWhenTheFolderCannotBeMade) {
  std::ofstream(root / "file") << "x";
  EXPECT_FALSE(load_or_create_dev_key(root / "file"));
  EXPECT_FALSE(load_or_create_dev_key(root / "file" / "data"));
}

TEST_F(DevKey, OneKeyWinsWhenSeveralAreMadeAtOnce) {
  std::vector<std::string> kids(8);
  {
    std::vector<std::jthread> threads;
    for (auto& kid : kids) {
      threads.emplace_back([this, &kid] { kid = load_or_create_dev_key(root / "data").value().kid(); });
    }
  }
  EXPECT_EQ(std::set(kids.begin(), kids.end()).size(), 1u);
}

// ---- tokens ----

class Token : public ::testing::Test {
 protected:
  const SigningKey key = SigningKey::generate(Algorithm::kEs256).value();
  const WallTime now{std::chrono::milliseconds(1'750'000'000'999)};
  TokenRequest request{.tenant = TenantId("acme"), .user = UserId("u1")};
};

TEST_F(Token, IsAcceptedByOurVerifierWithAllItSays) {
  for (const Algorithm algorithm : {Algorithm::kEs256, Algorithm::kEdDsa, Algorithm::kRs256}) {
    const SigningKey signer = SigningKey::generate(algorithm).value();
    request.roles = {.admin = true, .service = true};
    request.name = "Ann \"Ö\"";
    request.ttl = std::chrono::hours(2);
    request.issuer = "parley";
    request.audience = "parley";
    const JwtRules rules{.issuers = {"parley"}, .audiences = {"parley"}, .leeway = std::chrono::seconds(0)};
    const auto verified =
        verify_jwt(sign_token(signer, request, now).value(), signer.public_keys().value(), rules, now);
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(verified->caller.tenant, TenantId("acme"));
    EXPECT_EQ(verified->caller.user, UserId("u1"));
    EXPECT_TRUE(verified->caller.roles.admin && verified->caller.roles.service);
    EXPECT_EQ(verified->caller.name, "Ann \"Ö\"");
    EXPECT_EQ(verified->valid_until, WallTime(std::chrono::seconds(1'750'007'200)));
  }
}

TEST_F(Token, OfAPlainUserHasNoRoles) {
  const auto verified = verify_jwt(sign_token(key, request, now).value(), key.public_keys().value(), {}, now);
  ASSERT_TRUE(verified);
  EXPECT_FALSE(verified->caller.roles.admin || verified->caller.roles.service);
  EXPECT_EQ(verified->caller.name, "");
}

TEST_F(Token, IsNotMadeForARequestThatOurVerifierWouldRefuse) {
  const auto fault_of = [this](auto change) {
    TokenRequest other = request;
    change(other);
    const auto token = sign_token(key, other, now);
    EXPECT_FALSE(token);
    return token ? std::string() : token.error().fields.at(0).path;
  };
  EXPECT_EQ(fault_of([](auto& r) { r.tenant = TenantId(""); }), "tenant");
  EXPECT_EQ(fault_of([](auto& r) { r.user = UserId("a\nb"); }), "user");
  EXPECT_EQ(fault_of([](auto& r) { r.user = UserId("\xff"); }), "user");
  EXPECT_EQ(fault_of([](auto& r) { r.ttl = std::chrono::seconds(0); }), "ttl");
  EXPECT_EQ(fault_of([](auto& r) { r.ttl = kMaxTtl + std::chrono::seconds(1); }), "ttl");
  EXPECT_EQ(fault_of([](auto& r) { r.name = std::string(257, 'n'); }), "name");
}

TEST(SigningKey, ReadsBackWhatItWrites) {
  for (const Algorithm algorithm : {Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEs512, Algorithm::kEdDsa}) {
    const SigningKey key = SigningKey::generate(algorithm).value();
    const auto again = SigningKey::from_pem(key.private_pem());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kid(), key.kid());
    EXPECT_EQ(again->algorithm(), algorithm);
  }
  EXPECT_FALSE(SigningKey::from_pem(""));
  EXPECT_FALSE(SigningKey::from_pem(SigningKey::generate(Algorithm::kEdDsa)->public_pem()));
}

}  // namespace
}  // namespace parley::auth
