#include "auth/jwt.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <boost/json/value_from.hpp>

#include "auth/testing/interop_vectors.h"
#include "auth/testing/tokens.h"
#include "base/text.h"

namespace parley::auth {
namespace {

using testing::claims_at;
using testing::header_of;
using testing::kAllAlgorithms;
using testing::key_for;
using testing::seconds_of;
using testing::sign;
namespace json = boost::json;

const WallTime kNow(std::chrono::seconds(1'750'000'000));

KeySet keys_of(Algorithm algorithm) {
  return key_for(algorithm).public_keys().value();
}

// The code of the refusal, or "accepted".
std::string verdict(std::string_view token, const KeySet& keys, const JwtRules& rules = {}, WallTime now = kNow) {
  const auto verified = verify_jwt(token, keys, rules, now);
  if (verified) return "accepted";
  EXPECT_EQ(verified.error().kind, ErrorKind::kUnauthenticated);
  EXPECT_FALSE(verified.error().detail.empty());
  return verified.error().code;
}

class Claims : public ::testing::Test {
 protected:
  const SigningKey& key = key_for(Algorithm::kEdDsa);
  const KeySet keys = keys_of(Algorithm::kEdDsa);
  json::object claims = claims_at(kNow);

  template <class T>
  std::string verdict_with(std::string_view name, const T& value, const JwtRules& rules = {}) {
    claims[name] = json::value_from(value);
    return verdict(sign(key, claims), keys, rules);
  }
  std::string verdict_without(std::string_view name) {
    claims.erase(name);
    return verdict(sign(key, claims), keys);
  }
  std::string verdict_of_payload(std::string_view payload) {
    return verdict(key.sign_compact(json::serialize(header_of(key)), payload).value(), keys);
  }
  std::string verdict_with_header(json::object header) { return verdict(sign(key, header, claims), keys); }
};

// ---- signatures ----

TEST(Jwt, AcceptsEveryAlgorithmWithItsKey) {
  for (const Algorithm algorithm : kAllAlgorithms) {
    const auto verified = verify_jwt(sign(key_for(algorithm), claims_at(kNow)), keys_of(algorithm), {}, kNow);
    ASSERT_TRUE(verified) << to_string(algorithm) << ": " << verified.error().detail;
    EXPECT_EQ(verified->caller.tenant, TenantId("acme"));
    EXPECT_EQ(verified->caller.user, UserId("u1"));
    EXPECT_EQ(verified->valid_until, kNow + std::chrono::seconds(3660));
  }
}

TEST(Jwt, AcceptsWhatAnotherImplementationSigned) {
  std::string jwks;
  for (const auto& key : testing::kInteropKeys) {
    jwks += (jwks.empty() ? "" : ",") + std::string(key.jwk.substr(0, key.jwk.size() - 1)) + R"(,"kid":")" +
            std::string(key.kid) + "\"}";
  }
  const KeySet keys = KeySet::from_jwks(R"({"keys":[)" + jwks + "]}").value();
  ASSERT_EQ(keys.keys().size(), std::size(testing::kInteropKeys));
  for (const auto& item : testing::kInteropSignatures) {
    const std::string header =
        R"({"alg":")" + std::string(item.algorithm) + R"(","kid":")" + std::string(item.kid) + R"(","typ":"JWT"})";
    const std::string token =
        base64url_encode(header) + "." + base64url_encode(testing::kInteropPayload) + "." + std::string(item.signature);
    EXPECT_EQ(verdict(token, keys), "accepted") << item.algorithm;
  }
}

TEST(Jwt, RefusesEveryAlgorithmWithEveryKeyThatDoesNotFitIt) {
  for (const Algorithm claimed : kAllAlgorithms) {
    for (const Algorithm actual : kAllAlgorithms) {
      const SigningKey& key = key_for(actual);
      if (claimed == actual) continue;
      json::object header = header_of(key);
      header["alg"] = to_string(claimed);
      EXPECT_EQ(verdict(sign(key, header, claims_at(kNow)), keys_of(actual)), "unauthorized")
          << to_string(claimed) << " claimed, signed with " << to_string(actual);
    }
  }
}

TEST(Jwt, RefusesAnotherKeyOfTheSameType) {
  for (const Algorithm algorithm : {Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEdDsa}) {
    const SigningKey other = SigningKey::generate(algorithm).value();
    json::object header = header_of(other);
    for (const bool with_kid : {false, true}) {
      if (with_kid) {
        header["kid"] = key_for(algorithm).kid();
      } else {
        header.erase("kid");
      }
      EXPECT_EQ(verdict(sign(other, header, claims_at(kNow)), keys_of(algorithm)), "unauthorized");
    }
  }
}

TEST_F(Claims, AlgorithmsThatAreNotAcceptedAreRefused) {
  for (const json::value& name : {json::value("none"), json::value("None"), json::value("NONE"), json::value("HS256"),
                                  json::value("HS384"), json::value("HS512"), json::value("eddsa"),
                                  json::value("ES256K"), json::value("Ed448"), json::value("RSA-OAEP"), json::value(""),
                                  json::value(nullptr), json::value(1), json::value(json::array{"EdDSA"})}) {
    json::object header = header_of(key);
    header["alg"] = name;
    EXPECT_EQ(verdict_with_header(header), "unauthorized") << name;
  }
  json::object header = header_of(key);
  header.erase("alg");
  EXPECT_EQ(verdict_with_header(header), "unauthorized");
}

TEST_F(Claims, AlgNoneWithoutASignatureIsRefused) {
  const std::string text = base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(json::serialize(claims));
  EXPECT_EQ(verdict(text + ".", keys), "unauthorized");
  EXPECT_EQ(verdict(text, keys), "unauthorized");
}

TEST(Jwt, RefusesHs256KeyedWithThePublicKey) {
  const SigningKey& key = key_for(Algorithm::kRs256);
  const std::string secret = key.public_pem();
  const std::string text = base64url_encode(R"({"alg":"HS256","kid":")" + key.kid() + "\"}") + "." +
                           base64url_encode(json::serialize(claims_at(kNow)));
  std::array<std::uint8_t, 32> mac;
  unsigned int size = mac.size();
  ASSERT_NE(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), as_bytes(text.data()), text.size(),
                 mac.data(), &size),
            nullptr);
  EXPECT_EQ(verdict(text + "." + base64url_encode(mac), keys_of(Algorithm::kRs256)), "unauthorized");
}

