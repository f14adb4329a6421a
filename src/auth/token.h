// Makes the tokens that `parley token` prints and tests use. Pure; any thread.
#pragma once
#include <chrono>
#include <string>

#include "auth/signing_key.h"
#include "base/clock.h"
#include "base/result.h"
#include "tenancy/caller.h"

namespace parley::auth {

struct TokenRequest {
  TenantId tenant;
  UserId user;
  TenantRoles roles;
  std::string name;                // empty: no claim
  std::chrono::seconds ttl{3600};  // 1 s to kMaxTtl
  std::string issuer;              // empty: no claim
  std::string audience;            // empty: no claim
};

inline constexpr std::chrono::seconds kMaxTtl = std::chrono::days(3650);

// kInvalid names what is wrong with the request: an id that is none, a ttl out of bounds, a name that cannot be shown.
Result<std::string> sign_token(const SigningKey& key, const TokenRequest& request, WallTime now);

}  // namespace parley::auth
