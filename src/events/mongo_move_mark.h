// What a role's store in MongoDB says of the move that fills it, beside the role's log. Outside of any transaction;
// throws mongo::Failure.
#pragma once
#include <optional>

#include "base/move_mark.h"
#include "events/mongo_events.h"

namespace parley::events {

std::optional<MoveMark> read_move_mark(mongo::Database& db, const MongoEventCollections& collections);
// To a majority, which then has what was written before it as well.
void write_move_mark(mongo::Database& db, const MongoEventCollections& collections, const MoveMark& mark);
// The secret of the store's positions; none where there is no store.
std::optional<PositionSecret> find_position_secret(mongo::Database& db, const MongoEventCollections& collections);
void take_position_secret(mongo::Database& db, const MongoEventCollections& collections, const PositionSecret& secret);
// For who opens a store to serve it. fail: move_unfinished.
Result<> expect_no_move(mongo::Database& db, const MongoEventCollections& collections);

}  // namespace parley::events
