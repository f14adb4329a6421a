#include "app/media_backend.h"

#include "app/engine_wait.h"
#include "app/mongo_engine.h"
#include "app/store_metrics.h"
#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "media/stores/mongo_media_store.h"
#include "media/stores/sqlite_blob_records.h"
#include "media/stores/sqlite_media_store.h"

namespace parley::app {

namespace {

constexpr const char* kRole = "media";

media::QuotaLimits quotas(const MediaSettings& settings) {
  return {.per_user = settings.quota_per_user_mb * MediaSettings::kMiB,
          .per_tenant = settings.quota_per_tenant_mb * MediaSettings::kMiB,
          .uploads_per_user = settings.max_uploads_per_user};
}

template <class Store>
Metrics::Scraped export_reads_queued(Metrics& metrics, const Store& store) {
  return metrics.gauge_from("parley_store_reads_queued", "Reads that wait for a thread", {{"role", kRole}},
                            [&store] { return static_cast<double>(store.reads_queued()); });
}

constexpr std::size_t kComparedAtOnce = 200;
constexpr std::chrono::minutes kComparison{1};

// The files of an embedded store in the folder that `records` does not know, of which it knows none: otherwise 0.
Task<Result<std::size_t>> count_left_behind(media::BlobRecords& left, media::BlobRecords& records,
                                            SteadyTime deadline) {
  std::size_t files = 0;
  std::optional<FileId> after;
  for (bool more = true; more;) {
    auto page = co_await left.scan_blobs(after, kComparedAtOnce, deadline);
    if (!page) co_return fail(std::move(page.error()));
    std::vector<FileId> ids;
    for (const media::KnownBlob& blob : page->items) {
      if (blob.sealed && !blob.deleted) ids.push_back(blob.id);
    }
    if (!page->items.empty()) after = page->items.back().id;
    more = page->has_more;
    files += ids.size();
    if (ids.empty()) continue;
    const auto known = co_await records.find_blobs(std::move(ids), deadline);
    if (!known) co_return fail(known.error());
    if (!known->empty()) co_return 0;
  }
  co_return files;
}

// MONGODB_URI on a folder that was served without it: its files would be gone from every answer, and the sweeper would
// take their bytes, here or in S3, for nobody's. What was moved to MongoDB is known there by the same ids.
Result<> expect_nothing_left_behind(const std::filesystem::path& folder, media::BlobRecords& records,
                                    const Clock& clock) {
  std::error_code error;
  if (!std::filesystem::exists(folder / media::kMediaDatabase, error)) return {};
  auto left = media::SqliteBlobRecords::open(folder, clock);
  if (!left) return fail(std::move(left.error()));
  EventLoops loops(1);
  loops.start();
  const auto files = run_on_loop(loops.at(0), count_left_behind(**left, records, clock.steady_now() + kComparison));
  loops.stop();
  if (!files) return fail(files.error());
  if (*files == 0) return {};
  return fail(ErrorKind::kConflict, "files_left_behind",
              folder.string() + " holds " + std::to_string(*files) +
                  " files of which MongoDB (MONGODB_URI) knows none: move them there with `parley migrate`, unset "
                  "MONGODB_URI to serve them, or put that folder away to do without them.");
}

class EmbeddedBackend final : public MediaBackend {
 public:
  static Result<std::unique_ptr<MediaBackend>> open(const Settings& settings, const Clock& clock, Random& random,
                                                    Metrics& metrics) {
    auto made = std::unique_ptr<EmbeddedBackend>(new EmbeddedBackend(metrics));
    auto store = media::SqliteMediaStore::open({.folder = settings.serve.data_dir / "media",
                                                .limits = quotas(settings.media),
                                                .reader_threads = settings.store.reader_threads,
                                                .writer_queue_limit = settings.store.writer_queue,
                                                .batch_limit = settings.store.max_batch,
                                                .max_wal_bytes = settings.store.max_wal_bytes,
                                                .observer = &made->store_metrics_},
                                               clock, random);
    if (!store) return fail(std::move(store.error()));
    made->store_ = std::move(*store);
    made->scraped_.push_back(export_reads_queued(metrics, *made->store_));
    return made;
  }
  media::MediaStore& store() override { return *store_; }
  events::EventLog& event_log() override { return store_->event_log(); }
  std::unique_ptr<events::RelayLease> make_relay_lease() override { return std::make_unique<events::OnlyRelay>(); }
  bool is_shared() const override { return false; }
  std::vector<http::HealthCheck> health_checks() override { return {}; }

 private:
  explicit EmbeddedBackend(Metrics& metrics) : store_metrics_(metrics, kRole) {}

  StoreMetrics store_metrics_;
  std::unique_ptr<media::SqliteMediaStore> store_;
  std::vector<Metrics::Scraped> scraped_;
};

class MongoBackend final : public MediaBackend {
 public:
  static Result<std::unique_ptr<MediaBackend>> open(const Settings& settings, const Clock& clock, Random& random,
                                                    Metrics& metrics) {
    auto made = std::unique_ptr<MongoBackend>(new MongoBackend(metrics, make_uuid_v7(clock.wall_now(), random)));
    const MongoThreads threads = mongo_threads(settings.mongodb);
    const media::MongoMediaStore::Options options{.connection = mongo_connection(settings.mongodb),
                                                  .limits = quotas(settings.media),
                                                  .reader_threads = threads.readers,
                                                  .writer_lanes = threads.writers,
                                                  .writer_queue_limit = settings.store.writer_queue,
                                                  .batch_limit = settings.store.max_batch,
                                                  .observer = &made->store_metrics_};
    auto store = wait_for_engine("MongoDB (MONGODB_URI)", settings.engines.wait,
                                 [&] { return media::MongoMediaStore::open(options, clock, random); });
    if (!store) return fail(std::move(store.error()));
    made->store_ = std::move(*store);
    if (auto well = expect_nothing_left_behind(settings.serve.data_dir / "media", *made->store_, clock); !well) {
      return fail(std::move(well.error()));
    }
    made->scraped_.push_back(export_reads_queued(metrics, *made->store_));
    return made;
  }
  media::MediaStore& store() override { return *store_; }
  events::EventLog& event_log() override { return store_->event_log(); }
  std::unique_ptr<events::RelayLease> make_relay_lease() override { return store_->make_relay_lease(process_); }
  bool is_shared() const override { return true; }
  std::vector<http::HealthCheck> health_checks() override {
    return {{"mongodb", true, [this](SteadyTime deadline) { return store_->ping(deadline); }}};
  }

 private:
  MongoBackend(Metrics& metrics, std::string process) : process_(std::move(process)), store_metrics_(metrics, kRole) {}

  const std::string process_;  // this one's name among those that share the log
  MongoStoreMetrics store_metrics_;
  std::unique_ptr<media::MongoMediaStore> store_;
  std::vector<Metrics::Scraped> scraped_;
};

}  // namespace

Result<std::unique_ptr<MediaBackend>> MediaBackend::open(const Settings& settings, const Clock& clock, Random& random,
                                                         Metrics& metrics) {
  if (settings.mongodb.uri.empty()) return EmbeddedBackend::open(settings, clock, random, metrics);
  return MongoBackend::open(settings, clock, random, metrics);
}

}  // namespace parley::app
