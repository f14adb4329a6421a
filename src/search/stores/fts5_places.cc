#include "search/stores/fts5_places.h"

#include <algorithm>

#include "search/stores/fts5_document.h"

namespace parley::search {

using sqlite::Query;

std::int64_t Places::free_id(std::int64_t at_ms) {
  const std::int64_t wanted = second_of_time(at_ms);
  std::int64_t id = 0;
  if (take_in(wanted, id)) return id;
  const auto known = goes_on_.find(wanted);
  std::int64_t second = known == goes_on_.end() ? wanted + 1 : known->second;
  if (known == goes_on_.end()) {
    // Where messages come faster than places, as they are written: behind the last one, without asking every second.
    Query last(db_, "SELECT id, created_ahead FROM documents ORDER BY id DESC LIMIT 1");
    if (last.step()) {
      const std::int64_t last_second = last.integer(0) >> kPlaceBits;
      if (last_second * 1000 + last.integer(1) <= at_ms) second = std::max(second, last_second);
    }
  }
  while (!take_in(second, id)) ++second;
  goes_on_[wanted] = second;
  run_over_ = std::max(run_over_, second - wanted);
  return id;
}

bool Places::take_in(std::int64_t second, std::int64_t& id) {
  const std::int64_t first = first_id_of_second(second), beyond = first_id_of_second(second + 1);
  Query row(db_, "SELECT max(id) FROM documents WHERE id >= ?1 AND id < ?2", first, beyond);
  row.step();
  id = row.is_null(0) ? first : row.integer(0) + 1;
  return id < beyond;
}

void Places::finish() {
  if (run_over_ > 0) Query(db_, "UPDATE progress SET run_over = max(run_over, ?1)", run_over_).run();
}

std::int64_t read_run_over(sqlite::Connection& db) {
  return db.query_int("SELECT run_over FROM progress");
}

}  // namespace parley::search
