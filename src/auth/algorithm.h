// The signature algorithms Parley knows (RFC 7518, RFC 8037): asymmetric only. Which of them may be used is decided by
// the type of the key, never by a token's header alone (RFC 8725, section 3.1). Pure functions; any thread.
#pragma once
#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::auth {

enum class Algorithm : std::uint8_t { kRs256, kRs384, kRs512, kPs256, kPs384, kPs512, kEs256, kEs384, kEs512, kEdDsa };

// What a key is, and so which algorithms fit it.
enum class KeyType : std::uint8_t { kRsa, kRsaPss, kP256, kP384, kP521, kEd25519 };

// nullopt for none, HS*, and whatever else there may be.
std::optional<Algorithm> parse_algorithm(std::string_view name);
std::string_view to_string(Algorithm algorithm);  // "RS256"

bool fits(Algorithm algorithm, KeyType type);
bool uses_pss(Algorithm algorithm);
bool uses_ecdsa(Algorithm algorithm);
// Null for EdDSA, which hashes by itself.
const EVP_MD* digest_of(Algorithm algorithm);
// Bytes of one coordinate or half signature; 0 for other than elliptic curves of ECDSA.
std::size_t coordinate_size(KeyType type);

// The type of an OpenSSL key; nullopt for one that Parley does not use.
std::optional<KeyType> key_type_of(const EVP_PKEY* key);

}  // namespace parley::auth
