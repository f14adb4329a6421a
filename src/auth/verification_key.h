// VerificationKey: one public key with the name (kid) its issuer gave it, able to verify a signature in JWS form. Made
// when keys are loaded, then immutable: every loop reads the same one.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/openssl_handles.h"
#include "base/result.h"

namespace parley::auth {

class VerificationKey {
 public:
  // `kid` empty: the issuer gave none, and the key's thumbprint stands in. `only`: the one algorithm a JWK allows.
  // Fails (kInvalid, code bad_key) on a type Parley does not use, an RSA key under 2048 bits, or numbers that are no
  // key.
  static Result<VerificationKey> make(PkeyHandle key, std::string kid, std::optional<Algorithm> only = std::nullopt);

  const std::string& kid() const { return kid_; }
  // Whether the issuer named the key itself. Tokens may call a key without a given name as they like.
  bool has_given_kid() const { return has_given_kid_; }
  KeyType type() const { return type_; }
  bool fits(Algorithm algorithm) const { return auth::fits(algorithm, type_) && (!only_ || *only_ == algorithm); }
  // `signature` in JWS form: for ECDSA r and s side by side, of fixed length. False for whatever is not right.
  bool verify(Algorithm algorithm, std::string_view signed_text, std::string_view signature) const;

 private:
  VerificationKey(PkeyHandle key, KeyType type) : key_(std::move(key)), type_(type) {}

  PkeyHandle key_;
  KeyType type_;
  std::string kid_;
  bool has_given_kid_ = false;
  std::optional<Algorithm> only_;
};

// RFC 7638: base64url of the SHA-256 of the key's canonical JWK. Empty if OpenSSL cannot give the numbers.
std::string thumbprint_of(const EVP_PKEY* key, KeyType type);

}  // namespace parley::auth
