#include "auth/internal_token.h"
#include "auth/key_file.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "auth/jwt.h"
#include "auth/testing/tokens.h"
#include "base/text.h"

namespace parley::auth {
namespace {

namespace fs = std::filesystem;

const Secret kKey("0123456789abcdef0123456789abcdef");

class InternalToken : public ::testing::Test {
 protected:
  std::string signed_now(std::string_view audience = "messaging") const {
    return sign_internal_token(kKey, audience, now + kInternalTokenLife);
  }
  Result<> verify(std::string_view text) const { return verify_internal_token(kKey, "messaging", text, now); }
  std::string code(std::string_view text) const {
    const auto verified = verify(text);
    return verified ? "good" : verified.error().code;
  }
  // A token that holds the key's MAC whatever its payload says.
  static std::string with_payload(std::string_view payload) {
    std::string text = "parley1." + base64url_encode(payload);
    unsigned char mac[32];
    HMAC(EVP_sha256(), kKey.reveal().data(), static_cast<int>(kKey.reveal().size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, nullptr);
    return text + '.' + base64url_encode(mac);
  }

  const WallTime now{std::chrono::milliseconds(1'750'000'000'500)};
};

TEST_F(InternalToken, IsGoodForItsRoleAndForAMinute) {
  const std::string token = signed_now();
  EXPECT_TRUE(is_internal_token(token));
  EXPECT_EQ(code(token), "good");
  EXPECT_TRUE(verify_internal_token(kKey, "messaging", token, now + std::chrono::seconds(59)));
  const auto late = verify_internal_token(kKey, "messaging", token, now + kInternalTokenLife);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kUnauthenticated);
  EXPECT_EQ(late.error().code, "token_expired");
}

TEST_F(InternalToken, IsMadeWithAnAuthorizationField) {
  const ManualClock clock(now);
  EXPECT_EQ(internal_authorization(kKey, "messaging", clock), "Bearer " + signed_now());
}

TEST_F(InternalToken, OfAnotherRoleOrKeyIsRefused) {
  EXPECT_EQ(code(signed_now("search")), "unauthorized");
  EXPECT_EQ(code(signed_now("")), "unauthorized");
  EXPECT_EQ(code(signed_now("messaging2")), "unauthorized");
  const Secret other("0123456789abcdef0123456789abcdeF");
  EXPECT_EQ(code(sign_internal_token(other, "messaging", now + kInternalTokenLife)), "unauthorized");
}

TEST_F(InternalToken, ThatWouldOutliveWhatRolesMakeIsRefused) {
  EXPECT_EQ(code(sign_internal_token(kKey, "messaging", now + kMaxInternalTokenLife)), "good");
  EXPECT_EQ(code(sign_internal_token(kKey, "messaging", now + kMaxInternalTokenLife + std::chrono::seconds(1))),
            "unauthorized");
}

TEST_F(InternalToken, IsRefusedWithAnyCharacterChanged) {
  const std::string token = signed_now();
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'z', '.', '-', '='}) {
      std::string bent = token;
      if (bent[i] == c) continue;
      bent[i] = c;
      EXPECT_EQ(code(bent), "unauthorized") << bent;
    }
  }
}

TEST_F(InternalToken, IsRefusedTruncatedOrWithSomethingAdded) {
  const std::string token = signed_now();
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_EQ(code(std::string_view(token).substr(0, size)), "unauthorized");
  }
  for (const char* more : {"A", ".", "=", " ", ".A", "\n"}) EXPECT_EQ(code(token + more), "unauthorized");
  EXPECT_EQ(code(" " + token), "unauthorized");
  EXPECT_EQ(code("parley1." + std::string(600, 'A') + ".A"), "unauthorized");
  for (const char* text : {"", ".", "..", "parley1", "parley1.", "parley1..", "parley2.e30.AA", "Parley1.e30.AA"}) {
    EXPECT_EQ(code(text), "unauthorized") << text;
  }
}

TEST_F(InternalToken, WhosePayloadIsNotWhatRolesWriteIsRefusedThoughItsMacIsRight) {
  EXPECT_EQ(code(with_payload(R"({"aud":"messaging","exp":1750000060})")), "good");
  for (const char* payload :
       {"", "{}", "[]", "null", R"({"aud":"messaging"})", R"({"exp":1750000060})", R"({"aud":"messaging","exp":null})",
        R"({"aud":"messaging","exp":1750000060,"sub":"u1"})", R"({"aud":"messaging","exp":"1750000060"})",
        R"({"aud":"messaging","exp":1750000060.5})", R"({"aud":"messaging","exp":18446744073709551615})",
        R"({"aud":["messaging"],"exp":1750000060})", R"({"aud":"search","aud":"messaging","exp":1750000060})",
        R"({"aud":"messaging","exp":1750000060} )"
        "x"}) {
    EXPECT_EQ(code(with_payload(payload)), "unauthorized") << payload;
  }
  EXPECT_EQ(code(with_payload(R"({"aud":"messaging","exp":-9223372036854775808})")), "token_expired");
  EXPECT_EQ(code(with_payload(R"({"aud":"messaging","exp":9223372036854775807})")), "unauthorized");
}

