#include "search/stores/fts5_lanes.h"

#include <algorithm>

#include "base/check.h"

namespace parley::search {

namespace {

void advance(sqlite::Connection& db, const LaneProgress& to) {
  sqlite::Query(db,
                "INSERT INTO lanes(lane, through, next) VALUES(?1, ?2, ?3) "
                "ON CONFLICT DO UPDATE SET through = max(through, ?2), next = max(next, ?3)",
                std::int64_t{to.lane}, to.through.value, to.next)
      .run();
}

// Lanes that are not there yet have come nowhere.
void make_room_for(sqlite::Connection& db, std::int32_t count) {
  {
    sqlite::Query known(db, "SELECT count(*) FROM lanes WHERE lane < ?1", std::int64_t{count});
    if (known.step() && known.integer(0) == count) return;
  }
  for (std::int64_t lane = 0; lane < count; ++lane) {
    sqlite::Query(db, "INSERT OR IGNORE INTO lanes(lane, through, next) VALUES(?1, 0, 0)", lane).run();
  }
}

void settle(sqlite::Connection& db) {
  sqlite::Query(db, "UPDATE progress SET through = (SELECT min(through) FROM lanes)").run();
}

}  // namespace

std::vector<LaneProgress> read_lanes(sqlite::Connection& db) {
  std::vector<LaneProgress> all;
  sqlite::Query rows(db, "SELECT lane, through, next FROM lanes ORDER BY lane");
  while (rows.step()) {
    all.push_back(
        {.lane = static_cast<std::int32_t>(rows.integer(0)), .through = {rows.integer(1)}, .next = rows.integer(2)});
  }
  return all;
}

void advance_lanes(sqlite::Connection& db, const ChangeBatch& batch) {
  make_room_for(db, batch.lane_count);
  if (batch.lanes.empty()) {
    advance(db, {.lane = 0, .through = batch.through});
  } else {
    for (const LaneProgress& lane : batch.lanes) advance(db, lane);
  }
  settle(db);
}

void replace_lanes(sqlite::Connection& db, const std::vector<LaneProgress>& lanes) {
  CHECK(!lanes.empty());
  sqlite::Query(db, "DELETE FROM lanes").run();
  for (const LaneProgress& lane : lanes) advance(db, lane);
  settle(db);
  const auto least = std::ranges::min(lanes, {}, &LaneProgress::through);
  sqlite::Query(db, "DELETE FROM dead_letters WHERE offset > ?1", least.through.value).run();
}

}  // namespace parley::search
