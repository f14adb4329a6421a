#include "messaging/limited_sender.h"

namespace parley::messaging {

namespace {

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

bool may_be_replay(const SendMessage& command) {
  return command.idempotency_key || command.client_message_id;
}

}  // namespace

Task<LimitedSender::Outcome> LimitedSender::send(std::shared_ptr<const Caller> caller, SendMessage command,
                                                 SteadyTime deadline) {
  const bool service = caller->roles.service;
  const RateRule rule = service ? service_rule_ : user_rule_;
  if (rule.limit == 0) co_return Outcome{co_await store_.send_message(*caller, std::move(command), deadline), {}};
  const UserId& holder = caller->bearer.value.empty() ? caller->user : caller->bearer;
  const std::string key = rate_key(service ? "service messages" : "messages", caller->tenant, holder);
  Result<RateDecision> decision = co_await limiter_.take(key, rule);
  if (!decision) co_return Outcome{co_await store_.send_message(*caller, std::move(command), deadline), {}};

  if (!decision->allowed) {
    if (!may_be_replay(command)) co_return Outcome{fail(rate_limited(*decision)), *decision};
    command.only_replay = true;
    Outcome outcome{co_await store_.send_message(*caller, std::move(command), deadline), *decision};
    const bool was_new = !outcome.written && outcome.written.error().kind == ErrorKind::kRateLimited;
    if (was_new) outcome.written = fail(rate_limited(*decision));
    co_return outcome;
  }

  Outcome outcome{co_await store_.send_message(*caller, std::move(command), deadline), *decision};
  const bool took_for_nothing = outcome.written ? !outcome.written->changed : is_our_failure(outcome.written.error());
  if (took_for_nothing) {
    if (auto standing = co_await limiter_.give_back(key, rule)) outcome.decision = *standing;
  }
  co_return outcome;
}

}  // namespace parley::messaging
