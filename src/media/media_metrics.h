// MediaMetrics: what the media role tells of itself. One per role; the series may be set from any thread.
#pragma once
#include <cstdint>
#include <string_view>

#include "telemetry/metrics.h"

namespace parley::media {

class MediaMetrics {
 public:
  explicit MediaMetrics(Metrics& metrics);

  void received(std::uint64_t bytes) { bytes_in_.Increment(static_cast<double>(bytes)); }
  void sent(std::uint64_t bytes) { bytes_out_.Increment(static_cast<double>(bytes)); }

 private:
  Counter& bytes_in_;
  Counter& bytes_out_;
};

}  // namespace parley::media
