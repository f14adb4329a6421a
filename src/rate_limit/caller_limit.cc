#include "rate_limit/caller_limit.h"

namespace parley {

std::string CallerLimit::key_of(const Caller& caller) const {
  const UserId& holder = caller.bearer.value.empty() ? caller.user : caller.bearer;
  return rate_key(caller.roles.service ? "service " + what_ : what_, caller.tenant, holder);
}

Task<std::optional<RateDecision>> CallerLimit::take(std::shared_ptr<const Caller> caller) {
  const RateRule& rule = rule_of(*caller);
  if (rule.limit == 0) co_return std::nullopt;
  Result<RateDecision> decision = co_await limiter_.take(key_of(*caller), rule);
  co_return decision ? std::optional(*decision) : std::nullopt;
}

Task<std::optional<RateDecision>> CallerLimit::give_back(std::shared_ptr<const Caller> caller) {
  const RateRule& rule = rule_of(*caller);
  if (rule.limit == 0) co_return std::nullopt;
  Result<RateDecision> decision = co_await limiter_.give_back(key_of(*caller), rule);
  co_return decision ? std::optional(*decision) : std::nullopt;
}

bool is_our_failure(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInternal:
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kNoRoom:
      return true;
    default:
      return false;
  }
}

}  // namespace parley
