#include "messaging/id_source.h"

#include <cstring>

namespace parley::messaging {

void IdSource::Pool::fill(std::span<std::uint8_t> out) {
  if (used_ + out.size() > bytes_.size()) {
    source_.fill(bytes_);
    used_ = 0;
  }
  std::memcpy(out.data(), bytes_.data() + used_, out.size());
  std::memset(bytes_.data() + used_, 0, out.size());
  used_ += out.size();
}

UuidBytes IdSource::next(WallTime now) {
  const std::lock_guard lock(mutex_);
  return make_uuid_v7_bytes(now, random_);
}

}  // namespace parley::messaging