TEST(Jwt, RefusesEveryTokenWithOneBitOfItsTextChanged) {
  for (const Algorithm algorithm : {Algorithm::kEs256, Algorithm::kEdDsa}) {
    const std::string token = sign(key_for(algorithm), claims_at(kNow));
    const KeySet keys = keys_of(algorithm);
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string changed = token;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_EQ(verdict(changed, keys), "unauthorized") << "byte " << i;
    }
  }
}

TEST(Jwt, RefusesEveryPrefixOfAToken) {
  const std::string token = sign(key_for(Algorithm::kEs256), claims_at(kNow));
  const KeySet keys = keys_of(Algorithm::kEs256);
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_EQ(verdict(std::string_view(token).substr(0, size), keys), "unauthorized") << size;
  }
}

TEST(Jwt, RefusesTrailingDataAndOtherShapes) {
  const std::string token = sign(key_for(Algorithm::kEs256), claims_at(kNow));
  const KeySet keys = keys_of(Algorithm::kEs256);
  for (const std::string& text : {token + "A", token + "=", token + ".", token + ".e30", token + " ", " " + token,
                                  token + "\n", token + std::string(1, '\0'), std::string("..."), std::string("."),
                                  std::string("a.b.c.d.e"), std::string("not a token")}) {
    EXPECT_EQ(verdict(text, keys), "unauthorized") << text;
  }
}

