// JSON Web Tokens in compact form (RFC 7515, 7519, 8725): parse, verify, read the claims. Pure functions of token,
// keys, rules and time; any thread. Every failure is kUnauthenticated: unauthorized, or token_expired.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auth/algorithm.h"
#include "auth/key_set.h"
#include "base/clock.h"
#include "base/result.h"
#include "tenancy/caller.h"

namespace parley::auth {

inline constexpr std::size_t kMaxTokenBytes = 8 * 1024;
// Keys tried for a token whose header does not name one.
inline constexpr std::size_t kMaxKeysTried = 8;

// What a token must say beyond being signed. Empty lists ask nothing.
struct JwtRules {
  std::vector<std::string> issuers;    // one of them must be `iss`
  std::vector<std::string> audiences;  // one of them must be in `aud`
  std::chrono::seconds leeway{60};     // how far clocks may differ, for exp, nbf and iat
};

// A token taken apart; nothing in it is to be believed before its signature is verified.
struct ParsedJwt {
  Algorithm algorithm;
  std::string kid;               // empty when the header has none
  std::string_view signed_text;  // into the token
  std::string_view payload;      // into the token, still base64url
  std::string signature;
};

struct VerifiedToken {
  Caller caller;
  WallTime valid_until;  // exp and leeway: from then on the token is refused
};

enum class SignatureCheck {
  kValid,
  kInvalid,
  kUnknownKey,  // the token names a key that the set does not have; a fresher set might
};

Result<ParsedJwt> parse_jwt(std::string_view token);
SignatureCheck check_signature(const ParsedJwt& jwt, const KeySet& keys);
// Only for a payload whose signature was verified.
Result<VerifiedToken> read_claims(std::string_view payload, const JwtRules& rules, WallTime now);

// All three.
Result<VerifiedToken> verify_jwt(std::string_view token, const KeySet& keys, const JwtRules& rules, WallTime now);

std::unexpected<Error> unauthorized(std::string detail);
// For a token that no key here can verify. Says whether the token named one, and nothing of the keys there are.
std::unexpected<Error> no_key_for(const ParsedJwt& jwt);

}  // namespace parley::auth
