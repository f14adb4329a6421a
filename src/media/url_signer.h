// UrlSigner: addresses that download a file without a token. The query names tenant, signer, disposition, time of
// expiry and key; its last parameter is the base64url of an HMAC-SHA256 (RFC 2104) over the file's id and all before
// it. There is one spelling of each address, and any other is none: another order, escape or parameter is refused like
// a forged one. Pure after it is made; any thread.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "config/named_secrets.h"
#include "http/content_disposition.h"

namespace parley::media {

struct SignedDownload {
  TenantId tenant;
  FileId file;
  UserId user;  // who signed, and as whom it is read
  http::Disposition disposition = http::Disposition::kAttachment;
  WallTime expires_at{};  // to the second; good until then, not at it
};

class UrlSigner {
 public:
  // The key of a data folder, made where there is none (auth/key_file.h). Blocks.
  static Result<std::vector<NamedSecret>> load_or_create_keys(const std::filesystem::path& folder, Random& random);

  // The first of `keys` signs, all are accepted; there must be one (CHECK). `gateway` says where clients reach the
  // gateway ("https://chat.example.com"), which addresses begin with; it is called on any thread.
  UrlSigner(std::vector<NamedSecret> keys, std::function<std::string()> gateway);

  std::string address(const SignedDownload& download) const;
  // What the raw query of a request for that file allows; forbidden invalid_signature when it is no address of ours, or
  // no longer.
  Result<SignedDownload> verify(const FileId& file, std::string_view query, WallTime now) const;

 private:
  const NamedSecret* find(std::string_view name) const;

  const std::vector<NamedSecret> keys_;
  const std::function<std::string()> gateway_;
};

}  // namespace parley::media
