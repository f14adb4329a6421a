#include "auth/algorithm.h"

#include <array>
#include <string>

namespace parley::auth {

namespace {

constexpr std::array<std::string_view, 10> kNames = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                                     "PS512", "ES256", "ES384", "ES512", "EdDSA"};

}  // namespace

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Algorithm algorithm) {
  return kNames[static_cast<std::size_t>(algorithm)];
}

bool uses_pss(Algorithm algorithm) {
  return algorithm >= Algorithm::kPs256 && algorithm <= Algorithm::kPs512;
}
bool uses_ecdsa(Algorithm algorithm) {
  return algorithm >= Algorithm::kEs256 && algorithm <= Algorithm::kEs512;
}

bool fits(Algorithm algorithm, KeyType type) {
  switch (type) {
    case KeyType::kRsa:
      return algorithm <= Algorithm::kPs512;
    case KeyType::kRsaPss:
      return uses_pss(algorithm);
    case KeyType::kP256:
      return algorithm == Algorithm::kEs256;
    case KeyType::kP384:
      return algorithm == Algorithm::kEs384;
    case KeyType::kP521:
      return algorithm == Algorithm::kEs512;
    case KeyType::kEd25519:
      return algorithm == Algorithm::kEdDsa;
  }
  return false;
}

const EVP_MD* digest_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRs256:
    case Algorithm::kPs256:
    case Algorithm::kEs256:
      return EVP_sha256();
    case Algorithm::kRs384:
    case Algorithm::kPs384:
    case Algorithm::kEs384:
      return EVP_sha384();
    case Algorithm::kRs512:
    case Algorithm::kPs512:
    case Algorithm::kEs512:
      return EVP_sha512();
    case Algorithm::kEdDsa:
      return nullptr;
  }
  return nullptr;
}

std::size_t coordinate_size(KeyType type) {
  switch (type) {
    case KeyType::kP256:
      return 32;
    case KeyType::kP384:
      return 48;
    case KeyType::kP521:
      return 66;
    default:
      return 0;
  }
}

std::optional<KeyType> key_type_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return KeyType::kRsa;
    case EVP_PKEY_RSA_PSS:
      return KeyType::kRsaPss;
    case EVP_PKEY_ED25519:
      return KeyType::kEd25519;
    case EVP_PKEY_EC:
      break;
    default:
      return std::nullopt;
  }
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return std::nullopt;
  const std::string_view name(group.data(), length);
  if (name == "prime256v1" || name == "P-256") return KeyType::kP256;
  if (name == "secp384r1" || name == "P-384") return KeyType::kP384;
  if (name == "secp521r1" || name == "P-521") return KeyType::kP521;
  return std::nullopt;
}

}  // namespace parley::auth
