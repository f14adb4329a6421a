// Failure: what MongoDB or the way to it answered, as an exception inside the driver and the adapters over it;
// to_error() makes the Error that may leave them. The text is for the log, never for a caller, and names no address,
// user or password.
#pragma once
#include <bson/bson.h>

#include <cstdint>
#include <exception>
#include <string>

#include "base/error.h"
#include "drivers/mongo/bson.h"

namespace parley::mongo {

enum class FailureKind {
  kUnreachable,    // no server, no primary, a cut connection, no free connection: nobody knows what was done
  kTimeout,        // the server ended it at its time limit
  kDuplicateKey,   // a unique index refused the document
  kConflict,       // another transaction was first: nothing was done, try the whole transaction again
  kCommitUnknown,  // whether the transaction was committed is not known
  kNoRoom,
  kRefused,  // who we are, or what we may, does not do
  kOther,
};

class Failure : public std::exception {
 public:
  Failure(FailureKind kind, std::int32_t code, std::string text, bool transient = false)
      : kind_(kind), code_(code), transient_(transient), text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }
  FailureKind kind() const { return kind_; }
  std::int32_t code() const { return code_; }
  // The server or the client said that the same transaction may well succeed when it is tried again.
  bool is_transient() const { return transient_ || kind_ == FailureKind::kConflict; }
  // What a commit answered: nothing was done. Only the server's label says so; one that was interrupted while it waited
  // for a majority may have happened.
  bool was_not_committed() const { return transient_; }

 private:
  FailureKind kind_;
  std::int32_t code_;
  bool transient_;
  std::string text_;
};

// storage_full, deadline_exceeded, or unavailable with retry_after.
Error to_error(const Failure& failure);
// The same for who starts a server or runs a command, and may hear of engines and settings: whether MongoDB cannot be
// reached or refuses who we are.
Error to_operator_error(const Failure& failure);

// Of what libmongoc said and, where there is one, the server's answer with its labels.
Failure to_failure(const bson_error_t& error, View reply);
// Of the `writeErrors` or `writeConcernError` of an answer that is otherwise well; CHECK-fails without either.
Failure to_write_failure(View reply);
bool has_write_failure(View reply);

}  // namespace parley::mongo
