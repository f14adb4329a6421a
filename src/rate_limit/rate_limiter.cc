#include "rate_limit/rate_limiter.h"

namespace parley {

std::string rate_key(std::string_view what, const TenantId& tenant, const UserId& user) {
  std::string key;
  key.reserve(what.size() + tenant.value.size() + user.value.size() + 2);
  key.append(what).append(1, '\n').append(tenant.value).append(1, '\n').append(user.value);
  return key;
}

std::vector<std::pair<std::string_view, std::string>> rate_limit_fields(const RateDecision& decision) {
  if (decision.limit == 0) return {};
  return {{"RateLimit-Limit", std::to_string(decision.limit)},
          {"RateLimit-Remaining", std::to_string(decision.remaining)},
          {"RateLimit-Reset", std::to_string(decision.reset.count())}};
}

Error rate_limited(const RateDecision& decision) {
  return {ErrorKind::kRateLimited,
          "rate_limited",
          "The limit of " + std::to_string(decision.limit) + " is used up; try again in " +
              std::to_string(decision.retry_after.count()) + " s.",
          {},
          decision.retry_after};
}

}  // namespace parley
