// IdSource: UUIDs for stores, from randomness drawn in larger pieces. Any thread; the random source is used under its
// lock alone.
#pragma once
#include <array>
#include <mutex>

#include "base/ids.h"
#include "base/random.h"

namespace parley::messaging {

class IdSource {
 public:
  // `random` must outlive it.
  explicit IdSource(Random& random) : random_(random) {}
  UuidBytes next(WallTime now);

 private:
  class Pool final : public Random {
   public:
    explicit Pool(Random& source) : source_(source) {}
    void fill(std::span<std::uint8_t> out) override;

   private:
    Random& source_;
    std::array<std::uint8_t, 4096> bytes_{};
    std::size_t used_ = bytes_.size();
  };
  std::mutex mutex_;
  Pool random_;
};

}  // namespace parley::messaging
