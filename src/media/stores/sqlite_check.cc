#include "media/stores/sqlite_check.h"

#include "media/stores/sqlite_media_store.h"
#include "media/stores/sqlite_schema.h"

namespace parley::media {

namespace {

using sqlite::Rule;

// What the counters of each user should be.
#define PARLEY_COUNTED                                                                                      \
  "SELECT tenant, user, sum(stored) AS stored, sum(reserved) AS reserved, sum(files) AS files, "            \
  "sum(uploads) AS uploads FROM (SELECT tenant, owner AS user, size AS stored, 0 AS reserved, 1 AS files, " \
  "0 AS uploads FROM files WHERE deleted_at IS NULL UNION ALL SELECT tenant, owner, 0, reserved, 0, 1 "     \
  "FROM uploads WHERE complete = 0) GROUP BY tenant, user"

constexpr Rule kQuotas[] = {
    {"a user's quota is miscounted",
     "SELECT format('tenant %s, user %s', tenant, user), format('kept %d stored, %d reserved, %d files, %d uploads; "
     "are %d, %d, %d, %d', k.stored, k.reserved, k.files, k.uploads, c.stored, c.reserved, c.files, c.uploads) "
     "FROM user_usage k FULL JOIN (" PARLEY_COUNTED ") c USING(tenant, user) "
     "WHERE coalesce(k.stored, 0) <> coalesce(c.stored, 0) OR coalesce(k.reserved, 0) <> coalesce(c.reserved, 0) "
     "OR coalesce(k.files, 0) <> coalesce(c.files, 0) OR coalesce(k.uploads, 0) <> coalesce(c.uploads, 0)"},
    {"a tenant's quota is miscounted",
     "SELECT format('tenant %s', tenant), format('kept %d stored, %d reserved, %d files; are %d, %d, %d', k.stored, "
     "k.reserved, k.files, c.stored, c.reserved, c.files) FROM tenant_usage k FULL JOIN "
     "(SELECT tenant, sum(stored) AS stored, sum(reserved) AS reserved, sum(files) AS files FROM (" PARLEY_COUNTED
     ") GROUP BY tenant) c USING(tenant) WHERE coalesce(k.stored, 0) <> coalesce(c.stored, 0) "
     "OR coalesce(k.reserved, 0) <> coalesce(c.reserved, 0) OR coalesce(k.files, 0) <> coalesce(c.files, 0)"},
};

// Each changes the rows that are wrong and no others. A counter whose row is missing gets one, numbered as the log
// says.
constexpr const char* kMends[] = {
    "DELETE FROM upload_ranges WHERE upload NOT IN (SELECT id FROM uploads)",
    "UPDATE uploads SET reserved = 0 WHERE complete = 1 AND reserved <> 0",
    "INSERT INTO user_usage(tenant, user, stored, reserved, files, uploads, event_number) "
    "SELECT c.*, coalesce((SELECT max(number) FROM event_log e WHERE e.tenant = c.tenant AND e.key = c.user), 0) "
    "FROM (" PARLEY_COUNTED ") c WHERE (tenant, user) NOT IN (SELECT tenant, user FROM user_usage)",
    "UPDATE user_usage AS k SET stored = c.stored, reserved = c.reserved, files = c.files, uploads = c.uploads "
    "FROM (" PARLEY_COUNTED
    ") c WHERE c.tenant = k.tenant AND c.user = k.user "
    "AND (c.stored, c.reserved, c.files, c.uploads) <> (k.stored, k.reserved, k.files, k.uploads)",
    "UPDATE user_usage SET stored = 0, reserved = 0, files = 0, uploads = 0 "
    "WHERE (stored, reserved, files, uploads) <> (0, 0, 0, 0) "
    "AND (tenant, user) NOT IN (SELECT tenant, user FROM (" PARLEY_COUNTED "))",
    "INSERT INTO tenant_usage(tenant, stored, reserved, files) SELECT tenant, sum(stored), sum(reserved), sum(files) "
    "FROM user_usage WHERE tenant NOT IN (SELECT tenant FROM tenant_usage) GROUP BY tenant",
    "UPDATE tenant_usage AS k SET stored = c.stored, reserved = c.reserved, files = c.files FROM (SELECT tenant, "
    "sum(stored) AS stored, sum(reserved) AS reserved, sum(files) AS files FROM user_usage GROUP BY tenant) c "
    "WHERE c.tenant = k.tenant AND (c.stored, c.reserved, c.files) <> (k.stored, k.reserved, k.files)",
    "DELETE FROM tenant_usage WHERE tenant NOT IN (SELECT tenant FROM user_usage)",
};

constexpr Rule kUploads[] = {
    {"a part of no upload",
     "SELECT lower(hex(upload)), count(*) FROM upload_ranges WHERE upload NOT IN (SELECT id FROM uploads) "
     "GROUP BY upload"},
    {"parts that are empty, overlap or touch",
     "SELECT lower(hex(upload)), format('%d to %d', first_byte, end_byte) FROM (SELECT *, lead(first_byte) "
     "OVER (PARTITION BY upload ORDER BY first_byte) AS next FROM upload_ranges) "
     "WHERE end_byte <= first_byte OR next <= end_byte"},
    {"a part beyond the upload's end",
     "SELECT lower(hex(u.id)), format('size %d, part to %d', u.size, r.end_byte) FROM uploads u "
     "JOIN upload_ranges r ON r.upload = u.id WHERE r.end_byte > u.size"},
    {"a complete upload that still reserves",
     "SELECT lower(hex(id)), format('%d bytes', reserved) FROM uploads WHERE complete = 1 AND reserved <> 0"},
    {"an upload under way whose file is there",
     "SELECT lower(hex(u.id)), format('tenant %s', u.tenant) FROM uploads u JOIN files f ON f.id = u.id "
     "WHERE u.complete = 0"},
    {"a complete upload and its file are of different owners",
     "SELECT lower(hex(u.id)), format('%s/%s and %s/%s', u.tenant, u.owner, f.tenant, f.owner) FROM uploads u "
     "JOIN files f ON f.id = u.id WHERE u.tenant <> f.tenant OR u.owner <> f.owner"},
};

// Numbers are dense within each key, from wherever the log has been pruned to, and end where the key's counter stands.
// What became of each file can be asked for while all events of its owner are there.
constexpr Rule kEvents[] = {
    {"event numbers are not dense",
     "SELECT key, format('%d events from %d to %d', n, low, high) FROM (SELECT tenant, scope, key, count(*) AS n, "
     "count(DISTINCT number) AS d, min(number) AS low, max(number) AS high FROM event_log "
     "GROUP BY tenant, scope, key) WHERE n <> d OR high - low + 1 <> n"},
    {"a user's last event is missing",
     "SELECT u.user, format('tenant %s, counted %d', u.tenant, u.event_number) FROM user_usage u JOIN "
     "(SELECT tenant, key, max(number) AS high FROM event_log GROUP BY tenant, key) e "
     "ON e.tenant = u.tenant AND e.key = u.user WHERE e.high <> u.event_number"},
    {"files and their events differ in number",
     "SELECT u.user, format('tenant %s: %d files, %d by events', u.tenant, u.files, n) FROM user_usage u JOIN "
     "(SELECT tenant, key, min(number) AS low, sum((type = 'file.uploaded') - (type = 'file.deleted')) AS n "
     "FROM event_log GROUP BY tenant, key) e ON e.tenant = u.tenant AND e.key = u.user "
     "WHERE e.low = 1 AND e.n <> u.files"},
};

// Can be asked only while nothing was pruned.
constexpr Rule kWholeLog[] = {
    {"a file without its event",
     "SELECT lower(hex(id)), format('tenant %s', tenant) FROM files WHERE (tenant, owner, lower(hex(id)), "
     "deleted_at IS NOT NULL) NOT IN (SELECT tenant, key, replace(subject, '-', ''), max(type = 'file.deleted') "
     "FROM event_log GROUP BY tenant, key, subject)"},
};

}  // namespace

CheckReport check_media(sqlite::Connection& db) {
  CheckReport report;
  sqlite::check_pages(db, report.problems);
  sqlite::check_rules(db, kQuotas, report.problems);
  sqlite::check_rules(db, kUploads, report.problems);
  sqlite::check_rules(db, kEvents, report.problems);
  if (db.query_int("SELECT coalesce(min(position), 1) FROM event_log") == 1)
    sqlite::check_rules(db, kWholeLog, report.problems);
  report.files = db.query_int("SELECT count(*) FROM files WHERE deleted_at IS NULL");
  report.deleted_files = db.query_int("SELECT count(*) FROM files WHERE deleted_at IS NOT NULL");
  report.uploads = db.query_int("SELECT count(*) FROM uploads WHERE complete = 0");
  report.events = db.query_int("SELECT count(*) FROM event_log");
  return report;
}

std::int64_t mend_media(sqlite::Connection& db) {
  const std::int64_t before = db.total_changes();
  for (const char* const statement : kMends) sqlite::Query(db, statement).run();
  return db.total_changes() - before;
}

Result<CheckReport> check_media_folder(const std::filesystem::path& folder) {
  return sqlite::with_snapshot(folder / kMediaDatabase, kMediaApplicationId, media_migrations().back().version, "media",
                               check_media);
}

Result<> backup_media_folder(const std::filesystem::path& folder, const std::filesystem::path& target) {
  return sqlite::with_database(folder / kMediaDatabase, kMediaApplicationId, media_migrations().back().version, "media",
                               [&target](sqlite::Connection& db) -> Result<> {
                                 sqlite::backup(db, target);
                                 return {};
                               });
}

Result<> leave_uploads_out(const std::filesystem::path& folder) {
  try {
    sqlite::Connection db({.file = folder / kMediaDatabase});
    db.exec("BEGIN; DELETE FROM uploads WHERE complete = 0");
    mend_media(db);
    db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    return {};
  } catch (const sqlite::Failure& failure) {
    return unavailable("unavailable", fmt::format("{}: {}", folder.string(), failure.what()));
  }
}

}  // namespace parley::media
