#include "auth/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/text.h"

namespace parley::auth {

namespace {

std::unexpected<Error> openssl_failed() {
  return fail(ErrorKind::kInternal, "internal_error", "OpenSSL could not make or use a key.");
}

Algorithm algorithm_of(KeyType type) {
  switch (type) {
    case KeyType::kRsa:
      return Algorithm::kRs256;
    case KeyType::kRsaPss:
      return Algorithm::kPs256;
    case KeyType::kP256:
      return Algorithm::kEs256;
    case KeyType::kP384:
      return Algorithm::kEs384;
    case KeyType::kP521:
      return Algorithm::kEs512;
    case KeyType::kEd25519:
      return Algorithm::kEdDsa;
  }
  return Algorithm::kEdDsa;
}

// The DER form that OpenSSL signs in → r and s side by side.
std::string ecdsa_to_jws(const std::string& der, std::size_t half) {
  const unsigned char* at = as_bytes(der.data());
  const EcdsaSignatureHandle pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string out(2 * half, '\0');
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), as_bytes(out.data()), static_cast<int>(half)) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), as_bytes(out.data()) + half, static_cast<int>(half)) < 0) {
    return {};
  }
  return out;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

// A PEM file of ours never asks for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

SigningKey::SigningKey(PkeyHandle key, KeyType type, Algorithm algorithm)
    : key_(std::move(key)), type_(type), algorithm_(algorithm), kid_(thumbprint_of(key_.get(), type)) {}

Result<SigningKey> SigningKey::generate(Algorithm algorithm, std::size_t rsa_bits) {
  const ErrorQueueGuard guard;
  PkeyHandle key;
  if (algorithm == Algorithm::kEdDsa) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  } else if (uses_ecdsa(algorithm)) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC",
                                algorithm == Algorithm::kEs256   ? "P-256"
                                : algorithm == Algorithm::kEs384 ? "P-384"
                                                                 : "P-521"));
  } else {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", rsa_bits));
  }
  const auto type = key ? key_type_of(key.get()) : std::nullopt;
  if (!type || !fits(algorithm, *type)) return openssl_failed();
  return SigningKey(std::move(key), *type, algorithm);
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  const ErrorQueueGuard guard;
  const BioHandle in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PkeyHandle key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
  const auto type = key ? key_type_of(key.get()) : std::nullopt;
  if (!type) return fail(ErrorKind::kInvalid, "bad_key", "This is not a private key in PEM that Parley can use.");
  return SigningKey(std::move(key), *type, algorithm_of(*type));
}

std::string SigningKey::private_pem() const {
  const BioHandle out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(out.get());
}

std::string SigningKey::public_pem() const {
  const BioHandle out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key_.get());
  return text_of(out.get());
}

std::string SigningKey::sign(std::string_view text) const {
  const ErrorQueueGuard guard;
  const DigestContextHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `context`
  const EVP_MD* const digest = digest_of(algorithm_);
  if (!context || EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key_.get()) != 1) return {};
  if (uses_pss(algorithm_) && (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
                               EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, digest) != 1 ||
                               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return {};
  }
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, as_bytes(text.data()), text.size()) != 1) return {};
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), as_bytes(signature.data()), &size, as_bytes(text.data()), text.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return uses_ecdsa(algorithm_) ? ecdsa_to_jws(signature, coordinate_size(type_)) : signature;
}

Result<std::string> SigningKey::sign_compact(std::string_view header, std::string_view payload) const {
  std::string token = base64url_encode(header) + '.' + base64url_encode(payload);
  const std::string signature = sign(token);
  if (signature.empty()) return openssl_failed();
  return token + '.' + base64url_encode(signature);
}

}  // namespace parley::auth
