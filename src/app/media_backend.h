// MediaBackend: the store of media that the settings ask for, with its log: SQLite in DATA_DIR, or MongoDB where
// MONGODB_URI is set. Made on the main thread, before the loops run; destroyed after they have stopped.
#pragma once
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/settings.h"
#include "events/event_log.h"
#include "events/relay_lease.h"
#include "http/operations/operational_routes.h"
#include "media/media_store.h"
#include "telemetry/metrics.h"

namespace parley::app {

class MediaBackend {
 public:
  // Clock, random and metrics must outlive it. Waits for MongoDB, ENGINE_WAIT_SECONDS at most. fail: unavailable with
  // what is missing, or what the store's open() says.
  static Result<std::unique_ptr<MediaBackend>> open(const Settings& settings, const Clock& clock, Random& random,
                                                    Metrics& metrics);
  virtual ~MediaBackend() = default;

  virtual media::MediaStore& store() = 0;
  virtual events::EventLog& event_log() = 0;
  // Which process relays the log to others, so that one does.
  virtual std::unique_ptr<events::RelayLease> make_relay_lease() = 0;
  // Whether other processes share the store, so that an upload that is not ours may be under way in one of them.
  virtual bool is_shared() const = 0;
  // By the engines' names; none for the embedded store.
  virtual std::vector<http::HealthCheck> health_checks() = 0;
};

}  // namespace parley::app
