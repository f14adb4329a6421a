#include "http/problem.h"

#include <boost/json.hpp>

#include "http/upstream.h"

namespace parley::http {

namespace json = boost::json;

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return 400;
    case ErrorKind::kUnauthenticated:
      return 401;
    case ErrorKind::kForbidden:
      return 403;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kMethodNotAllowed:
      return 405;
    case ErrorKind::kRequestTimeout:
      return 408;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kGone:
      return 410;
    case ErrorKind::kPreconditionFailed:
      return 412;
    case ErrorKind::kTooLarge:
      return 413;
    case ErrorKind::kUnsupportedMediaType:
      return 415;
    case ErrorKind::kRangeNotSatisfiable:
      return 416;
    case ErrorKind::kRateLimited:
      return 429;
    case ErrorKind::kHeadersTooLarge:
      return 431;
    case ErrorKind::kChecksumMismatch:
      return 460;
    case ErrorKind::kInternal:
      return 500;
    case ErrorKind::kUnavailable:
      return 503;
    case ErrorKind::kTimeout:
      return 504;
    case ErrorKind::kNoRoom:
      return 507;
  }
  return 500;
}

Response problem_response(const Error& error, std::string_view request_id,
                          std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  const int status = status_of(error.kind);
  const bool internal = error.kind == ErrorKind::kInternal;
  const std::string_view title = reason_phrase(status);
  json::object problem;
  problem["type"] = "about:blank";
  problem["title"] = json::string_view(title.data(), title.size());
  problem["status"] = status;
  problem["detail"] =
      internal ? "Something went wrong on our side; the operator finds it by the request id." : error.detail;
  problem["code"] = internal ? "internal_error" : error.code;
  problem["request_id"] = json::string_view(request_id.data(), request_id.size());
  if (!error.fields.empty()) {
    json::array fields;
    for (const FieldError& field : error.fields) fields.push_back({{"path", field.path}, {"message", field.message}});
    problem["errors"] = std::move(fields);
  }
  for (const auto& [name, value] : members) {
    problem[json::string_view(name.data(), name.size())] = json::string_view(value.data(), value.size());
  }
  Response response = text_response(status, "application/problem+json", json::serialize(problem));
  // Every 503 and 504 says when to come back, whoever made the error.
  const bool passing = error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout;
  if (error.retry_after || passing) {
    const auto wait = error.retry_after.value_or(std::chrono::seconds(1));
    response.headers.add("Retry-After", std::to_string(wait.count()));
  }
  if (error.role_is_well && status >= 500) response.headers.add(kRoleIsWell, "true");
  return response;
}

}  // namespace parley::http
