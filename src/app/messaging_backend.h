// MessagingBackend: the store of messaging that the settings ask for, with its log and what must be done about it:
// SQLite in DATA_DIR, or MongoDB where MONGODB_URI is set. Made on the main thread, before the loops run; destroyed
// after they have stopped.
#pragma once
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/settings.h"
#include "events/event_log.h"
#include "events/relay_lease.h"
#include "http/operations/operational_routes.h"
#include "messaging/messaging_scan.h"
#include "messaging/messaging_store.h"
#include "telemetry/metrics.h"

namespace parley::app {

class MessagingBackend {
 public:
  // Clock, random and metrics must outlive it. Waits for MongoDB, ENGINE_WAIT_SECONDS at most. fail: unavailable with
  // what is missing, or what the store's open() says.
  static Result<std::unique_ptr<MessagingBackend>> open(const Settings& settings, const Clock& clock, Random& random,
                                                        Metrics& metrics);
  virtual ~MessagingBackend() = default;

  virtual messaging::MessagingStore& store() = 0;
  virtual messaging::MessagingScan& scan() = 0;
  virtual events::EventLog& event_log() = 0;
  // See the stores' erase_deleted().
  virtual Task<Result<std::int64_t>> erase_deleted(std::int64_t limit, SteadyTime deadline) = 0;
  // Which process relays the log to others, so that one does.
  virtual std::unique_ptr<events::RelayLease> make_relay_lease() = 0;
  // Whether other processes share the log, so that nobody here knows who reads it.
  virtual bool is_shared() const = 0;
  // By the engines' names; none for the embedded store.
  virtual std::vector<http::HealthCheck> health_checks() = 0;
};

}  // namespace parley::app
