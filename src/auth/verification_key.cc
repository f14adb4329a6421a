#include "auth/verification_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <array>
#include <vector>

#include "base/text.h"

namespace parley::auth {

namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;

std::unexpected<Error> bad_key(std::string detail) {
  return fail(ErrorKind::kInvalid, "bad_key", std::move(detail));
}

// The number `name` of `key` in big-endian, padded to `size` bytes (0: as short as it goes), as base64url.
std::string number_of(const EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  const BignumHandle number(raw);
  std::vector<std::uint8_t> bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(raw)) : size);
  if (BN_bn2binpad(raw, bytes.data(), static_cast<int>(bytes.size())) < 0) return {};
  return base64url_encode(bytes);
}

std::string canonical_jwk(const EVP_PKEY* key, KeyType type) {
  switch (type) {
    case KeyType::kRsa:
    case KeyType::kRsaPss:
      return R"({"e":")" + number_of(key, OSSL_PKEY_PARAM_RSA_E, 0) + R"(","kty":"RSA","n":")" +
             number_of(key, OSSL_PKEY_PARAM_RSA_N, 0) + R"("})";
    case KeyType::kEd25519: {
      std::array<std::uint8_t, 32> bytes;
      std::size_t size = bytes.size();
      if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1 || size != bytes.size()) return {};
      return R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url_encode(bytes) + R"("})";
    }
    case KeyType::kP256:
    case KeyType::kP384:
    case KeyType::kP521: {
      const std::string curve = type == KeyType::kP256 ? "P-256" : type == KeyType::kP384 ? "P-384" : "P-521";
      const std::size_t size = coordinate_size(type);
      return R"({"crv":")" + curve + R"(","kty":"EC","x":")" + number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size) +
             R"(","y":")" + number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size) + R"("})";
    }
  }
  return {};
}

// r and s side by side → the DER form that OpenSSL verifies. Empty unless exactly as long as the curve says.
std::vector<std::uint8_t> ecdsa_to_der(std::string_view signature, std::size_t half) {
  if (half == 0 || signature.size() != 2 * half) return {};
  BignumHandle r(BN_bin2bn(as_bytes(signature.data()), static_cast<int>(half), nullptr));
  BignumHandle s(BN_bin2bn(as_bytes(signature.data()) + half, static_cast<int>(half), nullptr));
  const EcdsaSignatureHandle pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::vector<std::uint8_t> der(static_cast<std::size_t>(size));
  unsigned char* out = der.data();
  if (i2d_ECDSA_SIG(pair.get(), &out) != size) return {};
  return der;
}

}  // namespace

std::string thumbprint_of(const EVP_PKEY* key, KeyType type) {
  const std::string jwk = canonical_jwk(key, type);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash;
  unsigned int size = 0;
  if (jwk.empty() || EVP_Digest(jwk.data(), jwk.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  return base64url_encode(std::span(hash).first(size));
}

Result<VerificationKey> VerificationKey::make(PkeyHandle handle, std::string kid, std::optional<Algorithm> only) {
  const ErrorQueueGuard guard;
  if (!handle) return bad_key("This is not a public key.");
  const std::optional<KeyType> type = key_type_of(handle.get());
  if (!type) return bad_key("The key is neither RSA nor P-256, P-384, P-521 or Ed25519.");
  if (*type == KeyType::kRsa || *type == KeyType::kRsaPss) {
    const int bits = EVP_PKEY_get_bits(handle.get());
    if (bits < kMinRsaBits) {
      return bad_key("The RSA key has " + std::to_string(bits) + " bits; at least 2048 are needed.");
    }
    if (bits > kMaxRsaBits) return bad_key("The RSA key has more than 16384 bits.");
  }
  // A point off its curve, an even modulus or an exponent of 1 would verify what nobody signed.
  const PkeyContextHandle check(EVP_PKEY_CTX_new_from_pkey(nullptr, handle.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1)
    return bad_key("The key's numbers are not a valid public key.");
  if (only && !auth::fits(*only, *type)) return bad_key("The key's alg does not fit its type.");

  VerificationKey key(std::move(handle), *type);
  key.has_given_kid_ = !kid.empty();
  key.kid_ = kid.empty() ? thumbprint_of(key.key_.get(), *type) : std::move(kid);
  key.only_ = only;
  return key;
}

bool VerificationKey::verify(Algorithm algorithm, std::string_view signed_text, std::string_view signature) const {
  if (!fits(algorithm)) return false;
  const ErrorQueueGuard guard;
  std::vector<std::uint8_t> der;
  const unsigned char* proof = as_bytes(signature.data());
  std::size_t proof_size = signature.size();
  if (uses_ecdsa(algorithm)) {
    der = ecdsa_to_der(signature, coordinate_size(type_));
    if (der.empty()) return false;
    proof = der.data();
    proof_size = der.size();
  }
  const DigestContextHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `context`
  const EVP_MD* const digest = digest_of(algorithm);
  if (!context || EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, key_.get()) != 1) return false;
  if (uses_pss(algorithm) && (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
                              EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, digest) != 1 ||
                              EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), proof, proof_size, as_bytes(signed_text.data()), signed_text.size()) == 1;
}

}  // namespace parley::auth