TEST(Jwt, RefusesBase64ThatIsNotCanonical) {
  const std::string token = sign(key_for(Algorithm::kEs256), claims_at(kNow));
  const KeySet keys = keys_of(Algorithm::kEs256);
  // 64 bytes of signature leave four unused bits in the last character.
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string other = token;
  other.back() = kAlphabet[kAlphabet.find(token.back()) + 1];
  EXPECT_EQ(verdict(other, keys), "unauthorized");
  other = token;
  std::ranges::replace(other, '_', '/');
  std::ranges::replace(other, '-', '+');
  if (other != token) EXPECT_EQ(verdict(other, keys), "unauthorized");
  EXPECT_EQ(verdict(token + "==", keys), "unauthorized");
}

TEST(Jwt, RefusesEcdsaSignaturesInDerAndOfOtherLengths) {
  const SigningKey& key = key_for(Algorithm::kEs256);
  const std::string token = sign(key, claims_at(kNow));
  const std::size_t dot = token.rfind('.');
  const std::string raw = base64url_decode(token.substr(dot + 1)).value();
  const KeySet keys = keys_of(Algorithm::kEs256);

  EcdsaSignatureHandle pair(ECDSA_SIG_new());
  ASSERT_EQ(ECDSA_SIG_set0(pair.get(), BN_bin2bn(as_bytes(raw.data()), 32, nullptr),
                           BN_bin2bn(as_bytes(raw.data()) + 32, 32, nullptr)),
            1);
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  const std::string in_der(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);

  const std::string half(32, '\0');
  for (const std::string& signature :
       {in_der, raw.substr(0, 63), raw + std::string(1, '\0'), std::string(1, '\0') + raw,
        half + raw.substr(0, 32) + half, std::string(64, '\0'), std::string(64, '\xff')}) {
    EXPECT_EQ(verdict(token.substr(0, dot + 1) + base64url_encode(signature), keys), "unauthorized");
  }
}

TEST(Jwt, RefusesATokenOver8KiBAndAcceptsOneOfExactlyThat) {
  const SigningKey& key = key_for(Algorithm::kEdDsa);
  json::object claims = claims_at(kNow);
  for (std::size_t padding = 5900; padding < 6400; ++padding) {
    claims["padding"] = std::string(padding, 'x');
    const std::string token = sign(key, claims);
    EXPECT_EQ(verdict(token, keys_of(Algorithm::kEdDsa)), token.size() <= 8192 ? "accepted" : "unauthorized");
    if (token.size() > 8192) break;
  }
  claims["padding"] = std::string(7000, 'x');
  EXPECT_EQ(verdict(sign(key, claims), keys_of(Algorithm::kEdDsa)), "unauthorized");
}

// ---- which key ----

TEST(Jwt, KidSelectsTheKeyAndAnUnknownKidIsToldApart) {
  const SigningKey &a = key_for(Algorithm::kEs256), b = SigningKey::generate(Algorithm::kEs256).value();
  const KeySet keys =
      KeySet::merge(KeySet::from_pem(a.public_pem(), "a").value(), KeySet::from_pem(b.public_pem(), "b").value());
  const auto check = [&](const SigningKey& key, const char* kid) {
    json::object header{{"alg", "ES256"}};
    if (kid != nullptr) header["kid"] = kid;
    const std::string token = sign(key, header, claims_at(kNow));
    return check_signature(parse_jwt(token).value(), keys);
  };
  EXPECT_EQ(check(a, "a"), SignatureCheck::kValid);
  EXPECT_EQ(check(b, "b"), SignatureCheck::kValid);
  EXPECT_EQ(check(a, nullptr), SignatureCheck::kValid);
  EXPECT_EQ(check(b, nullptr), SignatureCheck::kValid);
  EXPECT_EQ(check(a, "b"), SignatureCheck::kInvalid);
  EXPECT_EQ(check(a, "c"), SignatureCheck::kUnknownKey);
  EXPECT_EQ(check(SigningKey::generate(Algorithm::kEs256).value(), nullptr), SignatureCheck::kInvalid);
}

