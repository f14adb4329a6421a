#include "auth/internal_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <boost/json/value.hpp>
#include <cstdint>

#include "auth/jwt.h"
#include "auth/key_file.h"
#include "auth/strict_json.h"
#include "base/check.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace parley::auth {

namespace {

constexpr std::string_view kPrefix = "parley1.";
constexpr std::size_t kMaxInternalTokenBytes = 512;
constexpr std::string_view kWhat = "the key of internal calls";

using Mac = std::array<std::uint8_t, 32>;

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

Mac mac_of(const Secret& key, std::string_view text) {
  const std::string& bytes = key.reveal();
  CHECK(!bytes.empty());
  Mac mac{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size) != nullptr);
  CHECK(size == mac.size());
  return mac;
}

bool is_mac_of(const Secret& key, std::string_view text, std::string_view shown) {
  const auto bytes = base64url_decode(shown);
  const Mac mac = mac_of(key, text);
  return bytes && bytes->size() == mac.size() && CRYPTO_memcmp(bytes->data(), mac.data(), mac.size()) == 0;
}

std::unexpected<Error> refused() {
  return unauthorized("This needs an internal token of this role.");
}

}  // namespace

std::string sign_internal_token(const Secret& key, std::string_view audience, WallTime expires_at) {
  std::string payload;
  JsonWriter(payload).begin_object().key("aud").string(audience).key("exp").number(seconds_of(expires_at)).end_object();
  std::string text = std::string(kPrefix) + base64url_encode(payload);
  const Mac mac = mac_of(key, text);
  return text.append(1, '.').append(base64url_encode(mac));
}

bool is_internal_token(std::string_view text) {
  return text.starts_with(kPrefix);
}

Result<> verify_internal_token(const Secret& key, std::string_view audience, std::string_view text, WallTime now) {
  if (!is_internal_token(text) || text.size() > kMaxInternalTokenBytes) return refused();
  const std::size_t dot = text.find('.', kPrefix.size());
  if (dot == std::string_view::npos || !is_mac_of(key, text.substr(0, dot), text.substr(dot + 1))) return refused();

  // From here on the text is one that a holder of the key made.
  const auto payload = base64url_decode(text.substr(kPrefix.size(), dot - kPrefix.size()));
  const auto claims = payload ? parse_strict_object(*payload) : std::nullopt;
  if (!claims || claims->size() != 2) return refused();
  const auto* const meant_for = claims->if_contains("aud");
  const auto* const expires = claims->if_contains("exp");
  if (meant_for == nullptr || !meant_for->is_string() || std::string_view(meant_for->get_string()) != audience) {
    return refused();
  }
  if (expires == nullptr || !expires->is_int64()) return refused();
  const std::int64_t seconds_now = seconds_of(now);
  if (expires->get_int64() <= seconds_now) {
    return fail(ErrorKind::kUnauthenticated, "token_expired", "The internal token has expired.");
  }
  if (expires->get_int64() > seconds_now + kMaxInternalTokenLife.count()) return refused();
  return {};
}

Result<Secret> load_internal_key(const std::filesystem::path& folder) {
  return load_secret_file(folder / kInternalKeyFile, kWhat);
}

Result<Secret> load_or_create_internal_key(const std::filesystem::path& folder, Random& random) {
  return load_or_create_secret_file(folder / kInternalKeyFile, kWhat, random);
}

}  // namespace parley::auth
