#include "drivers/sqlite/migrations.h"

#include <fmt/format.h>

namespace parley::sqlite {

namespace {

void set_pragma(Connection& connection, const char* name, std::int64_t value) {
  connection.exec(fmt::format("PRAGMA {}={}", name, value).c_str());
}

}  // namespace

Result<> migrate(Connection& connection, std::int32_t application_id, std::span<const Migration> migrations,
                 int up_to) {
  CHECK(!migrations.empty());
  const std::int64_t present = connection.query_int("PRAGMA user_version");
  const std::int64_t mark = connection.query_int("PRAGMA application_id");
  if (mark != application_id && (mark != 0 || connection.query_int("SELECT count(*) FROM sqlite_schema") != 0)) {
    return unavailable("not_our_file", "The database file was made by another program or for another role.");
  }
  if (present > migrations.back().version) {
    return unavailable("schema_too_new",
                       fmt::format("The database has schema version {}; this program knows {} and older.", present,
                                   migrations.back().version));
  }
  for (const Migration& migration : migrations) {
    if (migration.version <= present || migration.version > up_to) continue;
    connection.exec("BEGIN IMMEDIATE");
    try {
      connection.exec(migration.sql);
      set_pragma(connection, "application_id", application_id);
      set_pragma(connection, "user_version", migration.version);
      connection.exec("COMMIT");
    } catch (...) {
      if (connection.in_transaction()) connection.exec("ROLLBACK");
      throw;
    }
  }
  return {};
}

}  // namespace parley::sqlite
