#include "auth/key_set.h"

#include <gtest/gtest.h>

#include "auth/testing/interop_vectors.h"
#include "auth/testing/tokens.h"

namespace parley::auth {
namespace {

using testing::key_for;

std::string jwk_of(std::string_view kid) {
  for (const auto& key : testing::kInteropKeys) {
    if (key.kid == kid) return std::string(key.jwk);
  }
  return {};
}
// `jwk` with `member` (`"name":value`) added.
std::string with(std::string jwk, std::string_view member) {
  return jwk.insert(jwk.size() - 1, "," + std::string(member));
}
std::string set_of(std::string_view keys) {
  return R"({"keys":[)" + std::string(keys) + "]}";
}

TEST(KeySetFromPem, TakesSeveralBlocksAndNamesThemByThumbprint) {
  const SigningKey &a = key_for(Algorithm::kEs256), &b = key_for(Algorithm::kEdDsa), &c = key_for(Algorithm::kRs256);
  const auto set = KeySet::from_pem("A comment.\n" + a.public_pem() + "\n" + b.public_pem() + c.public_pem());
  ASSERT_TRUE(set) << set.error().detail;
  ASSERT_EQ(set->keys().size(), 3u);
  EXPECT_EQ(set->keys()[0]->kid(), a.kid());
  EXPECT_EQ(set->keys()[1]->type(), KeyType::kEd25519);
  EXPECT_FALSE(set->keys()[2]->has_given_kid());
}

TEST(KeySetFromPem, TakesLineBreaksWrittenAsTwoCharacters) {
  std::string pem = key_for(Algorithm::kEs256).public_pem();
  for (std::size_t at; (at = pem.find('\n')) != std::string::npos;) pem.replace(at, 1, "\\n");
  EXPECT_TRUE(KeySet::from_pem(pem));
}

TEST(KeySetFromPem, AGivenKidNamesOneKeyOnly) {
  const std::string pem = key_for(Algorithm::kEs256).public_pem();
  const auto set = KeySet::from_pem(pem, "mine");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys()[0]->kid(), "mine");
  EXPECT_TRUE(set->keys()[0]->has_given_kid());
  EXPECT_FALSE(KeySet::from_pem(pem + pem, "mine"));
}

TEST(KeySetFromPem, RefusesWhatIsNoPublicKeyForTokens) {
  const std::string pem = key_for(Algorithm::kEs256).public_pem();
  const auto refusal = [](const std::string& text) {
    const auto set = KeySet::from_pem(text);
    EXPECT_FALSE(set);
    return set ? std::string() : set.error().detail;
  };
  EXPECT_NE(refusal(key_for(Algorithm::kEs256).private_pem()).find("private key"), std::string::npos);
  EXPECT_NE(refusal(SigningKey::generate(Algorithm::kRs256, 1024)->public_pem()).find("1024 bits"), std::string::npos);
  EXPECT_FALSE(refusal("").empty());
  EXPECT_FALSE(refusal("no pem").empty());
  EXPECT_FALSE(refusal(pem.substr(0, pem.size() / 2)).empty());
  EXPECT_FALSE(refusal(pem + pem.substr(0, pem.size() / 2)).empty());
  EXPECT_FALSE(refusal("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").empty());
  EXPECT_FALSE(refusal("-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n").empty());
  EXPECT_FALSE(refusal("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n").empty());
  EXPECT_FALSE(refusal(std::string(KeySet::kMaxTextBytes + 1, ' ')).empty());
}

TEST(KeySetFromPem, RefusesCurvesThatTokensDoNotUse) {
  for (const char* curve : {"secp256k1", "P-224"}) {
    const PkeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
    EXPECT_FALSE(VerificationKey::make(PkeyHandle(EVP_PKEY_dup(key.get())), {})) << curve;
  }
  for (const char* type : {"X25519", "ED448"}) {
    EXPECT_FALSE(VerificationKey::make(PkeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, type)), {})) << type;
  }
}

TEST(KeySetFromJwks, ReadsEveryTypeAndFindsItsThumbprint) {
  for (const auto& item : testing::kInteropKeys) {
    const auto set = KeySet::from_jwks(set_of(item.jwk));
    ASSERT_TRUE(set) << item.kid << ": " << set.error().detail;
    ASSERT_EQ(set->keys().size(), 1u);
    EXPECT_EQ(set->keys()[0]->kid(), item.thumbprint);
  }
}

