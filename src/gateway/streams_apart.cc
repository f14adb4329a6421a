#include "gateway/streams_apart.h"

namespace parley::gateway {

bool lasts_as_its_reader(const http::Request& request) {
  if (request.method != http::Method::kGet) return false;
  return request.path.starts_with("/download/") || request.path.starts_with("/stream/") ||
         (request.path.starts_with("/upload/") && request.path.ends_with("/progress"));
}

}  // namespace parley::gateway
