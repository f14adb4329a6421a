// libFuzzer: whatever is sent as a token, or served as a key set, is refused or read; it never crashes, and nothing
// unsigned is ever accepted. The first byte says which reader gets the rest.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "auth/jwt.h"
#include "auth/signing_key.h"
#include "base/text.h"

using namespace parley;
using namespace parley::auth;

namespace {

const WallTime kNow(std::chrono::seconds(1'750'000'000));

// Keys whose private half is forgotten at once: no input can be signed with them.
const KeySet& keys() {
  static const KeySet set = [] {
    KeySet all;
    for (const Algorithm algorithm : {Algorithm::kEs256, Algorithm::kEdDsa, Algorithm::kRs256}) {
      all = KeySet::merge(std::move(all), SigningKey::generate(algorithm)->public_keys().value());
    }
    return all;
  }();
  return set;
}

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void read_claims_of(std::string_view json) {
  static const JwtRules rules{.issuers = {"parley"}, .audiences = {"parley"}, .leeway = std::chrono::seconds(0)};
  for (const JwtRules& asked : {JwtRules{}, rules}) {
    const auto token = read_claims(base64url_encode(json), asked, kNow);
    if (!token) {
      check(token.error().kind == ErrorKind::kUnauthenticated, "a refusal is a 401");
      continue;
    }
    check(is_valid_id(token->caller.tenant.value) && is_valid_id(token->caller.user.value), "ids are valid");
    check(token->valid_until > kNow, "an expired token is refused");
    check(is_valid_utf8(token->caller.name) && !has_control_characters(token->caller.name), "a name can be shown");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      check(!verify_jwt(text, keys(), {}, kNow), "nothing unsigned is accepted");
      break;
    case 1:
      read_claims_of(text);
      break;
    default:
      static_cast<void>(KeySet::parse(text));
  }
  return 0;
}
