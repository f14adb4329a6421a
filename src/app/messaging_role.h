// MessagingRole: messaging wired to the store that the settings ask for.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "app/messaging_backend.h"
#include "app/store_upkeep.h"
#include "base/clock.h"
#include "base/random.h"
#include "config/settings.h"
#include "http/operations/operational_routes.h"
#include "http/service.h"
#include "http/upstream.h"
#include "messaging/media_client.h"
#include "rate_limit/memory_rate_limiter.h"
#include "telemetry/metrics.h"

namespace parley::app {

class RedisEngine;

class MessagingRole {
 public:
  // Opens DATA_DIR/messaging and locks it, or waits for MongoDB. Clock, random and metrics must outlive the role.
  static Result<std::unique_ptr<MessagingRole>> open(const Settings& settings, const Clock& clock, Random& random,
                                                     Metrics& metrics);

  using MakeMiddleware = std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>&)>;
  ~MessagingRole();
  // From here on messages attach files that `media` tells of; to be said before the service is built. The key must
  // outlive the role.
  void ask_for_files(std::shared_ptr<http::Upstream> media, const Secret& internal_key);
  // Likewise: limits are counted by the engine's limiter, for all processes.
  void share_limits(RedisEngine& redis) { redis_ = &redis; }
  // Of an engine that /health shows too; before build_service().
  void show_health(http::HealthCheck check) { more_health_checks_.push_back(std::move(check)); }
  void build_service(const MakeMiddleware& make_middleware);
  http::Service& service() { return *service_; }
  events::EventLog& event_log() { return backend_->event_log(); }
  // Of that log: which process relays it, and whether others have it too.
  std::unique_ptr<events::RelayLease> make_relay_lease() { return backend_->make_relay_lease(); }
  bool log_is_shared() const { return backend_->is_shared(); }

  // On `loop`, which runs already; stop_upkeep() there too, before the loops stop.
  void start_upkeep(EventLoop& loop);
  void stop_upkeep(std::move_only_function<void()> on_stopped);

 private:
  MessagingRole(const Settings& settings, const Clock& clock, Metrics& metrics);

  const Settings& settings_;
  const Clock& clock_;
  Metrics& metrics_;
  MemoryRateLimiter limiter_;
  RedisEngine* redis_ = nullptr;  // null: limits are this process's own
  std::unique_ptr<MessagingBackend> backend_;
  std::unique_ptr<StoreUpkeep> upkeep_;
  std::shared_ptr<http::Upstream> media_;  // null: there is none anywhere
  std::unique_ptr<messaging::MediaClient> files_;
  std::vector<http::HealthCheck> more_health_checks_;
  std::unique_ptr<http::Service> service_;
};

}  // namespace parley::app
