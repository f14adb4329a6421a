// Internal tokens: how one role of Parley shows another that it is one, where no user's token will do: the text
// parley1.PAYLOAD.MAC with PAYLOAD the base64url of {"aud":ROLE,"exp":SECONDS} and MAC the base64url of HMAC-SHA256
// over all before it. It is no JWT and a JWT is none: neither reader takes the other's. Sent as a bearer token, made
// anew for each call, held nowhere. Pure; any thread.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "config/secret.h"

namespace parley::auth {

// How long the asker makes a token good for.
inline constexpr std::chrono::seconds kInternalTokenLife{60};
// What a token may have left at most, by the clock of the role that is asked: its life and a minute between two clocks.
inline constexpr std::chrono::seconds kMaxInternalTokenLife{120};

// `audience` is the name of the role that is asked: "messaging", "search". The key must not be empty (CHECK).
std::string sign_internal_token(const Secret& key, std::string_view audience, WallTime expires_at);

// kUnauthenticated: unauthorized, or token_expired.
Result<> verify_internal_token(const Secret& key, std::string_view audience, std::string_view text, WallTime now);

// Whether `text` is meant as one, good or not.
bool is_internal_token(std::string_view text);

// The Authorization field of a call that is made now.
inline std::string internal_authorization(const Secret& key, std::string_view audience, const Clock& clock) {
  return "Bearer " + sign_internal_token(key, audience, clock.wall_now() + kInternalTokenLife);
}

// The key of a data folder, for roles that share one; with INTERNAL_KEY set, it is not looked at.
inline constexpr const char* kInternalKeyFile = "internal.key";
// kNotFound when the folder has none; kForbidden (unsafe_key) when others may read or replace it; kInvalid (bad_key)
// when it is no key. Blocks, as does the next.
Result<Secret> load_internal_key(const std::filesystem::path& folder);
// The same, but makes key and folder where they are missing; of several processes at once one wins.
Result<Secret> load_or_create_internal_key(const std::filesystem::path& folder, Random& random);

}  // namespace parley::auth