TEST(Jwt, AKeyThatItsIssuerLeftUnnamedGoesByAnyName) {
  const SigningKey& key = key_for(Algorithm::kEs256);
  const std::string token = sign(key, {{"alg", "ES256"}, {"kid", "whatever the issuer calls it"}}, claims_at(kNow));
  EXPECT_EQ(verdict(token, key.public_keys().value()), "accepted");
  EXPECT_EQ(verdict(token, KeySet::from_pem(key.public_pem(), "named").value()), "unauthorized");
}

TEST(Jwt, TriesABoundedNumberOfKeys) {
  KeySet keys;
  for (std::size_t i = 0; i < kMaxKeysTried; ++i) {
    keys = KeySet::merge(std::move(keys), SigningKey::generate(Algorithm::kEdDsa)->public_keys().value());
  }
  const SigningKey& last = key_for(Algorithm::kEdDsa);
  keys = KeySet::merge(std::move(keys), last.public_keys().value());
  EXPECT_EQ(verdict(sign(last, {{"alg", "EdDSA"}}, claims_at(kNow)), keys), "unauthorized");
  EXPECT_EQ(verdict(sign(last, claims_at(kNow)), keys), "accepted");
}

// ---- header ----

TEST_F(Claims, HeadersThatCannotBeHonouredAreRefused) {
  const auto with = [this](std::string_view name, const auto& value) {
    json::object header = header_of(key);
    header[name] = json::value_from(value);
    return verdict_with_header(header);
  };
  EXPECT_EQ(with("crit", json::array{"exp"}), "unauthorized");
  EXPECT_EQ(with("crit", json::array{}), "unauthorized");
  EXPECT_EQ(with("typ", "logout+jwt"), "unauthorized");
  EXPECT_EQ(with("typ", 1), "unauthorized");
  EXPECT_EQ(with("kid", 7), "unauthorized");
  EXPECT_EQ(with("kid", std::string(257, 'k')), "unauthorized");
  for (const char* type : {"JWT", "jwt", "at+jwt", "application/at+JWT"})
    EXPECT_EQ(with("typ", type), "accepted") << type;
}

TEST_F(Claims, KeysOfferedByTheTokenItselfAreIgnored) {
  const SigningKey other = SigningKey::generate(Algorithm::kEdDsa).value();
  const json::object header{{"alg", "EdDSA"},
                            {"kid", other.kid()},
                            {"jku", "https://evil.example/keys"},
                            {"jwk", {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "AAAA"}}}};
  EXPECT_EQ(verdict(sign(other, header, claims), keys), "unauthorized");
}

TEST_F(Claims, DuplicateMembersAreRefusedWhereverTheyStand) {
  const std::string exp = std::to_string(seconds_of(kNow) + 60);
  EXPECT_EQ(verdict_of_payload(R"({"sub":"u1","tenant_id":"acme","exp":)" + exp + "}"), "accepted");
  EXPECT_EQ(verdict_of_payload(R"({"sub":"u1","sub":"u2","tenant_id":"acme","exp":)" + exp + "}"), "unauthorized");
  EXPECT_EQ(verdict_of_payload(R"({"sub":"u1","s\u0075b":"u1","tenant_id":"acme","exp":)" + exp + "}"), "unauthorized");
  EXPECT_EQ(verdict_of_payload(R"({"sub":"u1","tenant_id":"acme","x":[{"a":1,"a":{"b":2}}],"exp":)" + exp + "}"),
            "unauthorized");
  const std::string header = R"({"alg":"none","alg":"EdDSA"})";
  EXPECT_EQ(verdict(key.sign_compact(header, json::serialize(claims)).value(), keys), "unauthorized");
}

