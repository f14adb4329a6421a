// What a role's check of its database is made of: rules in SQL, SQLite's own integrity, and a file opened to be looked
// at beside a server. Findings are for the operator and may name ids. Any thread that owns the connection.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"

namespace parley::sqlite {

inline constexpr std::size_t kMaxProblems = 100;  // that are listed
using Problems = std::vector<std::string>;

// Every row that `sql` answers is a problem: its first column names where, the second what was found.
struct Rule {
  const char* what;
  const char* sql;
};

// Both add to `problems`, up to kMaxProblems in all.
void check_rules(Connection& db, std::span<const Rule> rules, Problems& problems);
void check_pages(Connection& db, Problems& problems);

// Runs `work` (→ Result<T>) on a read-only connection to `file`. kUnavailable: not_our_file when it is not the database
// of that mark and version (`kind` names it for the operator), unavailable when SQLite fails.
template <class Work>
auto with_database(const std::filesystem::path& file, std::int32_t application_id, int version, std::string_view kind,
                   Work work) -> decltype(work(std::declval<Connection&>())) {
  try {
    Connection db({.file = file, .read_only = true});
    if (db.query_int("PRAGMA application_id") != application_id || db.query_int("PRAGMA user_version") != version) {
      return unavailable("not_our_file", fmt::format("The folder holds no {} database of this version.", kind));
    }
    return work(db);
  } catch (const Failure& failure) {
    return unavailable("unavailable", fmt::format("{}: {}", file.parent_path().string(), failure.what()));
  }
}

// The same, all of `work` in one snapshot.
template <class Work>
auto with_snapshot(const std::filesystem::path& file, std::int32_t application_id, int version, std::string_view kind,
                   Work work) -> Result<decltype(work(std::declval<Connection&>()))> {
  using Answer = Result<decltype(work(std::declval<Connection&>()))>;
  return with_database(file, application_id, version, kind, [&work](Connection& db) -> Answer {
    db.exec("BEGIN");
    auto answer = work(db);
    db.exec("COMMIT");
    return answer;
  });
}

}  // namespace parley::sqlite
