// PositionCodec: log offsets as callers see them. One AES block under a key of the tenant: the same offset gives the
// same text, nobody can read how much other tenants write, and a text of another tenant, or an invented one, decodes to
// none. Immutable; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "events/event.h"

namespace parley::events {

class PositionCodec {
 public:
  using Secret = std::array<std::uint8_t, 32>;
  explicit PositionCodec(const Secret& secret) : secret_(secret) {}

  std::string encode(const TenantId& tenant, LogOffset offset) const;
  const Secret& secret() const { return secret_; }
  std::optional<LogOffset> decode(const TenantId& tenant, std::string_view position) const;

 private:
  Secret secret_;
};

}  // namespace parley::events
