#include "drivers/vips/webp_chunks.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace parley::vips {

namespace {

constexpr std::size_t kFileHead = 12;  // "RIFF", length, "WEBP"
constexpr std::size_t kChunkHead = 8;  // kind, length
constexpr std::array<std::string_view, 4> kShown{"VP8X", "VP8 ", "VP8L", "ALPH"};
// Flags of VP8X: there is a profile, EXIF, XMP.
constexpr unsigned char kMetadataFlags = 0x20 | 0x08 | 0x04;

std::uint32_t read_u32(std::string_view from) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}

bool is_shown(std::string_view kind) {
  for (const std::string_view each : kShown) {
    if (each == kind) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> without_metadata(std::string_view webp) {
  if (webp.size() < kFileHead || !webp.starts_with("RIFF") || webp.substr(8, 4) != "WEBP") return std::nullopt;
  if (std::uint64_t{read_u32(webp.substr(4))} + kChunkHead != webp.size()) return std::nullopt;
  std::string kept(webp.substr(0, kFileHead));
  for (std::string_view rest = webp.substr(kFileHead); !rest.empty();) {
    if (rest.size() < kChunkHead) return std::nullopt;
    const std::uint64_t length = read_u32(rest.substr(4));
    const std::uint64_t padded = kChunkHead + length + (length & 1);
    if (padded > rest.size()) return std::nullopt;
    const std::string_view chunk = rest.substr(0, padded);
    rest.remove_prefix(padded);
    if (!is_shown(chunk.substr(0, 4))) continue;
    const std::size_t at = kept.size();
    kept += chunk;
    if (!chunk.starts_with("VP8X")) continue;
    if (length == 0) return std::nullopt;
    kept[at + kChunkHead] = static_cast<char>(static_cast<unsigned char>(kept[at + kChunkHead]) & ~kMetadataFlags);
  }
  const auto size = static_cast<std::uint32_t>(kept.size() - kChunkHead);
  for (std::size_t i = 0; i < 4; ++i) kept[4 + i] = static_cast<char>(size >> (8 * i) & 0xff);
  return kept;
}

}  // namespace parley::vips
