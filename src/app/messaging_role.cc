#include "app/messaging_role.h"

#include "app/redis_engine.h"
#include "auth/internal_token.h"
#include "messaging/messaging_service_factory.h"

namespace parley::app {

Result<std::unique_ptr<MessagingRole>> MessagingRole::open(const Settings& settings, const Clock& clock, Random& random,
                                                           Metrics& metrics) {
  std::unique_ptr<MessagingRole> role(new MessagingRole(settings, clock, metrics));
  auto store =
      messaging::SqliteMessagingStore::open({.folder = settings.serve.data_dir / "messaging",
                                             .reader_threads = settings.store.reader_threads,
                                             .writer_queue_limit = settings.store.writer_queue,
                                             .batch_limit = settings.store.max_batch,
                                             .max_wal_bytes = settings.store.max_wal_bytes,
                                             .max_members = static_cast<std::int64_t>(settings.messaging.max_members),
                                             .observer = &role->store_metrics_},
                                            clock, random);
  if (!store) return fail(std::move(store.error()));
  role->store_ = std::move(*store);
  const MetricLabels labels{{"role", "messaging"}};
  role->scraped_.push_back(
      metrics.gauge_from("parley_store_reads_queued", "Reads that wait for a thread", labels,
                         [store = role->store_.get()] { return static_cast<double>(store->reads_queued()); }));
  return role;
}

MessagingRole::MessagingRole(const Settings& settings, const Clock& clock, Metrics& metrics)
    : settings_(settings), clock_(clock), metrics_(metrics), store_metrics_(metrics, "messaging"), limiter_(clock) {}

MessagingRole::~MessagingRole() = default;

void MessagingRole::start_upkeep(EventLoop& loop) {
  // The embedded log is read in this process or nowhere, and search is what reads it. A search that comes later finds
  // the beginning of the log gone and indexes what the store holds.
  StoreUpkeep::Store store{"messaging", store_->event_log(), [this](std::int64_t limit, SteadyTime deadline) {
                             return store_->erase_deleted(limit, deadline);
                           }};
  upkeep_ =
      std::make_unique<StoreUpkeep>(loop, std::move(store), clock_, metrics_,
                                    StoreUpkeep::Settings{.consumers_expected = settings_.serve.has(Role::kSearch)});
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
  std::vector<http::HealthCheck> engines;
  if (redis_ != nullptr) engines.push_back(redis_->health_check());
  service_ = messaging::make_messaging_service(
      {.store = *store_,
       .scan = *store_,
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
