#include "drivers/sqlite/check.h"

namespace parley::sqlite {

void check_rules(Connection& db, std::span<const Rule> rules, Problems& problems) {
  for (const Rule& rule : rules) {
    Query rows(db, rule.sql);
    while (problems.size() < kMaxProblems && rows.step()) {
      problems.push_back(fmt::format("{}: {} ({})", rule.what, rows.text(0), rows.text(1)));
    }
  }
}

void check_pages(Connection& db, Problems& problems) {
  Query rows(db, "PRAGMA integrity_check(20)");
  while (problems.size() < kMaxProblems && rows.step()) {
    if (rows.text(0) != "ok") problems.push_back(fmt::format("database pages: {}", rows.text(0)));
  }
}

}  // namespace parley::sqlite