TEST_F(InternalToken, AJwtNeverPassesForOne) {
  boost::json::object claims = testing::claims_at(now);
  claims["aud"] = "messaging";
  for (const Algorithm algorithm : testing::kAllAlgorithms) {
    EXPECT_EQ(code(testing::sign(testing::key_for(algorithm), claims)), "unauthorized");
  }
  // One whose HMAC is made with the very key, as HS256 would have it, with the header or the prefix in front.
  const std::string payload = base64url_encode(boost::json::serialize(claims));
  for (const std::string& head : {base64url_encode(R"({"alg":"HS256","typ":"JWT"})"), std::string("parley1")}) {
    const std::string text = head + '.' + payload;
    unsigned char mac[32];
    HMAC(EVP_sha256(), kKey.reveal().data(), static_cast<int>(kKey.reveal().size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, nullptr);
    // Under the prefix its MAC is right, but it says what no role writes.
    EXPECT_EQ(code(text + '.' + base64url_encode(mac)), "unauthorized");
  }
}

TEST_F(InternalToken, NeverPassesForAJwt) {
  for (const Algorithm algorithm : testing::kAllAlgorithms) {
    const auto keys = testing::key_for(algorithm).public_keys().value();
    const auto verified = verify_jwt(signed_now(), keys, {}, now);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().kind, ErrorKind::kUnauthenticated);
  }
}

// ---- the key of a data folder ----

class InternalKey : public ::testing::Test {
 protected:
  InternalKey() {
    std::string name = (fs::temp_directory_path() / "parley-internal-key-XXXXXX").string();
    root = ::mkdtemp(name.data());
  }
  ~InternalKey() override { fs::remove_all(root); }
  fs::path file() const { return root / kInternalKeyFile; }
  void write(std::string_view text) const {
    std::ofstream(file()) << text;
    ::chmod(file().c_str(), 0600);
  }
  fs::path root;
  SecureRandom random;
};

TEST_F(InternalKey, IsMadeOnceForItsOwnerOnly) {
  const fs::path folder = root / "a" / "data";
  const auto made = load_or_create_internal_key(folder, random);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_GE(made->reveal().size(), kMinSecretBytes);
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder / kInternalKeyFile).permissions()), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  EXPECT_EQ(load_or_create_internal_key(folder, random)->reveal(), made->reveal());
  EXPECT_EQ(load_internal_key(folder)->reveal(), made->reveal());
  EXPECT_NE(load_or_create_internal_key(root / "other", random)->reveal(), made->reveal());
}

TEST_F(InternalKey, LoadingWhereThereIsNoneMakesNone) {
  EXPECT_EQ(load_internal_key(root).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(load_internal_key(root / "missing").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(InternalKey, ThatOthersMayReadOrReplaceIsRefused) {
  ASSERT_TRUE(load_or_create_internal_key(root, random));
  for (const mode_t mode : {0640, 0604, 0660, 0622}) {
    ::chmod(file().c_str(), mode);
    EXPECT_EQ(load_or_create_internal_key(root, random).error().code, "unsafe_key") << mode;
  }
  fs::remove(file());
  ASSERT_TRUE(load_or_create_internal_key(root / "real", random));
  fs::create_symlink(root / "real" / kInternalKeyFile, file());
  EXPECT_EQ(load_or_create_internal_key(root, random).error().code, "unsafe_key");
}

TEST_F(InternalKey, ThatIsNoneIsRefusedAndNeverOverwritten) {
  for (const std::string& text :
       {std::string(), std::string("short"), std::string(31, 'k'), std::string(513, 'k'), std::string(32, 'k') + " x",
        std::string(31, 'k') + "\x01", std::string(32, 'k') + "\nkkk", std::string(32, 'k') + '\0'}) {
    write(text);
    EXPECT_EQ(load_or_create_internal_key(root, random).error().code, "bad_key") << text;
    std::ifstream in(file());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
  }
  write(std::string(32, 'k') + "\n");
  EXPECT_EQ(load_internal_key(root)->reveal(), std::string(32, 'k'));
}

TEST_F(InternalKey, SaysSoWhenTheFolderCannotBeMade) {
  std::ofstream(root / "file") << "x";
  EXPECT_EQ(load_or_create_internal_key(root / "file" / "data", random).error().kind, ErrorKind::kInternal);
}

TEST_F(InternalKey, OneWinsWhenSeveralAreMadeAtOnce) {
  std::vector<std::string> keys(8);
  {
    std::vector<std::jthread> threads;
    for (auto& key : keys) {
      threads.emplace_back([this, &key] {
        SecureRandom own;
        key = load_or_create_internal_key(root / "data", own).value().reveal();
      });
    }
  }
  EXPECT_EQ(std::set(keys.begin(), keys.end()).size(), 1u);
}

}  // namespace
}  // namespace parley::auth
