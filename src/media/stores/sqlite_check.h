// Whether media's database holds what it promises: SQLite's own integrity, quota counters equal to a recount, uploads
// whose ranges are in order, and one event for each change. Knows nothing of the objects. Reads one snapshot; may run
// beside a server. Also the commands of the host that work on a folder without a server.
#pragma once
#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "drivers/sqlite/check.h"

namespace parley::media {

struct CheckReport {
  std::int64_t files = 0;          // not deleted
  std::int64_t deleted_files = 0;  // whose bytes are still to be removed
  std::int64_t uploads = 0;        // under way
  std::int64_t events = 0;
  sqlite::Problems problems;
  bool ok() const { return problems.empty(); }
};

CheckReport check_media(sqlite::Connection& db);

// Makes the counters what a recount says, and takes away what belongs to no upload. Answers how many rows were wrong.
// Within a transaction of the writer's.
std::int64_t mend_media(sqlite::Connection& db);

// `folder` is DIR/media. Read-only; a running server does not mind.
Result<CheckReport> check_media_folder(const std::filesystem::path& folder);
Result<> backup_media_folder(const std::filesystem::path& folder, const std::filesystem::path& target);
// Of a copy that nobody has open: uploads under way leave it, since their bytes are not in it.
Result<> leave_uploads_out(const std::filesystem::path& folder);

}  // namespace parley::media
