#include "media/tus_fields.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace parley::media {

namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<DigestKind> kind_called(std::string_view name) {
  if (name == "sha1") return DigestKind::kSha1;
  if (name == "md5") return DigestKind::kMd5;
  if (name == "sha256") return DigestKind::kSha256;
  if (name == "sha512") return DigestKind::kSha512;
  return std::nullopt;
}

std::unexpected<Error> bad_metadata(std::string message) {
  return invalid_field("header.Upload-Metadata", std::move(message));
}

}  // namespace

Result<TusMetadata> parse_tus_metadata(std::string_view value) {
  TusMetadata metadata;
  std::set<std::string_view> keys;
  for (std::string_view rest = trimmed(value); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view pair = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::size_t blank = std::min(pair.find(' '), pair.size());
    const std::string_view key = pair.substr(0, blank);
    if (key.empty() || std::ranges::any_of(key, [](unsigned char c) { return c >= 0x80; })) {
      return bad_metadata("has a key that is empty or not ASCII");
    }
    if (!keys.insert(key).second) return bad_metadata("has a key twice");
    const auto text = base64_decode(trimmed(pair.substr(blank)));
    if (!text) return bad_metadata("has a value that is no base64");
    // The first spelling goes first: what the protocol's own examples use.
    if (key == "filename" || (key == "name" && metadata.filename.empty())) metadata.filename = *text;
    if (key == "filetype" || (key == "type" && metadata.type.empty())) metadata.type = *text;
  }
  return metadata;
}

Result<std::vector<ExpectedDigest>> parse_tus_checksum(std::optional<std::string_view> value) {
  std::vector<ExpectedDigest> expected;
  if (!value) return expected;
  const std::size_t blank = std::min(value->find(' '), value->size());
  const auto kind = kind_called(value->substr(0, blank));
  if (!kind) return invalid_field("header.Upload-Checksum", "must begin with one of " + std::string(kTusAlgorithms));
  const auto bytes = base64_decode(trimmed(value->substr(blank)));
  if (!bytes || bytes->size() != digest_size(*kind)) {
    return invalid_field("header.Upload-Checksum", "must have a digest of the right length in base64");
  }
  expected.push_back({*kind, *bytes});
  return expected;
}

}  // namespace parley::media
