#include "search/payload_cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace parley::search {

namespace {

using Digest = std::array<std::uint8_t, 32>;
constexpr std::size_t kTagBytes = 16;

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

Digest mac(std::string_view key, std::string_view text) {
  Digest digest;
  unsigned size = digest.size();
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), digest.data(),
             &size) != nullptr);
  return digest;
}

std::string_view view(const Digest& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

// Encrypts and decrypts: it is its own inverse.
std::string apply_stream(const Digest& key, std::string_view tag, std::string_view text) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  CHECK(context != nullptr);
  CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, key.data(), bytes_of(tag)) == 1);
  std::string out(text.size(), '\0');
  int size = 0;
  CHECK(EVP_EncryptUpdate(context.get(), reinterpret_cast<std::uint8_t*>(out.data()), &size, bytes_of(text),
                          static_cast<int>(text.size())) == 1);
  CHECK(static_cast<std::size_t>(size) == text.size());
  return out;
}

}  // namespace

PayloadCipher::PayloadCipher(std::string_view secret)
    : mac_key_(mac(secret, "cursor mac")), cipher_key_(mac(secret, "cursor cipher")) {}

std::string PayloadCipher::close(std::string_view payload) const {
  const Digest digest = mac(view(mac_key_), payload);
  std::string bytes(view(digest).substr(0, kTagBytes));
  const std::string hidden = apply_stream(cipher_key_, bytes, payload);
  return bytes + hidden;
}

std::optional<std::string> PayloadCipher::open(std::string_view bytes) const {
  if (bytes.size() < kTagBytes) return std::nullopt;
  const std::string_view tag = bytes.substr(0, kTagBytes);
  std::string payload = apply_stream(cipher_key_, tag, bytes.substr(kTagBytes));
  const Digest digest = mac(view(mac_key_), payload);
  if (CRYPTO_memcmp(digest.data(), tag.data(), kTagBytes) != 0) return std::nullopt;
  return payload;
}

}  // namespace parley::search
