// Owning pointers for the OpenSSL 3 objects that auth/ uses. Keys are shared by all loops: OpenSSL only reads them once
// they are made.
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace parley::auth {

template <auto Free>
struct OpenSslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using PkeyHandle = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using PkeyContextHandle = std::unique_ptr<EVP_PKEY_CTX, OpenSslFree<EVP_PKEY_CTX_free>>;
using DigestContextHandle = std::unique_ptr<EVP_MD_CTX, OpenSslFree<EVP_MD_CTX_free>>;
using BignumHandle = std::unique_ptr<BIGNUM, OpenSslFree<BN_free>>;
using BioHandle = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using EcdsaSignatureHandle = std::unique_ptr<ECDSA_SIG, OpenSslFree<ECDSA_SIG_free>>;

inline const unsigned char* as_bytes(const char* text) {
  return reinterpret_cast<const unsigned char*>(text);
}
inline unsigned char* as_bytes(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

// Leaves this thread's OpenSSL error queue empty, so that no later call on the thread (TLS!) reads our failures as its
// own.
struct ErrorQueueGuard {
  ErrorQueueGuard() = default;
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard() { ERR_clear_error(); }
};

}  // namespace parley::auth
