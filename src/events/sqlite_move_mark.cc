#include "events/sqlite_move_mark.h"

namespace parley::events {

namespace {
constexpr std::string_view kCopying = "copying ";
constexpr std::string_view kDone = "done ";
}  // namespace

std::optional<MoveMark> read_move_mark(sqlite::Connection& db) {
  sqlite::Query row(db, "SELECT CAST(value AS TEXT) FROM store_facts WHERE name = 'move'");
  if (!row.step()) return std::nullopt;
  const std::string_view text = row.text(0);
  const bool done = text.starts_with(kDone);
  return MoveMark{std::string(text.substr(done ? kDone.size() : kCopying.size())),
                  done ? MoveMark::State::kDone : MoveMark::State::kCopying};
}

void write_move_mark(sqlite::Connection& db, const MoveMark& mark) {
  const std::string text = std::string(mark.is_done() ? kDone : kCopying) + mark.source;
  sqlite::Query(db, "INSERT OR REPLACE INTO store_facts(name, value) VALUES('move', CAST(?1 AS BLOB))", text).run();
}

void take_position_secret(sqlite::Connection& db, const PositionSecret& secret) {
  sqlite::Query(db, "UPDATE store_facts SET value = ?1 WHERE name = 'position_secret'", secret).run();
}

Result<> expect_no_move(sqlite::Connection& db) {
  const auto mark = read_move_mark(db);
  if (!mark || mark->is_done()) return {};
  return move_is_unfinished();
}

}  // namespace parley::events
