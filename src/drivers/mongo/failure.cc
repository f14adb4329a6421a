#include "drivers/mongo/failure.h"

#include <mongoc/mongoc.h>

#include <algorithm>

#include "base/check.h"

namespace parley::mongo {

namespace {

// Of the server's error codes those that mean something to us.
constexpr std::int32_t kUnauthorized = 13;
constexpr std::int32_t kAuthenticationFailed = 18;
constexpr std::int32_t kMaxTimeExpired = 50;
constexpr std::int32_t kWriteConflict = 112;
constexpr std::int32_t kExceededTimeLimit = 262;
constexpr std::int32_t kDuplicate = 11000;
constexpr std::int32_t kDuplicateOnUpdate = 11001;
constexpr std::int32_t kInterrupted = 11601;  // its session was ended by another
constexpr std::int32_t kOutOfDiskSpace = 14031;
// No primary, stepping down, shutting down, a host that cannot be reached.
constexpr std::int32_t kAway[] = {6, 7, 89, 91, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436};

constexpr const char* kTransient = "TransientTransactionError";
constexpr const char* kUnknownCommit = "UnknownTransactionCommitResult";

FailureKind kind_of_code(std::int32_t code) {
  switch (code) {
    case kMaxTimeExpired:
    case kExceededTimeLimit:
      return FailureKind::kTimeout;
    case kDuplicate:
    case kDuplicateOnUpdate:
      return FailureKind::kDuplicateKey;
    case kWriteConflict:
    case kInterrupted:
      return FailureKind::kConflict;
    case kOutOfDiskSpace:
      return FailureKind::kNoRoom;
    case kUnauthorized:
    case kAuthenticationFailed:
      return FailureKind::kRefused;
    default:
      return std::ranges::find(kAway, code) != std::end(kAway) ? FailureKind::kUnreachable : FailureKind::kOther;
  }
}

FailureKind kind_of(const bson_error_t& error) {
  switch (error.domain) {
    case MONGOC_ERROR_SERVER_SELECTION:
    case MONGOC_ERROR_STREAM:
      return FailureKind::kUnreachable;
    case MONGOC_ERROR_CLIENT:
      if (error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE) return FailureKind::kRefused;
      return FailureKind::kOther;
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
    case MONGOC_ERROR_QUERY:
    case MONGOC_ERROR_COLLECTION:
      return kind_of_code(static_cast<std::int32_t>(error.code));
    default:
      return FailureKind::kOther;
  }
}

bool has_label(View reply, const char* label) {
  const auto labels = reply.texts("errorLabels");
  return std::ranges::find(labels, std::string_view(label)) != labels.end();
}

// libmongoc names hosts in what it says of connections, and those may be any text of the URI.
std::string text_of(const bson_error_t& error, FailureKind kind) {
  if (kind == FailureKind::kUnreachable && error.domain != MONGOC_ERROR_SERVER) {
    return error.domain == MONGOC_ERROR_SERVER_SELECTION ? "no suitable server was found" : "the connection failed";
  }
  if (kind == FailureKind::kRefused) return "authentication failed, or a right is missing";
  return error.message;
}

}  // namespace

Failure to_failure(const bson_error_t& error, View reply) {
  FailureKind kind = kind_of(error);
  if (has_label(reply, kUnknownCommit)) kind = FailureKind::kCommitUnknown;
  return {kind, static_cast<std::int32_t>(error.code), text_of(error, kind), has_label(reply, kTransient)};
}

bool has_write_failure(View reply) {
  return reply.count("writeErrors") > 0 || reply.has("writeConcernError");
}

Failure to_write_failure(View reply) {
  const auto errors = reply.documents("writeErrors");
  const View first = errors.empty() ? reply.document("writeConcernError") : errors.front();
  CHECK(!first.empty());
  const auto code = static_cast<std::int32_t>(first.integer("code"));
  // The server quotes the key that was there already, which is content.
  const FailureKind kind = kind_of_code(code);
  std::string text = kind == FailureKind::kDuplicateKey ? "a unique index refused a document" : "";
  if (text.empty()) text = first.text("errmsg");
  return {kind, code, std::move(text), has_label(reply, kTransient)};
}

Error to_error(const Failure& failure) {
  switch (failure.kind()) {
    case FailureKind::kNoRoom:
      return {ErrorKind::kNoRoom, "storage_full", "There is no room to store this.", {}, {}};
    case FailureKind::kTimeout:
      return {ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the answer came.", {}, {}};
    case FailureKind::kConflict:
      return {ErrorKind::kUnavailable,
              "overloaded",
              "Too many changes of the same thing at once; try again shortly.",
              {},
              std::chrono::seconds(1)};
    default:
      return {ErrorKind::kUnavailable,
              "unavailable",
              "The store does not answer as it should; try again shortly.",
              {},
              std::chrono::seconds(1)};
  }
}

Error to_operator_error(const Failure& failure) {
  Error error = to_error(failure);
  switch (failure.kind()) {
    case FailureKind::kRefused:
      return {ErrorKind::kUnavailable,
              "access_refused",
              "MongoDB refuses the user or the password of MONGODB_URI, or the user lacks readWrite on the database.",
              {},
              {}};
    case FailureKind::kUnreachable:
      error.detail = std::string("MongoDB at MONGODB_URI cannot be reached (") + failure.what() +
                     "): nothing listens at the addresses there, or TLS or the name of the replica set is another, or "
                     "the set has no primary.";
      return error;
    case FailureKind::kTimeout:
      error.detail = "MongoDB at MONGODB_URI did not answer in time.";
      return error;
    default:
      error.detail = std::string("MongoDB at MONGODB_URI does not answer as it should: ") + failure.what() + " (" +
                     std::to_string(failure.code()) + ").";
      return error;
  }
}

}  // namespace parley::mongo
