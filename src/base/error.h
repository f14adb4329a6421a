// What went wrong, in terms that every layer shares. An Error is made where the fault is known (service, store, client)
// and turned into HTTP in one file (http/problem.cc). `detail` may be shown to any caller: no internal names, no
// content of others, no secrets.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace parley {

enum class ErrorKind {
  kInvalid,               // 400: the request is malformed; `fields` says where
  kUnauthenticated,       // 401
  kForbidden,             // 403: known to the caller, but not allowed
  kNotFound,              // 404: unknown, or not the caller's to know of
  kMethodNotAllowed,      // 405
  kRequestTimeout,        // 408: the caller's own head or body came too slowly
  kConflict,              // 409
  kGone,                  // 410
  kPreconditionFailed,    // 412
  kTooLarge,              // 413
  kUnsupportedMediaType,  // 415
  kRangeNotSatisfiable,   // 416
  kRateLimited,           // 429: retry_after set
  kHeadersTooLarge,       // 431
  kChecksumMismatch,      // 460 (tus)
  kInternal,              // 500: our fault; detail is not shown
  kUnavailable,           // 503: a dependency; retry_after set
  kTimeout,               // 504: the deadline passed; the outcome may be unknown
  kNoRoom,                // 507
};

// One faulty place in the request: a JSON pointer ("/content"), or "query.limit", "header.If-Match", "path.message_id".
struct FieldError {
  std::string path;
  std::string message;
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string code;    // stable, snake_case, for programs: "conversation_exists"
  std::string detail;  // one sentence for a person
  std::vector<FieldError> fields;
  std::optional<std::chrono::seconds> retry_after;
  // The role that answers so is well all the same: another role is away, or one thing alone is lost. Others must not
  // pay for it, so nobody counts it against the role or asks again at once (http::kRoleIsWell).
  bool role_is_well = false;
  // What an engine or the system said, for logs and for who starts the server; no answer has it. No secret.
  std::string cause = {};
};

}  // namespace parley
