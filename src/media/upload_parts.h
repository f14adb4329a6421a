// What uploads are made with, and how much of it: shared by the parts of UploadEngine. Plain references and values; all
// of it outlives the engine.
#pragma once
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"
#include "media/blob_store.h"
#include "media/content_type.h"
#include "media/media_metrics.h"
#include "media/media_store.h"

namespace parley::media {

struct UploadLimits {
  std::uint64_t max_file_bytes = 1 << 30;
  std::uint64_t chunk_bytes = 8 << 20;
  std::chrono::milliseconds expiry{std::chrono::hours(24)};
  // A request that brings much syncs and records what came after so many bytes, but no sooner than the pause allows (a
  // sync stops the sender meanwhile), and after so long whatever came: that is what may be lost with the process.
  std::uint64_t checkpoint_bytes = 64 << 20;
  std::chrono::milliseconds checkpoint_pause{1'000};
  std::chrono::milliseconds checkpoint_every{std::chrono::minutes(5)};
  std::chrono::milliseconds step_timeout{30'000};     // of one question to the store, one write
  std::chrono::milliseconds sync_timeout{120'000};    // of what waits for the disk to have it all
  std::chrono::milliseconds takeover_timeout{4'000};  // for the request before to let go
  std::chrono::milliseconds patience{10'000};         // for bytes to be read over; then 202
  std::size_t read_over_at_once = 2;                  // uploads
  std::size_t read_over_queue = 1'000;                // that wait for it
};

struct UploadParts {
  MediaStore& store;
  BlobStore& blobs;
  ContentTypeSniffer& sniffer;
  MediaMetrics& metrics;
  const Clock& clock;
  Random& random;
  UploadLimits limits;

  SteadyTime step_deadline() const { return clock.steady_now() + limits.step_timeout; }
  SteadyTime sync_deadline() const { return clock.steady_now() + limits.sync_timeout; }
  WallTime expiry_from_now() const { return clock.wall_now() + limits.expiry; }
};

}  // namespace parley::media
