#include "app/messaging_backend.h"

#include "app/engine_wait.h"
#include "app/mongo_engine.h"
#include "app/store_metrics.h"
#include "messaging/stores/mongo_messaging_store.h"
#include "messaging/stores/sqlite_messaging_store.h"

namespace parley::app {

namespace {

constexpr const char* kRole = "messaging";

template <class Store>
Metrics::Scraped export_reads_queued(Metrics& metrics, const Store& store) {
  return metrics.gauge_from("parley_store_reads_queued", "Reads that wait for a thread", {{"role", kRole}},
                            [&store] { return static_cast<double>(store.reads_queued()); });
}

class EmbeddedBackend final : public MessagingBackend {
 public:
  static Result<std::unique_ptr<MessagingBackend>> open(const Settings& settings, const Clock& clock, Random& random,
                                                        Metrics& metrics) {
    auto made = std::unique_ptr<EmbeddedBackend>(new EmbeddedBackend(metrics));
    auto store =
        messaging::SqliteMessagingStore::open({.folder = settings.serve.data_dir / "messaging",
                                               .reader_threads = settings.store.reader_threads,
                                               .writer_queue_limit = settings.store.writer_queue,
                                               .batch_limit = settings.store.max_batch,
                                               .max_wal_bytes = settings.store.max_wal_bytes,
                                               .max_members = static_cast<std::int64_t>(settings.messaging.max_members),
                                               .observer = &made->store_metrics_},
                                              clock, random);
    if (!store) return fail(std::move(store.error()));
    made->store_ = std::move(*store);
    made->scraped_.push_back(export_reads_queued(metrics, *made->store_));
    return made;
  }
  messaging::MessagingStore& store() override { return *store_; }
  messaging::MessagingScan& scan() override { return *store_; }
  events::EventLog& event_log() override { return store_->event_log(); }
  Task<Result<std::int64_t>> erase_deleted(std::int64_t limit, SteadyTime deadline) override {
    return store_->erase_deleted(limit, deadline);
  }
  std::unique_ptr<events::RelayLease> make_relay_lease() override { return std::make_unique<events::OnlyRelay>(); }
  bool is_shared() const override { return false; }
  std::vector<http::HealthCheck> health_checks() override { return {}; }

 private:
  explicit EmbeddedBackend(Metrics& metrics) : store_metrics_(metrics, kRole) {}

  StoreMetrics store_metrics_;
  std::unique_ptr<messaging::SqliteMessagingStore> store_;
  std::vector<Metrics::Scraped> scraped_;
};

class MongoBackend final : public MessagingBackend {
 public:
  static Result<std::unique_ptr<MessagingBackend>> open(const Settings& settings, const Clock& clock, Random& random,
                                                        Metrics& metrics) {
    auto made = std::unique_ptr<MongoBackend>(new MongoBackend(metrics, make_uuid_v7(clock.wall_now(), random)));
    const MongoThreads threads = mongo_threads(settings.mongodb);
    const messaging::MongoMessagingStore::Options options{
        .connection = mongo_connection(settings.mongodb),
        .reader_threads = threads.readers,
        .writer_lanes = threads.writers,
        .writer_queue_limit = settings.store.writer_queue,
        .batch_limit = settings.store.max_batch,
        .max_members = static_cast<std::int64_t>(settings.messaging.max_members),
        .observer = &made->store_metrics_};
    auto store = wait_for_engine("MongoDB (MONGODB_URI)", settings.engines.wait,
                                 [&] { return messaging::MongoMessagingStore::open(options, clock, random); });
    if (!store) return fail(std::move(store.error()));
    made->store_ = std::move(*store);
    made->scraped_.push_back(export_reads_queued(metrics, *made->store_));
    return made;
  }
  messaging::MessagingStore& store() override { return *store_; }
  messaging::MessagingScan& scan() override { return *store_; }
  events::EventLog& event_log() override { return store_->event_log(); }
  Task<Result<std::int64_t>> erase_deleted(std::int64_t limit, SteadyTime deadline) override {
    return store_->erase_deleted(limit, deadline);
  }
  std::unique_ptr<events::RelayLease> make_relay_lease() override { return store_->make_relay_lease(process_); }
  bool is_shared() const override { return true; }
  std::vector<http::HealthCheck> health_checks() override {
    return {{"mongodb", true, [this](SteadyTime deadline) { return store_->ping(deadline); }}};
  }

 private:
  MongoBackend(Metrics& metrics, std::string process) : process_(std::move(process)), store_metrics_(metrics, kRole) {}

  const std::string process_;  // this one's name among those that share the log
  MongoStoreMetrics store_metrics_;
  std::unique_ptr<messaging::MongoMessagingStore> store_;
  std::vector<Metrics::Scraped> scraped_;
};

}  // namespace

Result<std::unique_ptr<MessagingBackend>> MessagingBackend::open(const Settings& settings, const Clock& clock,
                                                                 Random& random, Metrics& metrics) {
  if (settings.mongodb.uri.empty()) return EmbeddedBackend::open(settings, clock, random, metrics);
  return MongoBackend::open(settings, clock, random, metrics);
}

}  // namespace parley::app
