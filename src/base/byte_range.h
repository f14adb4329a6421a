// A run of bytes within something longer. A plain value.
#pragma once
#include <compare>
#include <cstdint>

namespace parley {

// Half open: [first, end), in bytes from the start.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t length() const { return end - first; }
  auto operator<=>(const ByteRange&) const = default;
};

}  // namespace parley
