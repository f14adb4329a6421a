// MediaObjects: where the bytes of files are, as the settings say: a folder of DATA_DIR, or a bucket of S3. Opened
// before the loops run or after; used on them; destroyed once they have stopped.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "config/settings.h"
#include "media/blob_store.h"
#include "telemetry/metrics.h"

namespace parley::app {

class MediaObjects {
 public:
  virtual ~MediaObjects() = default;
  // Loops, clock and random must outlive it. fail: a sentence for the operator.
  static Result<std::unique_ptr<MediaObjects>> open(const Settings& settings, EventLoops& loops, const Clock& clock,
                                                    Random& random);

  virtual media::BlobStore& store() = 0;
  // As /health calls it.
  virtual std::string_view name() const = 0;
  // Metrics that are read while the answer is kept.
  virtual std::vector<Metrics::Scraped> export_metrics(Metrics& metrics) = 0;
  // Before start(), while `loop` runs; blocks for so long at most. fail: a sentence for the operator.
  virtual Result<> wait_until_ready(EventLoop& loop, std::chrono::seconds longest) = 0;
  // On `loop`, which runs: begins what is to be done now and then. stop() there, too, once nobody uses the store any
  // more, whether it was started or not.
  virtual void start(EventLoop& loop) = 0;
  virtual void stop(std::move_only_function<void()> stopped) = 0;
};

// For commands: stops it and waits. Not on a loop.
void stop_and_wait(MediaObjects& objects, EventLoop& loop);

}  // namespace parley::app
