#include "search/stores/sqlite_recent_searches.h"

#include <limits>

#include "drivers/sqlite/migrations.h"
#include "search/recent_query.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

using Row = sqlite::Query;

constexpr std::int32_t kApplicationId = 0x50415252;  // "PARR"
constexpr int kCacheKib = 1024;

// The newest search of a user has the highest id, whatever the clock did.
constexpr sqlite::Migration kMigrations[] = {{1, R"sql(
CREATE TABLE searches(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  folded TEXT NOT NULL,
  query TEXT NOT NULL,
  searched_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX searches_by_text ON searches(tenant, user, folded);
CREATE INDEX searches_by_user ON searches(tenant, user);
CREATE INDEX searches_by_time ON searches(searched_at);
)sql"}};

// All that a user has, beyond the newest kMaxRecentSearches or expired.
void trim_user(sqlite::Connection& db, const TenantId& tenant, const UserId& user, std::int64_t expired_ms) {
  Row(db,
      "DELETE FROM searches WHERE tenant = ?1 AND user = ?2 AND (searched_at <= ?3 OR id <= "
      "(SELECT id FROM searches WHERE tenant = ?1 AND user = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?4))",
      tenant.value, user.value, expired_ms, kMaxRecentSearches)
      .run();
}

}  // namespace

Result<std::unique_ptr<SqliteRecentSearches>> SqliteRecentSearches::open(Options options, const Clock& clock) {
  try {
    std::error_code error;
    std::filesystem::create_directories(options.folder, error);
    auto connection = std::make_unique<sqlite::Connection>(
        sqlite::ConnectionOptions{.file = options.folder / kRecentDatabase, .cache_kib = kCacheKib});
    // In WAL mode the file stays whole without a sync at each commit; only the newest commits may be lost.
    connection->exec("PRAGMA synchronous=NORMAL");
    if (auto migrated = sqlite::migrate(*connection, kApplicationId, kMigrations); !migrated) {
      return fail(migrated.error());
    }
    return std::unique_ptr<SqliteRecentSearches>(new SqliteRecentSearches(std::move(connection), options, clock));
  } catch (const sqlite::Failure& failure) {
    log_error("the recent searches cannot be opened", {{"folder", options.folder.string()}, {"error", failure.what()}});
    return fail(sqlite::to_error(failure));
  }
}

SqliteRecentSearches::SqliteRecentSearches(std::unique_ptr<sqlite::Connection> connection, const Options& options,
                                           const Clock& clock)
    : clock_(clock),
      life_(options.life),
      readers_({.file = options.folder / kRecentDatabase,
                .thread_name = "recent-read",
                .threads = 1,
                .queue_limit = options.reader_queue_limit,
                .cache_kib = kCacheKib},
               clock),
      writer_(std::move(connection),
              {.file = options.folder / kRecentDatabase,
               .thread_name = "recent-write",
               .queue_limit = options.writer_queue_limit,
               .cache_kib = kCacheKib,
               .after_commit = {},
               .after_rollback = {}},
              clock) {}

std::int64_t SqliteRecentSearches::expired_ms() const {
  if (life_.count() == 0) return std::numeric_limits<std::int64_t>::min();
  return (clock_.wall_now() - life_).time_since_epoch().count();
}

Task<Result<>> SqliteRecentSearches::add(TenantId tenant, UserId user, std::string query, SteadyTime deadline) {
  if (auto checked = check_recent_query(query); !checked) co_return checked;
  std::string folded = sameness_of(query);
  if (folded.empty()) co_return Result<>{};
  const std::int64_t now = clock_.wall_now().time_since_epoch().count();
  std::move_only_function<Result<>(sqlite::Connection&)> work =
      [tenant = std::move(tenant), user = std::move(user), query = trimmed_query(query), folded = std::move(folded),
       now, expired = expired_ms()](sqlite::Connection& db) -> Result<> {
    Row(db, "DELETE FROM searches WHERE tenant = ?1 AND user = ?2 AND folded = ?3", tenant.value, user.value, folded)
        .run();
    Row(db, "INSERT INTO searches(tenant, user, folded, query, searched_at) VALUES(?1, ?2, ?3, ?4, ?5)", tenant.value,
        user.value, folded, query, now)
        .run();
    trim_user(db, tenant, user, expired);
    return {};
  };
  co_return co_await writer_.run<void>(deadline, std::move(work));
}

Task<Result<std::vector<RecentSearch>>> SqliteRecentSearches::list(TenantId tenant, UserId user, SteadyTime deadline) {
  using Searches = std::vector<RecentSearch>;
  std::move_only_function<Result<Searches>(sqlite::Connection&)> read =
      [tenant = std::move(tenant), user = std::move(user), expired = expired_ms()](sqlite::Connection& db) {
        Row rows(db,
                 "SELECT query, searched_at FROM searches WHERE tenant = ?1 AND user = ?2 AND searched_at > ?3 "
                 "ORDER BY id DESC LIMIT ?4",
                 tenant.value, user.value, expired, kMaxRecentSearches);
        Searches searches;
        while (rows.step()) {
          searches.push_back({std::string(rows.text(0)), WallTime(std::chrono::milliseconds(rows.integer(1)))});
        }
        return Result<Searches>(std::move(searches));
      };
  return readers_.run<Searches>(deadline, std::move(read));
}

Task<Result<>> SqliteRecentSearches::clear(TenantId tenant, UserId user, SteadyTime deadline) {
  std::move_only_function<Result<>(sqlite::Connection&)> work =
      [tenant = std::move(tenant), user = std::move(user)](sqlite::Connection& db) -> Result<> {
    Row(db, "DELETE FROM searches WHERE tenant = ?1 AND user = ?2", tenant.value, user.value).run();
    return {};
  };
  return writer_.run<void>(deadline, std::move(work));
}

Task<Result<bool>> SqliteRecentSearches::sweep(std::size_t limit, SteadyTime deadline) {
  std::move_only_function<Result<bool>(sqlite::Connection&)> work =
      [limit, expired = expired_ms()](sqlite::Connection& db) -> Result<bool> {
    const std::int64_t gone = Row(db,
                                  "DELETE FROM searches WHERE id IN "
                                  "(SELECT id FROM searches WHERE searched_at <= ?1 ORDER BY searched_at LIMIT ?2)",
                                  expired, limit)
                                  .run();
    return gone > 0 && static_cast<std::size_t>(gone) == limit;
  };
  return writer_.run<bool>(deadline, std::move(work));
}

}  // namespace parley::search