TEST(KeySetFromJwks, LeavesOutKeysForOtherUses) {
  const std::string good = with(jwk_of("p256"), R"("kid":"good","use":"sig","alg":"ES256","key_ops":["verify"])");
  for (const std::string& other :
       {with(jwk_of("rsa"), R"("use":"enc")"), with(jwk_of("rsa"), R"("alg":"RSA-OAEP")"),
        with(jwk_of("rsa"), R"("key_ops":["encrypt"])"), std::string(R"({"kty":"oct","k":"AAAA"})"),
        std::string(R"({"kty":"OKP","crv":"X25519","x":"AAAA"})"), std::string(R"({"kty":"new"})"),
        std::string("{}")}) {
    const auto set = KeySet::from_jwks(set_of(good + "," + other));
    ASSERT_TRUE(set);
    EXPECT_EQ(set->keys().size(), 1u) << other;
    EXPECT_TRUE(set->skipped().empty()) << other;
    EXPECT_FALSE(KeySet::from_jwks(set_of(other))) << other;
  }
}

TEST(KeySetFromJwks, LeavesOutFaultyKeysAndSaysWhy) {
  const std::string good = jwk_of("ed");
  const std::string p256 = jwk_of("p256");
  std::string off_curve = p256;
  off_curve[off_curve.find("\"x\":\"") + 5] ^= 1;
  for (const std::string& faulty :
       {off_curve, with(p256, R"("d":"AAAA")"), with(p256, R"("kid":7)"), with(p256, R"("alg":"ES384")"),
        std::string(R"({"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA"})"),
        std::string(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})"), std::string(R"({"kty":"EC"})"),
        std::string(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"), std::string(R"({"kty":"RSA","n":"","e":"AQAB"})"),
        std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})")}) {
    const auto set = KeySet::from_jwks(set_of(good + "," + faulty));
    ASSERT_TRUE(set) << faulty;
    EXPECT_EQ(set->keys().size(), 1u) << faulty;
    EXPECT_EQ(set->skipped().size(), 1u) << faulty;
  }
}

TEST(KeySetFromJwks, RefusesAnRsaExponentThatWouldVerifyAnything) {
  const std::string jwk = jwk_of("rsa");
  for (const char* exponent : {"AQ", "Ag", "AA"}) {  // 1, 2, 0
    std::string weak = jwk;
    weak.replace(weak.find("AQAB"), 4, exponent);
    EXPECT_FALSE(KeySet::from_jwks(set_of(weak))) << exponent;
  }
}

TEST(KeySetFromJwks, AnAlgNarrowsWhatTheKeyVerifies) {
  const auto set = KeySet::from_jwks(set_of(with(jwk_of("rsa"), R"("alg":"PS256")")));
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->keys()[0]->fits(Algorithm::kPs256));
  EXPECT_FALSE(set->keys()[0]->fits(Algorithm::kRs256));
}

TEST(KeySetFromJwks, RefusesDocumentsThatAreNoSet) {
  std::string many;
  for (std::size_t i = 0; i <= KeySet::kMaxKeys; ++i) many += (i == 0 ? "" : ",") + jwk_of("ed");
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[]})"), std::string(R"({"keys":[1]})"), set_of(jwk_of("ed")) + "x", set_of(many),
        R"({"keys":[],"keys":[)" + jwk_of("ed") + "]}", std::string(KeySet::kMaxTextBytes + 1, ' ')}) {
    EXPECT_FALSE(KeySet::from_jwks(text)) << text.substr(0, 60);
  }
}

TEST(KeySet, ParseTellsPemFromJwks) {
  EXPECT_TRUE(KeySet::parse(key_for(Algorithm::kEs256).public_pem()));
  EXPECT_TRUE(KeySet::parse(set_of(jwk_of("ed"))));
  EXPECT_FALSE(KeySet::parse("neither"));
}

TEST(KeyRing, EachReplacementIsANewGeneration) {
  KeyRing ring;
  const auto before = ring.snapshot();
  EXPECT_TRUE(before.keys->empty());
  ring.replace(key_for(Algorithm::kEs256).public_keys().value());
  EXPECT_NE(ring.generation(), before.generation);
  EXPECT_EQ(ring.snapshot().keys->keys().size(), 1u);
  EXPECT_EQ(ring.snapshot().generation, ring.generation());
  EXPECT_TRUE(before.keys->empty());
}

}  // namespace
}  // namespace parley::auth
