// The media role, ready to be served: its routes over a store and its objects, behind the middleware that app/ chose.
// Made once at start, before the loops run; called on every loop. What the dependencies refer to must outlive it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "http/openapi/contract.h"
#include "http/operations/operational_routes.h"
#include "http/service.h"
#include "media/handlers.h"
#include "telemetry/metrics.h"

namespace parley::media {

struct MediaDependencies {
  Media media;
  Metrics& metrics;
  // Gives the middleware, first to last, for the role's table of routes (which labels of metrics are made from). One of
  // them sets Exchange::caller; where none does, every route that asks a token is 401.
  std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>& routes)> middleware;
  // Beside those of store and objects, which are always asked.
  std::string objects_name = "objects";  // in /health
  std::vector<http::HealthCheck> more_health_checks;
  std::uint64_t max_body_bytes = UINT64_MAX;  // HTTP_MAX_BODY_BYTES, of bodies that are read whole
};

// The contract that the build embeds. It is compiled at each call: keep it. CHECK-fails if it is faulty, with the
// reason on stderr.
std::shared_ptr<const http::openapi::Contract> media_contract(std::uint64_t max_body_bytes = UINT64_MAX);

std::unique_ptr<http::Service> make_media_service(MediaDependencies dependencies);

}  // namespace parley::media
