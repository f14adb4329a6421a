// SHA-256, without the look-up of the algorithm that OpenSSL's one-shot functions make at each call (more than the
// digest of a short text costs). Any thread; never fails.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace parley {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

}  // namespace parley
