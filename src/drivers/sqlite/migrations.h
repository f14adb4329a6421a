// Schema versions: numbered steps, forward only, each in a transaction of its own, counted in user_version. A database
// written by a newer program is refused rather than guessed at.
#pragma once
#include <cstdint>
#include <span>

#include "base/result.h"
#include "drivers/sqlite/connection.h"

namespace parley::sqlite {

struct Migration {
  int version;      // 1, 2, 3 …
  const char* sql;  // may be several statements
};

// Brings the database to the last of `migrations` (or to `up_to`, which tests use to make an old file). application_id
// marks the file as ours; another mark is refused. fail: kUnavailable "schema_too_new" or "not_our_file"; SQLite's own
// failures are thrown.
Result<> migrate(Connection& connection, std::int32_t application_id, std::span<const Migration> migrations,
                 int up_to = INT32_MAX);

}  // namespace parley::sqlite
