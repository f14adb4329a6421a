#include "app/media_role.h"

#include "http/upstream_question.h"
#include "media/media_service_factory.h"
#include "media/upstream_attachment_access.h"
#include "telemetry/log.h"

namespace parley::app {

namespace {

constexpr std::size_t kMostHealthBytes = 64 * 1024;

// As configured, or that of the data folder.
Result<std::vector<NamedSecret>> signing_keys(const Settings& settings, Random& random) {
  if (settings.media.signing_keys.empty()) {
    return media::UrlSigner::load_or_create_keys(settings.serve.data_dir, random);
  }
  auto keys = parse_named_secrets(settings.media.signing_keys.reveal());
  if (!keys) return fail(ErrorKind::kInvalid, "bad_signing_keys", "SIGNING_KEYS: " + keys.error() + ".");
  return std::move(*keys);
}

// Whether that role answers at all. Not its /health: that may ask us back.
Task<Result<>> ask_for_life(http::Upstream& role, SteadyTime deadline) {
  const auto answer =
      co_await http::ask(role, {http::Method::kGet, "/health/live", {}, {}}, deadline, kMostHealthBytes);
  if (!answer) co_return fail(answer.error());
  if (answer->status != 200) co_return unavailable("unavailable", "It does not answer as it should.");
  co_return Result<>();
}

}  // namespace

Result<std::unique_ptr<MediaRole>> MediaRole::open(const Settings& settings, const Clock& clock, Random& random,
                                                   Metrics& metrics, EventLoops& loops) {
  std::unique_ptr<MediaRole> role(new MediaRole(settings, clock, random, metrics));
  auto backend = MediaBackend::open(settings, clock, random, metrics);
  if (!backend) return fail(std::move(backend.error()));
  role->backend_ = std::move(*backend);
  auto objects = MediaObjects::open(settings, loops, clock, random);
  if (!objects) return fail(std::move(objects.error()));
  role->objects_ = std::move(*objects);
  if (role->backend_->is_shared() && settings.s3.endpoint.empty()) {
    log_warn("the bytes of files are in a folder that other instances do not see", {{"hint", "set S3_ENDPOINT"}});
  }
  auto sniffer = media::ContentTypeSniffer::open();
  if (!sniffer) return fail(std::move(sniffer.error()));
  role->sniffer_ = std::move(*sniffer);
  role->uploads_ = std::make_unique<media::UploadEngine>(role->upload_parts());
  auto keys = signing_keys(settings, random);
  if (!keys) return fail(std::move(keys.error()));
  role->signing_keys_ = std::move(*keys);
  if (settings.media.thumbnails == "on") role->make_thumbnailer();
  role->export_queues();
  return role;
}

MediaRole::MediaRole(const Settings& settings, const Clock& clock, Random& random, Metrics& metrics)
    : settings_(settings),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      began_at_(clock.wall_now()),
      media_metrics_(metrics) {}

MediaRole::~MediaRole() = default;

media::UploadParts MediaRole::upload_parts() {
  return {.store = backend_->store(),
          .blobs = objects_->store(),
          .sniffer = *sniffer_,
          .metrics = media_metrics_,
          .clock = clock_,
          .random = random_,
          .limits = {.max_file_bytes = settings_.media.max_file_bytes(),
                     .chunk_bytes = settings_.media.chunk_bytes(),
                     .expiry = settings_.media.upload_expiry}};
}

// The child is this program again, whatever has become of its file since.
void MediaRole::make_thumbnailer() {
  media::Thumbnailer::Settings settings;
  settings.program.command = {"/proc/self/exe", "thumbnail", "--max-megapixels",
                              std::to_string(settings_.media.max_image_megapixels), "--type"};
  thumbnailer_ =
      std::make_unique<media::Thumbnailer>(backend_->store(), objects_->store(), clock_, metrics_, std::move(settings));
  uploads_->on_stored([thumbnailer = thumbnailer_.get()](const media::File& file) { thumbnailer->take(file); });
}

void MediaRole::export_queues() {
  for (Metrics::Scraped& each : objects_->export_metrics(metrics_)) scraped_.push_back(std::move(each));
  scraped_.push_back(metrics_.gauge_from("parley_media_uploads_verifying", "Uploads that are read over, or wait for it",
                                         {}, [this] { return static_cast<double>(uploads_->verifying()); }));
}

Result<> MediaRole::wait_for_engine(EventLoop& loop, std::chrono::seconds longest) {
  return objects_->wait_until_ready(loop, longest);
}

void MediaRole::start(EventLoop& loop) {
  if (teller_) {
    runner_.emplace(loop, backend_->event_log(), *teller_, clock_, events::ConsumerRunner::Options{});
    runner_->start();
  }
  upkeep_ = std::make_unique<StoreUpkeep>(
      loop, StoreUpkeep::Store{"media", backend_->event_log(), nullptr}, clock_, metrics_,
      StoreUpkeep::Settings{.consumers_expected = teller_.has_value() || !settings_.kafka.brokers.empty()});
  upkeep_->start();
  sweeper_ = std::make_unique<media::Sweeper>(
      loop, backend_->store(), objects_->store(), clock_, random_, metrics_,
      media::Sweeper::Settings{.deleted_files_kept = settings_.media.deleted_files_kept,
                               .process_began = began_at_,
                               .shared = backend_->is_shared()});
  sweeper_->on_whole = [this](media::Upload upload) { uploads_->take_up(std::move(upload)); };
  uploads_->start(loop);
  sweeper_->start();
  if (thumbnailer_) thumbnailer_->start(loop);
  objects_->start(loop);
}

void MediaRole::stop(std::move_only_function<void()> on_stopped) {
  auto left = std::make_shared<int>(3 + (thumbnailer_ ? 1 : 0) + (runner_ ? 1 : 0));
  // The objects last, once nobody uses them.
  auto last = std::make_shared<std::move_only_function<void()>>(
      [this, stopped = std::move(on_stopped)]() mutable { objects_->stop(std::move(stopped)); });
  const auto one_ended = [left, last] {
    if (--*left == 0) (*last)();
  };
  if (runner_) runner_->stop(one_ended);
  upkeep_->close(one_ended);
  sweeper_->close(one_ended);
  uploads_->stop(one_ended);
  if (thumbnailer_) thumbnailer_->close(one_ended);
}

void MediaRole::build_service(Messaging messaging, std::function<std::string()> gateway,
                              const MakeMiddleware& make_middleware) {
  signer_ = std::make_unique<media::UrlSigner>(signing_keys_, std::move(gateway));
  std::vector<http::HealthCheck> more_checks = std::move(more_health_checks_);
  for (http::HealthCheck& each : backend_->health_checks()) more_checks.push_back(std::move(each));
  if (messaging.upstream) {
    more_checks.push_back({"messaging", false, [upstream = messaging.upstream](SteadyTime deadline) {
                             return ask_for_life(*upstream, deadline);
                           }});
    teller_.emplace(messaging.upstream, messaging.authorization);
    attachments_ = std::make_unique<media::UpstreamAttachmentAccess>(std::move(messaging.upstream),
                                                                     std::move(messaging.authorization), clock_);
  }
  rights_ = std::make_unique<media::FileRights>(backend_->store(), attachments_.get());
  service_ = media::make_media_service({.media = {.store = backend_->store(),
                                                  .blobs = objects_->store(),
                                                  .uploads = *uploads_,
                                                  .rights = *rights_,
                                                  .signer = *signer_,
                                                  .signed_url_life = settings_.media.signed_url_life,
                                                  .metrics = media_metrics_,
                                                  .clock = clock_},
                                        .metrics = metrics_,
                                        .middleware = make_middleware,
                                        .objects_name = std::string(objects_->name()),
                                        .more_health_checks = std::move(more_checks),
                                        .max_body_bytes = settings_.http.max_body_bytes});
}

}  // namespace parley::app
