#include "auth/authenticator.h"

#include "base/event_loop.h"
#include "base/ids.h"
#include "base/text.h"

namespace parley::auth {

Authenticator::Authenticator(Settings settings, const KeyRing& ring, KeyRefresher* refresher, const Clock& clock,
                             std::size_t loops)
    : settings_(std::move(settings)), ring_(ring), refresher_(refresher), clock_(clock) {
  for (std::size_t i = 0; i < loops; ++i) {
    caches_.push_back(std::make_unique<TokenCache>(settings_.cached_tokens_per_loop));
  }
}

std::shared_ptr<const Caller> Authenticator::cached(std::string_view token) {
  TokenCache* const cache = cache_of_this_loop();
  return cache != nullptr ? cache->find(token, ring_.generation(), clock_.wall_now()) : nullptr;
}

std::optional<Authenticator::Answer> Authenticator::try_authenticate(std::string_view token,
                                                                     std::optional<std::string_view> acting_for) {
  if (auto caller = cached(token)) return act_for(std::move(caller), acting_for);
  std::optional<Answer> answer = verify(token);
  if (!answer) {
    if (refresher_ != nullptr) return std::nullopt;
    return no_key_for(*parse_jwt(token));
  }
  if (!*answer) return answer;
  return act_for(std::move(**answer), acting_for);
}

Task<Authenticator::Answer> Authenticator::authenticate(std::string token, std::optional<std::string> acting_for,
                                                        SteadyTime deadline) {
  if (auto answer = try_authenticate(token, acting_for)) co_return std::move(*answer);
  Result<> refreshed = co_await refresher_->refresh(deadline);
  // Another may have brought the keys meanwhile, whatever became of this fetch.
  if (auto answer = verify(token)) {
    if (!*answer) co_return std::move(*answer);
    co_return act_for(std::move(**answer), acting_for);
  }
  if (!refreshed) co_return fail(std::move(refreshed.error()));
  co_return no_key_for(*parse_jwt(token));
}

std::optional<Authenticator::Answer> Authenticator::verify(std::string_view token) {
  const Result<ParsedJwt> jwt = parse_jwt(token);
  if (!jwt) return fail(jwt.error());
  const KeyRing::Snapshot snapshot = ring_.snapshot();
  switch (check_signature(*jwt, *snapshot.keys)) {
    case SignatureCheck::kValid:
      break;
    case SignatureCheck::kInvalid:
      if (snapshot.keys->empty()) return std::nullopt;
      return unauthorized("The token's signature is not right.");
    case SignatureCheck::kUnknownKey:
      return std::nullopt;
  }
  const WallTime now = clock_.wall_now();
  Result<VerifiedToken> verified = read_claims(jwt->payload, settings_.rules, now);
  if (!verified) return fail(std::move(verified.error()));
  auto caller = std::make_shared<const Caller>(std::move(verified->caller));
  if (TokenCache* const cache = cache_of_this_loop()) {
    cache->insert(token, snapshot.generation, verified->valid_until, now, caller);
  }
  return caller;
}

Authenticator::Answer Authenticator::act_for(std::shared_ptr<const Caller> bearer,
                                             std::optional<std::string_view> acting_for) const {
  if (!acting_for) return bearer;
  if (!bearer->roles.service) {
    return fail(ErrorKind::kForbidden, "forbidden", "Only a token with the role service may act for another user.");
  }
  const auto user = percent_decode(*acting_for);
  if (!user || !is_valid_id(*user)) {
    return invalid_field("header.X-Parley-User", "must be a user id, percent-encoded: " + std::string(kIdRule));
  }
  // The name is the service's own, not that user's.
  return std::make_shared<const Caller>(Caller{bearer->tenant, UserId(*user), bearer->roles, {}, bearer->user});
}

TokenCache* Authenticator::cache_of_this_loop() {
  const EventLoop* const loop = EventLoop::current_or_null();
  return loop != nullptr && loop->index() < caches_.size() ? caches_[loop->index()].get() : nullptr;
}

}  // namespace parley::auth
