#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace parley {

std::uint64_t Random::next_u64() {
  std::uint8_t bytes[8];
  fill(bytes);
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  CHECK(bound > 0);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value;
  do {
    value = next_u64();
  } while (value >= limit);
  return value % bound;
}

double Random::unit() {
  return static_cast<double>(next_u64() >> 11) * 0x1.0p-53;
}

namespace {

// Bytes of OpenSSL's generator drawn ahead, for a call to it costs a microsecond whatever its length. What is given out
// is wiped.
struct DrawnAhead {
  std::array<std::uint8_t, 512> bytes;
  std::size_t used = sizeof bytes;
};

}  // namespace

void SecureRandom::fill(std::span<std::uint8_t> out) {
  constexpr std::size_t kLongestOfId = 16;
  if (out.size() > kLongestOfId) {
    CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
    return;
  }
  thread_local DrawnAhead ahead;
  if (out.size() > ahead.bytes.size() - ahead.used) {
    CHECK(RAND_bytes(ahead.bytes.data(), static_cast<int>(ahead.bytes.size())) == 1);
    ahead.used = 0;
  }
  std::uint8_t* const from = ahead.bytes.data() + ahead.used;
  std::memcpy(out.data(), from, out.size());
  OPENSSL_cleanse(from, out.size());
  ahead.used += out.size();
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size();) {
    const std::uint64_t word = engine_();
    const std::size_t n = std::min<std::size_t>(sizeof word, out.size() - i);
    std::memcpy(out.data() + i, &word, n);
    i += n;
  }
}

}  // namespace parley
