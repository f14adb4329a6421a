#include "media/media_metrics.h"

namespace parley::media {

MediaMetrics::MediaMetrics(Metrics& metrics)
    : bytes_in_(metrics.counter("parley_media_received_bytes_total", "Bytes of files that came in.")),
      bytes_out_(metrics.counter("parley_media_sent_bytes_total", "Bytes of files that were sent.")) {}

}  // namespace parley::media