TEST_F(Claims, PayloadsThatAreNoObjectAreRefused) {
  for (const std::string_view payload : {"", "[]", "null", "\"text\"", "{", "{}x", "{\"sub\":\"u1\",}", "{sub:1}"}) {
    EXPECT_EQ(verdict_of_payload(payload), "unauthorized") << payload;
  }
  std::string deep =
      R"({"sub":"u1","tenant_id":"acme","exp":9999999999,"x":)" + std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_EQ(verdict_of_payload(deep), "unauthorized");
}

// ---- claims ----

TEST_F(Claims, RequiredClaimsMustBeThere) {
  for (const char* name : {"sub", "tenant_id", "exp"}) {
    claims = claims_at(kNow);
    EXPECT_EQ(verdict_without(name), "unauthorized") << name;
    claims = claims_at(kNow);
    for (const json::value& wrong :
         {json::value(nullptr), json::value(true), json::value(json::array{}), json::value("")}) {
      EXPECT_EQ(verdict_with(name, wrong), "unauthorized") << name << " = " << wrong;
    }
  }
  claims = claims_at(kNow);
  EXPECT_EQ(verdict_with("sub", 12), "unauthorized");
  claims = claims_at(kNow);
  EXPECT_EQ(verdict_with("exp", "9999999999"), "unauthorized");
}

TEST_F(Claims, IdsMustBeValidIds) {
  for (const char* name : {"sub", "tenant_id"}) {
    claims = claims_at(kNow);
    EXPECT_EQ(verdict_with(name, std::string(128, 'a')), "accepted");
    EXPECT_EQ(verdict_with(name, "irc:nick 漢"), "accepted");
    EXPECT_EQ(verdict_with(name, std::string(129, 'a')), "unauthorized");
    EXPECT_EQ(verdict_with(name, ".."), "unauthorized");
    EXPECT_EQ(verdict_with(name, "a\nb"), "unauthorized");
    EXPECT_EQ(verdict_with(name, std::string("a\0b", 3)), "unauthorized");
    EXPECT_EQ(verdict_with(name, "a\xc2\x85z"), "unauthorized");
  }
  const std::string exp = std::to_string(seconds_of(kNow) + 60);
  for (const std::string_view id : {"a\xff", "\xc0\xaf", "\xed\xa0\x80", "\\ud800", "a\nb"}) {
    EXPECT_EQ(verdict_of_payload(R"({"tenant_id":"acme","exp":)" + exp + R"(,"sub":")" + std::string(id) + "\"}"),
              "unauthorized");
  }
}

TEST_F(Claims, ExpiryHonoursTheLeewayToTheMillisecond) {
  const std::int64_t now = seconds_of(kNow);
  EXPECT_EQ(verdict_with("exp", now - 59), "accepted");
  EXPECT_EQ(verdict_with("exp", now - 60), "token_expired");
  EXPECT_EQ(verdict_with("exp", now - 60 + 0.5), "accepted");
  EXPECT_EQ(verdict_with("exp", now - 60 - 0.5), "token_expired");
  JwtRules strict;
  strict.leeway = std::chrono::seconds(0);
  EXPECT_EQ(verdict_with("exp", now, strict), "token_expired");
  EXPECT_EQ(verdict_with("exp", now + 1, strict), "accepted");
}

TEST_F(Claims, HugeAndNegativeTimesAreHandled) {
  for (const json::value& time :
       {json::value(1e300), json::value(INT64_MAX), json::value(UINT64_MAX), json::value(1e19)}) {
    claims = claims_at(kNow);
    EXPECT_EQ(verdict_with("exp", time), "accepted") << time;
    EXPECT_EQ(verdict_with("nbf", time), "unauthorized") << time;
  }
  for (const json::value& time : {json::value(-1e300), json::value(INT64_MIN), json::value(-1), json::value(0)}) {
    claims = claims_at(kNow);
    EXPECT_EQ(verdict_with("exp", time), "token_expired") << time;
    claims = claims_at(kNow);
    EXPECT_EQ(verdict_with("nbf", time), "accepted") << time;
  }
  for (const std::string_view exp : {"1e999", "NaN", "Infinity", "0x7fffffff", "1.", "-"}) {
    EXPECT_NE(verdict_of_payload(R"({"sub":"u1","tenant_id":"acme","exp":)" + std::string(exp) + "}"), "")
        << "must not crash";
  }
}

