#include "media/stores/s3_blob_keys.h"

#include <array>
#include <charconv>

#include "base/check.h"
#include "media/json_encoding.h"

namespace parley::media {

namespace {

constexpr std::size_t kIdBytes = 36;
constexpr std::size_t kHexDigits = 16;

std::string_view end_of(const FileId& id) {
  return std::string_view(id.value).substr(kIdBytes - 2);
}

std::string hex(std::uint64_t number) {
  std::array<char, kHexDigits> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  const auto length = static_cast<std::size_t>(end - digits.data());
  return std::string(kHexDigits - length, '0').append(digits.data(), length);
}

std::optional<std::uint64_t> unhex(std::string_view text) {
  if (text.size() != kHexDigits) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size() || hex(number) != text) return std::nullopt;
  return number;
}

std::optional<PieceName> parse_piece(std::string_view text) {
  if (text.size() != 3 * kHexDigits + 2 || text[kHexDigits] != '-' || text[2 * kHexDigits + 1] != '-') return {};
  const auto first = unhex(text.substr(0, kHexDigits));
  const auto length = unhex(text.substr(kHexDigits + 1, kHexDigits));
  const auto order = unhex(text.substr(2 * kHexDigits + 2));
  if (!first || !length || !order || *first > UINT64_MAX - *length) return std::nullopt;
  return PieceName{*first, *length, *order};
}

}  // namespace

std::string S3BlobKeys::place_of(const FileId& id) {
  CHECK(id.value.size() == kIdBytes);
  return std::string(end_of(id)) + "/" + id.value;
}

std::string S3BlobKeys::thumbnail(const FileId& id, ThumbnailSize size) const {
  return sealed(id) + "." + std::string(to_string(size));
}

std::string S3BlobKeys::piece(const FileId& id, const PieceName& name) const {
  return pieces(id) + hex(name.first) + "-" + hex(name.length) + "-" + hex(name.order);
}

std::string S3BlobKeys::pieces_before(const FileId& id, std::uint64_t first) const {
  return pieces(id) + hex(first);
}

std::optional<BlobKey> S3BlobKeys::parse(std::string_view key) const {
  if (!key.starts_with(prefix_)) return std::nullopt;
  const bool is_upload = key.starts_with(uploads());
  if (!is_upload && !key.starts_with(files())) return std::nullopt;
  key.remove_prefix((is_upload ? uploads() : files()).size());
  if (key.size() < 3 + kIdBytes || key[2] != '/') return std::nullopt;
  BlobKey parsed{.id = FileId(key.substr(3, kIdBytes))};
  if (!parse_uuid(parsed.id.value) || key.substr(0, 2) != end_of(parsed.id)) return std::nullopt;
  const std::string_view rest = key.substr(3 + kIdBytes);
  if (!is_upload) {
    if (rest.empty()) return parsed;
    for (const ThumbnailSize size : {ThumbnailSize::kSmall, ThumbnailSize::kMedium, ThumbnailSize::kLarge}) {
      if (rest.front() != '.' || rest.substr(1) != to_string(size)) continue;
      parsed.kind = ObjectKind::kThumbnail;
      return parsed;
    }
    return std::nullopt;
  }
  if (rest == "/open") {
    parsed.kind = ObjectKind::kMarker;
    return parsed;
  }
  if (!rest.starts_with('/')) return std::nullopt;
  const auto piece = parse_piece(rest.substr(1));
  if (!piece) return std::nullopt;
  parsed.kind = ObjectKind::kPiece;
  parsed.piece = *piece;
  return parsed;
}

bool is_listed_before(const FileId& a, const FileId& b) {
  return std::pair(end_of(a), std::string_view(a.value)) < std::pair(end_of(b), std::string_view(b.value));
}

}  // namespace parley::media
