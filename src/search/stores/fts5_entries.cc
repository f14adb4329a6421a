#include "search/stores/fts5_entries.h"

#include <utility>
#include <vector>

#include "search/stores/fts5_expression.h"
#include "search/stores/fts5_schema.h"
#include "search/stores/fts5_scopes.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

using Statement = sqlite::Query;

std::optional<std::int64_t> renewed_below(sqlite::Connection& db) {
  Statement row(db, "SELECT below FROM renewal");
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

struct Row {
  std::int64_t id = 0;
  std::string entry;
  bool is_orphan = false;  // its conversation was swept, and FTS5 did not lead to it
};

std::vector<Row> next_rows(sqlite::Connection& db, std::int64_t from, std::size_t limit) {
  std::vector<Row> rows;
  Statement found(db,
                  "SELECT d.id, e.entry, c.id IS NULL FROM documents d JOIN entries e ON e.id = d.id "
                  "LEFT JOIN conversations c ON c.id = d.conversation WHERE d.id >= ?1 ORDER BY d.id LIMIT ?2",
                  from, limit);
  while (found.step()) rows.push_back({found.integer(0), std::string(found.text(1)), found.integer(2) != 0});
  return rows;
}

// The new table serves.
void finish(sqlite::Connection& db) {
  const bool again = db.query_int("SELECT again FROM renewal") != 0;
  db.exec("DROP TABLE words; ALTER TABLE words_anew RENAME TO words; DELETE FROM renewal");
  log_info("search: the index of words has been made anew");
  if (again) begin_renewal(db);
}

}  // namespace

EntryWriter::EntryWriter(sqlite::Connection& db) : db_(db), renewed_below_(renewed_below(db).value_or(0)) {}

void EntryWriter::put(std::int64_t document, const std::string& entry) {
  Statement(db_, "INSERT INTO words(rowid, entry) VALUES(?1, ?2)", document, entry).run();
  if (document >= renewed_below_) return;
  Statement(db_, "INSERT INTO words_anew(rowid, entry) VALUES(?1, ?2)", document, entry).run();
}

void EntryWriter::remove(std::int64_t document, const std::string& entry) {
  Statement(db_, "INSERT INTO words(words, rowid, entry) VALUES('delete', ?1, ?2)", document, entry).run();
  if (document >= renewed_below_) return;
  Statement(db_, "INSERT INTO words_anew(words_anew, rowid, entry) VALUES('delete', ?1, ?2)", document, entry).run();
}

bool has_lost_entries(sqlite::Connection& db, std::int64_t conversation) {
  Statement row(db,
                "SELECT 1 FROM words LEFT JOIN documents d ON d.id = words.rowid "
                "WHERE words MATCH ?1 AND d.conversation IS NOT ?2 LIMIT 1",
                conversation_term(conversation), conversation);
  return row.step();
}

void begin_renewal(sqlite::Connection& db) {
  if (is_renewing(db)) {
    // What is lost may be in the new table by now.
    db.exec("UPDATE renewal SET again = 1");
    return;
  }
  log_warn("search: entries without documents were found; the index of words is made anew");
  db.exec(kNewWords);
  db.exec("INSERT INTO renewal VALUES(1, 0, 0)");
}

std::size_t go_on_with_renewal(sqlite::Connection& db, std::size_t limit) {
  const auto below = renewed_below(db);
  if (!below || limit == 0) return 0;
  const std::vector<Row> rows = next_rows(db, *below, limit);
  if (rows.empty()) {
    finish(db);
    return 0;
  }
  ScopeWriter scopes(db);
  for (const Row& row : rows) {
    if (row.is_orphan) {
      Statement(db, "DELETE FROM documents WHERE id = ?1", row.id).run();
      scopes.remove(row.id);
    } else {
      Statement(db, "INSERT INTO words_anew(rowid, entry) VALUES(?1, ?2)", row.id, row.entry).run();
    }
  }
  scopes.write();
  Statement(db, "UPDATE renewal SET below = ?1", rows.back().id + 1).run();
  return rows.size();
}

bool is_renewing(sqlite::Connection& db) {
  return renewed_below(db).has_value();
}

}  // namespace parley::search
