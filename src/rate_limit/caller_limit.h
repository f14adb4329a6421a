// CallerLimit: one limit on what callers do ("messages", "searches"): so many for each user, and for each service
// token, all its users together. Called on any loop. When the limiter itself cannot answer, the caller goes on: a limit
// protects the service, it is not a right.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "rate_limit/rate_limiter.h"
#include "tenancy/caller.h"

namespace parley {

class CallerLimit {
 public:
  // A rule with limit 0 is no limit. The limiter must outlive this.
  CallerLimit(RateLimiter& limiter, std::string what, RateRule user_rule, RateRule service_rule)
      : limiter_(limiter), what_(std::move(what)), user_rule_(user_rule), service_rule_(service_rule) {}

  // None for a caller without a limit.
  Task<std::optional<RateDecision>> take(std::shared_ptr<const Caller> caller);
  // For what was taken for nothing; answers how it stands now, none when that cannot be told.
  Task<std::optional<RateDecision>> give_back(std::shared_ptr<const Caller> caller);

 private:
  const RateRule& rule_of(const Caller& caller) const { return caller.roles.service ? service_rule_ : user_rule_; }
  std::string key_of(const Caller& caller) const;

  RateLimiter& limiter_;
  const std::string what_;
  const RateRule user_rule_;
  const RateRule service_rule_;
};

// Whether the request failed for a reason of ours, so that it is not to be counted.
bool is_our_failure(const Error& error);

}  // namespace parley
