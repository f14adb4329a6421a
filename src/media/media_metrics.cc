#include "media/media_metrics.h"

namespace parley::media {

MediaMetrics::MediaMetrics(Metrics& metrics)
    : bytes_in_(metrics.counter("parley_media_received_bytes_total", "Bytes of files that came in.")),
      bytes_out_(metrics.counter("parley_media_sent_bytes_total", "Bytes of files that were sent.")),
      downloads_(metrics.counter("parley_media_downloads_total", "Answers that carry bytes of files.",
                                 {{"outcome", "complete"}})),
      cut_downloads_(
          metrics.counter("parley_media_downloads_total", "Answers that carry bytes of files.", {{"outcome", "cut"}})),
      receiving_(metrics.gauge("parley_media_uploads_receiving", "Requests that bring bytes of files.")),
      aborted_(metrics.counter("parley_media_uploads_aborted_total", "Uploads that were given up by their owner.")),
      taken_over_(metrics.counter("parley_media_upload_takeovers_total",
                                  "Requests that ended since a later one brings the same bytes.")),
      wrong_bytes_(metrics.counter("parley_media_checksum_failures_total",
                                   "Requests and uploads whose bytes were not those of their checksum.")),
      read_over_(metrics.counter("parley_media_read_over_bytes_total",
                                 "Bytes read again to verify uploads that did not come in order.")) {
  constexpr std::array<const char*, 3> kKinds{"whole", "chunked", "tus"};
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    stored_[i] = &metrics.counter("parley_media_files_stored_total", "Uploads that became files.", {{"by", kKinds[i]}});
  }
}

}  // namespace parley::media
