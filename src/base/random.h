// Randomness as a dependency: SecureRandom (OpenSSL's generator) in the process, SeededRandom in tests, which print
// their seed. SecureRandom may be called from any thread; SeededRandom from one at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace parley {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint64_t next_u64();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();
};

class SecureRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace parley
