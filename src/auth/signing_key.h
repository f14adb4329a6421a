// SigningKey: a private key that signs tokens: the development key of a data folder, and the keys that tests make. Any
// thread; immutable.
#pragma once
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/key_set.h"
#include "auth/openssl_handles.h"
#include "base/result.h"

namespace parley::auth {

class SigningKey {
 public:
  // A fresh key for `algorithm`; RSA keys of `rsa_bits`. Fails (kInternal) only when OpenSSL does.
  static Result<SigningKey> generate(Algorithm algorithm, std::size_t rsa_bits = 2048);
  // One unencrypted PKCS #8 PEM block; its algorithm is the key type's own (RS256 for RSA). kInvalid, code bad_key.
  static Result<SigningKey> from_pem(std::string_view pem);

  Algorithm algorithm() const { return algorithm_; }
  // The RFC 7638 thumbprint.
  const std::string& kid() const { return kid_; }
  std::string private_pem() const;
  std::string public_pem() const;
  // The set with which what this key signs is verified.
  Result<KeySet> public_keys() const { return KeySet::from_pem(public_pem()); }

  // The signature of `text` in JWS form. Empty only when OpenSSL fails.
  std::string sign(std::string_view text) const;
  // header.payload.signature; both arguments are JSON.
  Result<std::string> sign_compact(std::string_view header, std::string_view payload) const;

 private:
  SigningKey(PkeyHandle key, KeyType type, Algorithm algorithm);

  PkeyHandle key_;
  KeyType type_;
  Algorithm algorithm_;
  std::string kid_;
};

}  // namespace parley::auth
