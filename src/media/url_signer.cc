#include "media/url_signer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "auth/key_file.h"
#include "base/check.h"
#include "base/text.h"

namespace parley::media {

namespace {

constexpr std::string_view kPath = "/v1/media/download/";
constexpr std::string_view kContext = "parley signed download 1\n";  // what else such a key signs is another thing
constexpr const char* kKeyFile = "url-signing.key";
constexpr const char* kOwnKeyName = "local";

using Mac = std::array<std::uint8_t, 32>;

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string_view name_of(http::Disposition disposition) {
  return disposition == http::Disposition::kInline ? "inline" : "attachment";
}

// The query up to its signature.
std::string signed_part(const SignedDownload& download, std::string_view key) {
  std::string text = "tenant=" + percent_encode(download.tenant.value);
  text.append("&user=").append(percent_encode(download.user.value));
  text.append("&disposition=").append(name_of(download.disposition));
  text.append("&expires=").append(std::to_string(seconds_of(download.expires_at)));
  return text.append("&key=").append(key);
}

Mac mac_of(const Secret& secret, const FileId& file, std::string_view query) {
  std::string text(kContext);
  text.append(percent_encode(file.value)).append("?").append(query);
  const std::string& key = secret.reveal();
  Mac mac{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size) != nullptr);
  CHECK(size == mac.size());
  return mac;
}

std::unexpected<Error> refused() {
  return fail(ErrorKind::kForbidden, "invalid_signature",
              "The address is not as it was signed, or its time is over. Ask for a new one.");
}

std::string without_slash(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  return base;
}

// The next "name=value&" of `rest`, decoded; nullopt when it is not of that name.
std::optional<std::string> take(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(name) || !rest.substr(name.size()).starts_with('=')) return std::nullopt;
  rest.remove_prefix(name.size() + 1);
  const std::size_t end = std::min(rest.find('&'), rest.size());
  auto value = percent_decode(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

}  // namespace

Result<std::vector<NamedSecret>> UrlSigner::load_or_create_keys(const std::filesystem::path& folder, Random& random) {
  auto secret = auth::load_or_create_secret_file(folder / kKeyFile, "the key of signed addresses", random);
  if (!secret) return fail(std::move(secret.error()));
  std::vector<NamedSecret> keys;
  keys.push_back({kOwnKeyName, std::move(*secret)});
  return keys;
}

UrlSigner::UrlSigner(std::vector<NamedSecret> keys, std::function<std::string()> gateway)
    : keys_(std::move(keys)), gateway_(std::move(gateway)) {
  CHECK(!keys_.empty());
}

std::string UrlSigner::address(const SignedDownload& download) const {
  const NamedSecret& key = keys_.front();
  const std::string query = signed_part(download, key.name);
  std::string text = without_slash(gateway_());
  text.append(kPath).append(percent_encode(download.file.value)).append("?").append(query);
  return text.append("&signature=").append(base64url_encode(mac_of(key.secret, download.file, query)));
}

Result<SignedDownload> UrlSigner::verify(const FileId& file, std::string_view query, WallTime now) const {
  std::string_view rest = query;
  const auto tenant = take(rest, "tenant");
  const auto user = take(rest, "user");
  const auto disposition = take(rest, "disposition");
  const auto expires = take(rest, "expires");
  const auto key_name = take(rest, "key");
  const auto signature = take(rest, "signature");
  if (!tenant || !user || !disposition || !expires || !key_name || !signature || !rest.empty()) return refused();
  const auto seconds = parse_u64(*expires);
  const NamedSecret* const key = find(*key_name);
  constexpr std::uint64_t kFarAway = 1ULL << 40;  // beyond it, a time would overflow
  if (key == nullptr || !seconds || *seconds >= kFarAway) return refused();

  SignedDownload download{TenantId(*tenant), file, UserId(*user),
                          *disposition == "inline" ? http::Disposition::kInline : http::Disposition::kAttachment,
                          WallTime(std::chrono::seconds(*seconds))};
  // Written anew and compared: what was read in another spelling is another text.
  const std::string canonical = signed_part(download, key->name);
  const Mac mac = mac_of(key->secret, file, canonical);
  const std::string wanted = base64url_encode(mac);
  const bool as_signed = signature->size() == wanted.size() &&
                         CRYPTO_memcmp(signature->data(), wanted.data(), wanted.size()) == 0 &&
                         query == canonical + "&signature=" + wanted;
  if (!as_signed || now >= download.expires_at) return refused();
  return download;
}

const NamedSecret* UrlSigner::find(std::string_view name) const {
  const auto found = std::ranges::find(keys_, name, &NamedSecret::name);
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace parley::media