TEST_F(Claims, NotBeforeAndIssuedAtMustNotLieAhead) {
  const std::int64_t now = seconds_of(kNow);
  for (const char* name : {"nbf", "iat"}) {
    claims = claims_at(kNow);
    EXPECT_EQ(verdict_with(name, now + 60), "accepted") << name;
    EXPECT_EQ(verdict_with(name, now + 61), "unauthorized") << name;
    EXPECT_EQ(verdict_with(name, "soon"), "unauthorized") << name;
  }
}

TEST_F(Claims, IssuerMustBeOneOfThoseAsked) {
  JwtRules rules;
  rules.issuers = {"https://a.example", "https://b.example"};
  EXPECT_EQ(verdict(sign(key, claims), keys, rules), "unauthorized");
  EXPECT_EQ(verdict_with("iss", "https://b.example", rules), "accepted");
  EXPECT_EQ(verdict_with("iss", "https://b.example/", rules), "unauthorized");
  EXPECT_EQ(verdict_with("iss", json::array{"https://b.example"}, rules), "unauthorized");
  EXPECT_EQ(verdict_with("iss", "anyone"), "accepted");
}

TEST_F(Claims, AudienceMustHoldOneOfThoseAsked) {
  JwtRules rules;
  rules.audiences = {"parley"};
  EXPECT_EQ(verdict(sign(key, claims), keys, rules), "unauthorized");
  EXPECT_EQ(verdict_with("aud", "parley", rules), "accepted");
  EXPECT_EQ(verdict_with("aud", json::array{"other", "parley"}, rules), "accepted");
  EXPECT_EQ(verdict_with("aud", "other", rules), "unauthorized");
  EXPECT_EQ(verdict_with("aud", json::array{}, rules), "unauthorized");
  EXPECT_EQ(verdict_with("aud", json::array{"parley", 1}, rules), "unauthorized");
  EXPECT_EQ(verdict_with("aud", json::object{}, rules), "unauthorized");
  EXPECT_EQ(verdict_with("aud", "anyone"), "accepted");
}

TEST_F(Claims, RolesAreReadAndUnknownOnesIgnored) {
  const auto roles_with = [this](json::value roles) {
    claims["roles"] = std::move(roles);
    return verify_jwt(sign(key, claims), keys, {}, kNow).value().caller.roles;
  };
  EXPECT_FALSE(verify_jwt(sign(key, claims), keys, {}, kNow)->caller.roles.admin);
  EXPECT_TRUE(roles_with(json::array{"user", "admin"}).admin);
  EXPECT_FALSE(roles_with(json::array{"user", "admin"}).service);
  EXPECT_TRUE(roles_with(json::array{"service"}).service);
  EXPECT_FALSE(roles_with(json::array{"Admin", "superuser", "admin "}).admin);
  EXPECT_FALSE(roles_with(json::array{}).admin);
  EXPECT_EQ(verdict_with("roles", "admin"), "unauthorized");
  EXPECT_EQ(verdict_with("roles", json::array{"admin", 1}), "unauthorized");
}

TEST_F(Claims, ANameThatCannotBeShownCountsAsAbsent) {
  const auto name_with = [this](const auto& name) {
    claims["name"] = json::value_from(name);
    return verify_jwt(sign(key, claims), keys, {}, kNow).value().caller.name;
  };
  EXPECT_EQ(name_with("Ann Ö"), "Ann Ö");
  EXPECT_EQ(name_with("a\nb"), "");
  EXPECT_EQ(name_with(std::string(257, 'n')), "");
  EXPECT_EQ(name_with(5), "");
}

}  // namespace
}  // namespace parley::auth
