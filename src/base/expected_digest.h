// A checksum that somebody announced, to be compared with the one that comes out. A plain value.
#pragma once
#include <cstdint>
#include <string>

namespace parley {

enum class DigestKind : std::uint8_t { kMd5, kSha1, kSha256, kSha512 };

struct ExpectedDigest {
  DigestKind kind;
  std::string bytes;  // as many as the kind says
};

// 16, 20, 32 or 64 bytes.
constexpr std::size_t digest_size(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return 16;
    case DigestKind::kSha1:
      return 20;
    case DigestKind::kSha256:
      return 32;
    case DigestKind::kSha512:
      return 64;
  }
  return 0;
}

}  // namespace parley
