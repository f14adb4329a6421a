// What the gateway passes on, to which service, how. The one table; api/gateway.yaml says the same to clients.
#pragma once
#include <chrono>
#include <span>
#include <string_view>

#include "config/role.h"
#include "gateway/proxy.h"
#include "http/message.h"
#include "http/router.h"

namespace parley::gateway {

struct ProxiedRoute {
  http::Method method;
  std::string_view pattern;
  std::string_view operation_id;
  Role role;
  bool honours_idempotency_key = false;  // x-idempotency: key
  PathMapping mapping = PathMapping::kStripVersion;
  bool cached = false;  // answered by the gateway's cache of searches where it can be
  http::Access access = http::Access::kToken;
  std::chrono::seconds more_time{0};  // that the service may take beyond what others may
};

std::span<const ProxiedRoute> proxied_routes();

// Whether what it does may make a search answer differently.
bool may_spoil_searches(const ProxiedRoute& route);

}  // namespace parley::gateway
