// What a store in SQLite says of the move that fills it, in its store_facts. Throws sqlite::Failure.
#pragma once
#include <optional>

#include "base/move_mark.h"
#include "drivers/sqlite/connection.h"

namespace parley::events {

std::optional<MoveMark> read_move_mark(sqlite::Connection& db);
void write_move_mark(sqlite::Connection& db, const MoveMark& mark);
// The secret of the store's positions, in place of its own.
void take_position_secret(sqlite::Connection& db, const PositionSecret& secret);
// For who opens a store to serve it. fail: move_unfinished.
Result<> expect_no_move(sqlite::Connection& db);

}  // namespace parley::events
