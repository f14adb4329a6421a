// PayloadCipher: makes what a cursor carries unreadable, since an index's own page mark may tell how much is written by
// others. The same payload gives the same text; damage, and what another key made, opens to none. AES-256-CTR with the
// first half of an HMAC-SHA256 over the payload as its counter (the shape of RFC 5297). Immutable; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::search {

class PayloadCipher {
 public:
  // `secret`: any length; instances that share it open each other's cursors.
  explicit PayloadCipher(std::string_view secret);

  std::string close(std::string_view payload) const;
  std::optional<std::string> open(std::string_view bytes) const;

 private:
  using Key = std::array<std::uint8_t, 32>;
  const Key mac_key_;
  const Key cipher_key_;
};

}  // namespace parley::search
