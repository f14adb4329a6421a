#include "http/cors.h"

#include <algorithm>

namespace parley::http {

namespace {
constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr std::string_view kRequestFields =
    "Authorization, Content-Digest, Content-Disposition, Content-MD5, Content-Range, Content-Type, Digest, "
    "Idempotency-Key, If-Match, If-None-Match, If-Range, Range, Repr-Digest, Tus-Resumable, Upload-Checksum, "
    "Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, X-Checksum-SHA256, "
    "X-HTTP-Method-Override, X-Parley-User, X-Request-Id, traceparent";
constexpr std::string_view kAnswerFields =
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, "
    "Upload-Concat, Upload-Defer-Length, Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, X-Request-Id";

std::optional<std::string_view> origin_of(const Request& request) {
  return request.fields.find(FieldId::origin);
}

bool is_preflight(const Request& request) {
  return request.method == Method::kOptions && origin_of(request) &&
         request.fields.find(FieldId::access_control_request_method);
}
}  // namespace

Cors::Cors(std::vector<std::string> allowed_origins)
    : allowed_origins_(std::move(allowed_origins)),
      any_(std::find(allowed_origins_.begin(), allowed_origins_.end(), "*") != allowed_origins_.end()) {}

Middleware::Verdict Cors::before(Exchange& exchange) {
  if (allowed_origins_.empty() || !is_preflight(exchange.request)) return {};
  Response response;
  response.status = 204;
  // after() adds the origin; one that is not allowed gets a 204 that says nothing, which the browser takes as a no.
  if (allows(*origin_of(exchange.request))) {
    response.headers.add("Access-Control-Allow-Methods", kMethods);
    response.headers.add("Access-Control-Allow-Headers", kRequestFields);
    response.headers.add("Access-Control-Max-Age", "600");
  }
  return response;
}

void Cors::after(Exchange& exchange, Response& response) {
  if (allowed_origins_.empty()) return;
  if (admit(exchange.request, response) && !is_preflight(exchange.request)) {
    response.headers.add("Access-Control-Expose-Headers", kAnswerFields);
  }
}

bool Cors::allows(std::string_view origin) const {
  return any_ || std::find(allowed_origins_.begin(), allowed_origins_.end(), origin) != allowed_origins_.end();
}

bool Cors::admit(const Request& request, Response& response) const {
  // An answer depends on the origin even where there is none: a cache must not give it to another.
  if (!any_) response.headers.add("Vary", "Origin");
  const auto origin = origin_of(request);
  if (!origin || !allows(*origin)) return false;
  response.headers.add("Access-Control-Allow-Origin", any_ ? "*" : *origin);
  return true;
}

}  // namespace parley::http
