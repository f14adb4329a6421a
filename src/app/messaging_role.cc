#include "app/messaging_role.h"

#include <algorithm>
#include <iterator>

#include "app/redis_engine.h"
#include "auth/internal_token.h"
#include "messaging/messaging_service_factory.h"

namespace parley::app {

Result<std::unique_ptr<MessagingRole>> MessagingRole::open(const Settings& settings, const Clock& clock, Random& random,
                                                           Metrics& metrics) {
  std::unique_ptr<MessagingRole> role(new MessagingRole(settings, clock, metrics));
  auto backend = MessagingBackend::open(settings, clock, random, metrics);
  if (!backend) return fail(std::move(backend.error()));
  role->backend_ = std::move(*backend);
  return role;
}

MessagingRole::MessagingRole(const Settings& settings, const Clock& clock, Metrics& metrics)
    : settings_(settings), clock_(clock), metrics_(metrics), limiter_(clock) {}

MessagingRole::~MessagingRole() = default;

void MessagingRole::start_upkeep(EventLoop& loop) {
  // The embedded log is read in this process or nowhere: by search, or by the relay to Kafka. A reader that comes later
  // finds the beginning of the log gone, and search indexes what the store holds. A log that is shared others may read.
  StoreUpkeep::Store store{"messaging", backend_->event_log(), [this](std::int64_t limit, SteadyTime deadline) {
                             return backend_->erase_deleted(limit, deadline);
                           }};
  const bool consumers_expected =
      settings_.serve.has(Role::kSearch) || !settings_.kafka.brokers.empty() || backend_->is_shared();
  upkeep_ = std::make_unique<StoreUpkeep>(loop, std::move(store), clock_, metrics_,
                                          StoreUpkeep::Settings{.consumers_expected = consumers_expected});
  upkeep_->start();
}

void MessagingRole::stop_upkeep(std::move_only_function<void()> on_stopped) {
  upkeep_->close(std::move(on_stopped));
}

void MessagingRole::ask_for_files(std::shared_ptr<http::Upstream> media, const Secret& internal_key) {
  media_ = std::move(media);
  files_ = std::make_unique<messaging::MediaClient>(
      *media_, [this, &internal_key] { return auth::internal_authorization(internal_key, "media", clock_); }, clock_);
}

void MessagingRole::build_service(const MakeMiddleware& make_middleware) {
  std::vector<http::HealthCheck> engines = backend_->health_checks();
  std::ranges::move(more_health_checks_, std::back_inserter(engines));
  if (redis_ != nullptr) engines.push_back(redis_->health_check());
  service_ = messaging::make_messaging_service(
      {.store = backend_->store(),
       .scan = backend_->scan(),
       .log = backend_->event_log(),
       .files = files_.get(),
       .limiter = redis_ != nullptr ? redis_->limiter() : limiter_,
       .message_rule = {.limit = static_cast<std::uint32_t>(settings_.rate_limit.messages_per_minute)},
       .service_message_rule = {.limit = static_cast<std::uint32_t>(settings_.rate_limit.service_messages_per_minute)},
       .clock = clock_,
       .metrics = metrics_,
       .middleware = make_middleware,
       .more_health_checks = std::move(engines),
       .loops = settings_.serve.threads,
       .max_body_bytes = settings_.http.max_body_bytes});
}

}  // namespace parley::app
