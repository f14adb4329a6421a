// Authenticator: from a bearer token to the Caller it stands for. One for the process, called on every event loop; each
// loop remembers what it verified (TokenCache), so a repeated token costs no lock and no cryptography. Failures:
// kUnauthenticated (unauthorized, token_expired), kForbidden (X-Parley-User without the service role), kInvalid (it
// names no user), kUnavailable (no keys can be had).
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt.h"
#include "auth/key_refresher.h"
#include "auth/key_set.h"
#include "auth/token_cache.h"
#include "base/clock.h"
#include "base/result.h"
#include "tenancy/caller.h"

namespace parley::auth {

class Authenticator {
 public:
  using Answer = Result<std::shared_ptr<const Caller>>;
  struct Settings {
    JwtRules rules;
    std::size_t cached_tokens_per_loop = 4096;
  };

  // `loops`: how many event loops will call. `refresher` may be null: the ring's keys are all there will be. Keys,
  // refresher and clock must outlive this.
  Authenticator(Settings settings, const KeyRing& ring, KeyRefresher* refresher, const Clock& clock, std::size_t loops);

  // The caller of a token that this loop has verified and that is still good; null means only "not known here".
  std::shared_ptr<const Caller> cached(std::string_view token);

  // The answer, if it can be given without waiting: from the cache, or by verifying (about 0.1 ms). nullopt: the token
  // asks for a key that may be fetched; call authenticate(). `acting_for` is the raw value of X-Parley-User, if it was
  // sent.
  std::optional<Answer> try_authenticate(std::string_view token, std::optional<std::string_view> acting_for);

  // The same, but fetches keys where that may help, waiting for it until `deadline`.
  Task<Answer> authenticate(std::string token, std::optional<std::string> acting_for, SteadyTime deadline);

 private:
  // nullopt: the token is well formed, but no key fits, and fresher ones might.
  std::optional<Answer> verify(std::string_view token);
  Answer act_for(std::shared_ptr<const Caller> bearer, std::optional<std::string_view> acting_for) const;
  TokenCache* cache_of_this_loop();

  const Settings settings_;
  const KeyRing& ring_;
  KeyRefresher* const refresher_;
  const Clock& clock_;
  std::vector<std::unique_ptr<TokenCache>> caches_;
};

}  // namespace parley::auth
