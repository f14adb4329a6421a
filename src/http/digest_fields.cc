#include "http/digest_fields.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace parley::http {

namespace {

using Digests = std::vector<ExpectedDigest>;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// RFC 3230 and RFC 9530 call them the same, the one in any case.
std::optional<DigestKind> kind_called(std::string_view name) {
  if (equals_ignoring_ascii_case(name, "sha-256")) return DigestKind::kSha256;
  if (equals_ignoring_ascii_case(name, "sha-512")) return DigestKind::kSha512;
  if (equals_ignoring_ascii_case(name, "sha")) return DigestKind::kSha1;
  if (equals_ignoring_ascii_case(name, "md5")) return DigestKind::kMd5;
  return std::nullopt;
}

// False when the bytes are not those of such a digest, or another of its kind was announced: both cannot hold, and each
// costs its share of every byte that comes.
bool add(Digests& digests, DigestKind kind, std::optional<std::string> bytes) {
  if (!bytes || bytes->size() != digest_size(kind)) return false;
  const auto same = std::ranges::find(digests, kind, &ExpectedDigest::kind);
  if (same != digests.end()) return same->bytes == *bytes;
  digests.push_back({kind, std::move(*bytes)});
  return true;
}

// RFC 9651: ":base64:", perhaps with parameters behind it, which mean nothing here. nullopt for what is no byte
// sequence.
std::optional<std::string> byte_sequence(std::string_view text) {
  if (!text.starts_with(':')) return std::nullopt;
  const std::size_t end = text.find(':', 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view behind = trimmed(text.substr(end + 1));
  if (!behind.empty() && !behind.starts_with(';')) return std::nullopt;
  return base64_decode(text.substr(1, end - 1));
}

// A list of `algorithm=value`, where values are byte sequences or plain base64.
bool add_list(Digests& digests, std::string_view list, bool byte_sequences) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    const std::size_t equals = std::min(element.find('='), element.size());
    const std::optional<DigestKind> kind = kind_called(element.substr(0, equals));
    if (!kind) continue;
    const std::string_view value = element.substr(std::min(equals + 1, element.size()));
    if (!add(digests, *kind, byte_sequences ? byte_sequence(value) : base64_decode(value))) return false;
  }
  return true;
}

bool add_field(Digests& digests, std::string_view name, std::string_view value) {
  const auto is = [name](std::string_view known) { return equals_ignoring_ascii_case(name, known); };
  if (is("Content-MD5")) return add(digests, DigestKind::kMd5, base64_decode(value));
  if (is("Digest")) return add_list(digests, value, false);
  if (is("Repr-Digest") || is("Content-Digest")) return add_list(digests, value, true);
  if (is("X-Checksum-SHA256")) return add(digests, DigestKind::kSha256, hex_decode(value));
  return true;
}

}  // namespace

Result<std::vector<ExpectedDigest>> digest_fields(const Fields& fields) {
  Digests digests;
  for (const Field& field : fields) {
    if (!add_field(digests, field.name, field.value)) {
      return invalid_field("header." + std::string(field.name),
                           "must hold digests of the right length, one of each kind");
    }
  }
  return digests;
}

std::string repr_digest(const Sha256& digest) {
  std::string base64 = base64url_encode(digest);
  std::ranges::replace(base64, '-', '+');
  std::ranges::replace(base64, '_', '/');
  return "sha-256=:" + base64 + "=:";  // 32 bytes are 43 characters and one to fill up
}

}  // namespace parley::http
