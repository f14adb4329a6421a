// MediaRole: media wired to the store that the settings ask for, and to its objects in a folder beside it or in S3.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/media_backend.h"
#include "app/media_objects.h"
#include "app/store_upkeep.h"
#include "base/clock.h"
#include "base/random.h"
#include "config/settings.h"
#include "events/consumer_runner.h"
#include "http/operations/operational_routes.h"
#include "http/service.h"
#include "http/upstream.h"
#include "media/content_type.h"
#include "media/deletion_teller.h"
#include "media/file_rights.h"
#include "media/media_metrics.h"
#include "media/sweeper.h"
#include "media/thumbnailer.h"
#include "media/upload_engine.h"
#include "media/url_signer.h"
#include "telemetry/metrics.h"

namespace parley::app {

class MediaRole {
 public:
  // Opens DATA_DIR/media and locks it, or waits for MongoDB. Clock, random, metrics and loops must outlive the role.
  static Result<std::unique_ptr<MediaRole>> open(const Settings& settings, const Clock& clock, Random& random,
                                                 Metrics& metrics, EventLoops& loops);

  using MakeMiddleware = std::function<std::vector<std::shared_ptr<http::Middleware>>(const std::vector<http::Route>&)>;
  ~MediaRole();
  // What media asks messaging over; without an upstream only owners read their files. Its health is
  // told with media's own, which does not need it.
  struct Messaging {
    std::shared_ptr<http::Upstream> upstream;
    std::function<std::string()> authorization;  // of a call that is made now; any loop
  };
  // `gateway` says where clients reach the gateway, for signed addresses; any loop.
  // Of an engine that /health shows too; before build_service().
  void show_health(http::HealthCheck check) { more_health_checks_.push_back(std::move(check)); }
  events::EventLog& event_log() { return backend_->event_log(); }
  std::unique_ptr<events::RelayLease> make_relay_lease() { return backend_->make_relay_lease(); }
  bool log_is_shared() const { return backend_->is_shared(); }
  void build_service(Messaging messaging, std::function<std::string()> gateway, const MakeMiddleware& make_middleware);
  http::Service& service() { return *service_; }

  // Any thread: answers that last end soon, for the server is about to stop.
  void end_streams() { uploads_->end_watching(); }
  // Before start(), once the loops run; blocks for so long at most. fail: unavailable, naming what is missing.
  Result<> wait_for_engine(EventLoop& loop, std::chrono::seconds longest);
  // On `loop`, which runs already; stop() there too, before the loops stop and once nobody asks the service any more.
  void start(EventLoop& loop);
  void stop(std::move_only_function<void()> on_stopped);

 private:
  MediaRole(const Settings& settings, const Clock& clock, Random& random, Metrics& metrics);
  media::UploadParts upload_parts();
  void make_thumbnailer();
  void export_queues();

  const Settings& settings_;
  const Clock& clock_;
  Random& random_;
  Metrics& metrics_;
  const WallTime began_at_;
  media::MediaMetrics media_metrics_;
  std::unique_ptr<MediaBackend> backend_;  // may have the lock of the folder: first
  std::unique_ptr<MediaObjects> objects_;
  std::unique_ptr<media::ContentTypeSniffer> sniffer_;
  std::unique_ptr<media::Thumbnailer> thumbnailer_;  // null: THUMBNAILS is off
  std::unique_ptr<media::UploadEngine> uploads_;
  std::vector<NamedSecret> signing_keys_;
  std::unique_ptr<media::UrlSigner> signer_;
  std::unique_ptr<media::AttachmentAccess> attachments_;
  std::unique_ptr<media::FileRights> rights_;
  std::unique_ptr<StoreUpkeep> upkeep_;
  std::unique_ptr<media::Sweeper> sweeper_;
  std::optional<media::DeletionTeller> teller_;  // none: there is no messaging anywhere
  std::optional<events::ConsumerRunner> runner_;
  std::vector<http::HealthCheck> more_health_checks_;
  std::unique_ptr<http::Service> service_;
  std::vector<Metrics::Scraped> scraped_;
};

}  // namespace parley::app
