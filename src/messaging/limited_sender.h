// Sending within a limit. A replay takes nothing from it, and is answered when the limit is used up; what failed for a
// reason of ours gives back what it took.
#pragma once
#include <optional>

#include "messaging/attaching_sender.h"
#include "messaging/messaging_store.h"
#include "rate_limit/caller_limit.h"

namespace parley::messaging {

class LimitedSender {
 public:
  LimitedSender(AttachingSender sender, RateLimiter& limiter, RateRule rule, RateRule service_rule)
      : sender_(sender), limit_(limiter, "messages", rule, service_rule) {}

  struct Outcome {
    Result<Written<Message>> written;
    std::optional<RateDecision> decision;  // none for a caller without a limit
  };
  Task<Outcome> send(std::shared_ptr<const Caller> caller, SendMessage command, RequestTrace trace,
                     SteadyTime deadline);

 private:
  AttachingSender sender_;
  CallerLimit limit_;
};

}  // namespace parley::messaging
