// Whether a messaging database holds what it promises: SQLite's own integrity, dense seqs, counters equal to a recount,
// tombstones that say nothing, and one event for each change. Reads one snapshot; may run beside a server. Also the two
// commands of the host that work on a folder without a server.
#pragma once
#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "drivers/sqlite/check.h"

namespace parley::messaging {

struct CheckReport {
  std::int64_t conversations = 0;
  std::int64_t messages = 0;
  std::int64_t events = 0;
  sqlite::Problems problems;
  bool ok() const { return problems.empty(); }
};

CheckReport check_messaging(sqlite::Connection& db);

// `folder` is DIR/messaging. Read-only; a running server does not mind.
Result<CheckReport> check_messaging_folder(const std::filesystem::path& folder);
Result<> backup_messaging_folder(const std::filesystem::path& folder, const std::filesystem::path& target);

}  // namespace parley::messaging
