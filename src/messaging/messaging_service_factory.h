// The messaging role, ready to be served: its routes over a store, behind the middleware that app/ chose. Made once at
// start, before the loops run; called on every loop. What the dependencies refer to must outlive it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "events/event_log.h"
#include "http/openapi/contract.h"
#include "http/operations/operational_routes.h"
#include "http/service.h"
#include "messaging/attached_files.h"
#include "messaging/messaging_scan.h"
#include "messaging/messaging_store.h"
#include "rate_limit/rate_limiter.h"
#include "telemetry/metrics.h"

namespace parley::messaging {

struct MessagingDependencies {
  MessagingStore& store;
  MessagingScan& scan;             // of the same data
  events::EventLog& log;           // of the same data
  AttachedFiles* files = nullptr;  // null: messages take no attachments
  RateLimiter& limiter;
  RateRule message_rule;               // RATE_LIMIT_MESSAGES_PER_MINUTE; limit 0 is no limit
  RateRule service_message_rule = {};  // RATE_LIMIT_SERVICE_MESSAGES_PER_MINUTE
  const Clock& clock;
  Metrics& metrics;
  // Gives the middleware, first to last, for the role's table of routes (which labels of metrics are made from). One of
  // them sets Exchange::caller; where none does, every route that asks a token is 401.
  std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>& routes)> middleware;
  // Beside the store's own, which is always asked.
  std::vector<http::HealthCheck> more_health_checks;
  std::size_t loops = 1;
  std::uint64_t max_body_bytes = UINT64_MAX;  // HTTP_MAX_BODY_BYTES; the contract's own limits hold beside it
};

// The contract that the build embeds. It is compiled at each call: keep it. CHECK-fails if it is faulty, with the
// reason on stderr.
std::shared_ptr<const http::openapi::Contract> messaging_contract(std::uint64_t max_body_bytes = UINT64_MAX);

std::unique_ptr<http::Service> make_messaging_service(MessagingDependencies dependencies);

}  // namespace parley::messaging
