#include "events/position.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/text.h"

namespace parley::events {

namespace {

using Block = std::array<std::uint8_t, 16>;
using Key = std::array<std::uint8_t, 32>;

Key make_tenant_key(const PositionCodec::Secret& secret, const TenantId& tenant) {
  Key key;
  unsigned size = key.size();
  CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(tenant.value.data()), tenant.value.size(), key.data(), &size));
  return key;
}

// Every write is answered with a position, and OpenSSL's HMAC costs more than all else in it: each thread remembers the
// keys of the tenants it met last.
const Key& tenant_key(const PositionCodec::Secret& secret, const TenantId& tenant) {
  struct Remembered {
    bool known = false;
    PositionCodec::Secret secret;
    TenantId tenant;
    Key key;
  };
  thread_local std::array<Remembered, 64> remembered;
  Remembered& here = remembered[std::hash<std::string>()(tenant.value) % remembered.size()];
  if (!here.known || here.tenant != tenant || here.secret != secret) {
    here = {.known = true, .secret = secret, .tenant = tenant, .key = make_tenant_key(secret, tenant)};
  }
  return here.key;
}

Block crypt(const Key& key, const Block& in, bool encrypt) {
  thread_local const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                                        EVP_CIPHER_CTX_free);
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);  // one block: no mode is needed
  Block out;
  int size = 0;
  CHECK(EVP_CipherInit_ex2(context.get(), cipher, key.data(), nullptr, encrypt ? 1 : 0, nullptr) == 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  CHECK(EVP_CipherUpdate(context.get(), out.data(), &size, in.data(), static_cast<int>(in.size())) == 1);
  CHECK(size == static_cast<int>(out.size()));
  return out;
}

}  // namespace

std::string PositionCodec::encode(const TenantId& tenant, LogOffset offset) const {
  Block plain{};
  for (std::size_t i = 0; i < 8; ++i) plain[i] = static_cast<std::uint8_t>(offset.value >> (8 * i));
  return base64url_encode(crypt(tenant_key(secret_, tenant), plain, true));
}

std::optional<LogOffset> PositionCodec::decode(const TenantId& tenant, std::string_view position) const {
  if (position.size() > 64) return std::nullopt;
  const auto bytes = base64url_decode(position);
  Block block;
  if (!bytes || bytes->size() != block.size()) return std::nullopt;
  std::memcpy(block.data(), bytes->data(), block.size());
  const Block plain = crypt(tenant_key(secret_, tenant), block, false);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{plain[i]} << (8 * i);
  for (std::size_t i = 8; i < plain.size(); ++i) {
    if (plain[i] != 0) return std::nullopt;
  }
  if (value > INT64_MAX) return std::nullopt;
  return LogOffset{static_cast<std::int64_t>(value)};
}

}  // namespace parley::events
