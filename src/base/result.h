// Result<T>: a value, or the Error that is its reason. For what may happen in the ordinary run of things; exceptions
// stay inside the adapter that meets them, and our own bugs are CHECKs.
#pragma once
#include <expected>
#include <string>
#include <utility>

#include "base/error.h"

namespace parley {

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string code, std::string detail) {
  return std::unexpected(Error{kind, std::move(code), std::move(detail), {}, {}});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

// 400 for one field; `path` as FieldError says.
inline std::unexpected<Error> invalid_field(std::string path, std::string message) {
  Error error{ErrorKind::kInvalid, "validation_failed", path + ": " + message, {}, {}};
  error.fields.push_back({std::move(path), std::move(message)});
  return std::unexpected(std::move(error));
}

inline std::unexpected<Error> not_found(std::string what) {
  return fail(ErrorKind::kNotFound, "not_found", "There is no such " + what + ", or it is not yours to see.");
}

inline std::unexpected<Error> unavailable(std::string code, std::string detail,
                                          std::chrono::seconds retry_after = std::chrono::seconds(1)) {
  return std::unexpected(Error{ErrorKind::kUnavailable, std::move(code), std::move(detail), {}, retry_after});
}
inline std::unexpected<Error> because(std::unexpected<Error> failed, std::string cause) {
  failed.error().cause = std::move(cause);
  return failed;
}
// Where the role that says so is well itself (Error::role_is_well).
inline std::unexpected<Error> unavailable_but_well(std::string code, std::string detail,
                                                   std::chrono::seconds retry_after = std::chrono::seconds(1)) {
  return std::unexpected(Error{ErrorKind::kUnavailable, std::move(code), std::move(detail), {}, retry_after, true});
}

}  // namespace parley
