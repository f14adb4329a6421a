#include "drivers/s3/s3_errors.h"

#include <algorithm>
#include <array>

namespace parley::s3 {

namespace {

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

Error unavailable_error(std::chrono::seconds retry_after) {
  return {.kind = ErrorKind::kUnavailable,
          .code = "unavailable",
          .detail = "Files cannot be stored or read at the moment.",
          .fields = {},
          .retry_after = retry_after};
}

}  // namespace

bool is_passing(const Refusal& refusal) {
  if (refusal.status == 501 || refusal.status == 505 || refusal.status == 507) return false;
  if (refusal.status >= 500 || refusal.status == 429 || refusal.status == 408) return true;
  return is_one_of(refusal.code, {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling",
                                  "OperationAborted"});
}

bool is_of_credentials(const Refusal& refusal) {
  return is_one_of(refusal.code, {"ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "TokenRefreshRequired"});
}

Error error_of(const Refusal& refusal) {
  if (refusal.status == 404 && (refusal.code.empty() || is_one_of(refusal.code, {"NoSuchKey", "NoSuchUpload"}))) {
    return {.kind = ErrorKind::kNotFound,
            .code = "not_found",
            .detail = "There is no such file, or it is not yours to see.",
            .fields = {},
            .retry_after = {}};
  }
  if (refusal.status == 507 || is_one_of(refusal.code, {"QuotaExceeded", "XMinioStorageFull", "EntityTooLarge"})) {
    return {.kind = ErrorKind::kNoRoom,
            .code = "storage_full",
            .detail = "There is no room to store this.",
            .fields = {},
            .retry_after = {}};
  }
  if (refusal.status == 412) {
    return {.kind = ErrorKind::kPreconditionFailed,
            .code = "object_exists",
            .detail = "There is an object of that key.",
            .fields = {},
            .retry_after = {}};
  }
  if (refusal.status == 416) {
    return {.kind = ErrorKind::kRangeNotSatisfiable,
            .code = "range_not_satisfiable",
            .detail = "The object has no such bytes.",
            .fields = {},
            .retry_after = {}};
  }
  // What waits for an operator is not asked again every second.
  return unavailable_error(std::chrono::seconds(is_passing(refusal) ? 1 : 10));
}

}  // namespace parley::s3
