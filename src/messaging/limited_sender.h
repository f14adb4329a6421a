// Sending within a limit: so many messages a minute for each user, and for each service token, all its users together.
// A replay takes nothing from the limit, and is answered when the limit is used up; what failed for a reason of ours
// gives back what it took. When the limiter itself cannot answer, messages go through: a limit protects the service, it
// is not a right.
#pragma once
#include <optional>

#include "messaging/messaging_store.h"
#include "rate_limit/rate_limiter.h"

namespace parley::messaging {

class LimitedSender {
 public:
  LimitedSender(MessagingStore& store, RateLimiter& limiter, RateRule rule, RateRule service_rule)
      : store_(store), limiter_(limiter), user_rule_(rule), service_rule_(service_rule) {}

  struct Outcome {
    Result<Written<Message>> written;
    std::optional<RateDecision> decision;  // none for a caller without a limit
  };
  Task<Outcome> send(std::shared_ptr<const Caller> caller, SendMessage command, SteadyTime deadline);

 private:
  MessagingStore& store_;
  RateLimiter& limiter_;
  const RateRule user_rule_;
  const RateRule service_rule_;
};

}  // namespace parley::messaging
