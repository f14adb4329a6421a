// Sending within a limit. A replay takes nothing from it, and is answered when the limit is used up; what failed for a
// reason of ours gives back what it took.
#pragma once
#include <optional>

#include "messaging/messaging_store.h"
#include "rate_limit/caller_limit.h"

namespace parley::messaging {

class LimitedSender {
 public:
  LimitedSender(MessagingStore& store, RateLimiter& limiter, RateRule rule, RateRule service_rule)
      : store_(store), limit_(limiter, "messages", rule, service_rule) {}

  struct Outcome {
    Result<Written<Message>> written;
    std::optional<RateDecision> decision;  // none for a caller without a limit
  };
  Task<Outcome> send(std::shared_ptr<const Caller> caller, SendMessage command, SteadyTime deadline);

 private:
  MessagingStore& store_;
  CallerLimit limit_;
};

}  // namespace parley::messaging
