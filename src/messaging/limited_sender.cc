#include "messaging/limited_sender.h"

namespace parley::messaging {

Task<LimitedSender::Outcome> LimitedSender::send(std::shared_ptr<const Caller> caller, SendMessage command,
                                                 RequestTrace trace, SteadyTime deadline) {
  const std::optional<RateDecision> decision = co_await limit_.take(caller);
  if (!decision) co_return Outcome{co_await sender_.send(caller, std::move(command), std::move(trace), deadline), {}};

  if (!decision->allowed) {
    if (!may_be_replay(command)) co_return Outcome{fail(rate_limited(*decision)), *decision};
    command.only_replay = true;
    Outcome outcome{co_await sender_.send(caller, std::move(command), std::move(trace), deadline), *decision};
    const bool was_new = !outcome.written && outcome.written.error().kind == ErrorKind::kRateLimited;
    if (was_new) outcome.written = fail(rate_limited(*decision));
    co_return outcome;
  }

  Outcome outcome{co_await sender_.send(caller, std::move(command), std::move(trace), deadline), *decision};
  const bool took_for_nothing = outcome.written ? !outcome.written->changed : is_our_failure(outcome.written.error());
  if (took_for_nothing) {
    if (auto standing = co_await limit_.give_back(caller)) outcome.decision = *standing;
  }
  co_return outcome;
}

}  // namespace parley::messaging
