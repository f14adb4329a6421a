// SqliteRecentSearches: the embedded RecentSearches, in a file of its own, so that no batch of the index delays it. A
// loss of power may cost the newest entries, never the file. Owned by the wiring, which holds the folder locked; called
// on event loops. open fails with not_our_file, schema_too_new or unavailable.
#pragma once
#include <chrono>
#include <filesystem>
#include <memory>

#include "drivers/sqlite/group_writer.h"
#include "drivers/sqlite/reader_pool.h"
#include "search/recent_searches.h"

namespace parley::search {

inline constexpr const char* kRecentDatabase = "recent.db";

class SqliteRecentSearches final : public RecentSearches {
 public:
  struct Options {
    std::filesystem::path folder;
    std::chrono::days life{90};  // 0: searches do not expire
    std::size_t writer_queue_limit = 1024;
    std::size_t reader_queue_limit = 1024;
  };
  // Makes the folder where it is missing.
  static Result<std::unique_ptr<SqliteRecentSearches>> open(Options options, const Clock& clock);

  Task<Result<>> add(TenantId tenant, UserId user, std::string query, SteadyTime deadline) override;
  Task<Result<std::vector<RecentSearch>>> list(TenantId tenant, UserId user, SteadyTime deadline) override;
  Task<Result<>> clear(TenantId tenant, UserId user, SteadyTime deadline) override;
  Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) override;

 private:
  SqliteRecentSearches(std::unique_ptr<sqlite::Connection> connection, const Options& options, const Clock& clock);
  // Searches of this time and before have expired.
  std::int64_t expired_ms() const;

  const Clock& clock_;
  const std::chrono::days life_;
  sqlite::ReaderPool readers_;
  sqlite::GroupWriter writer_;
};

}  // namespace parley::search
