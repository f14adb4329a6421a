#include "events/mongo_move_mark.h"

#include <algorithm>

namespace parley::events {

using mongo::make_array;
using mongo::make_document;

namespace {
constexpr const char* kDone = "done";
}  // namespace

std::optional<MoveMark> read_move_mark(mongo::Database& db, const MongoEventCollections& collections) {
  const auto row = db.find_one(collections.log.c_str(), make_document("_id", "move"));
  if (!row) return std::nullopt;
  return MoveMark{std::string(row->view().text("source")),
                  row->view().text("state") == kDone ? MoveMark::State::kDone : MoveMark::State::kCopying};
}

void write_move_mark(mongo::Database& db, const MongoEventCollections& collections, const MoveMark& mark) {
  const mongo::Document change =
      make_document("$set", make_document("source", mark.source, "state", mark.is_done() ? kDone : "copying"));
  db.run(make_document("update", collections.log, "updates",
                       make_array(make_document("q", make_document("_id", "move"), "u", change, "upsert", true))));
}

std::optional<PositionSecret> find_position_secret(mongo::Database& db, const MongoEventCollections& collections) {
  const auto row = db.find_one(collections.log.c_str(), make_document("_id", "position_secret"));
  PositionSecret secret{};
  if (!row || row->view().bytes("value").size() != secret.size()) return std::nullopt;
  std::ranges::copy(row->view().bytes("value"), secret.begin());
  return secret;
}

void take_position_secret(mongo::Database& db, const MongoEventCollections& collections, const PositionSecret& secret) {
  db.update_one(collections.log.c_str(), make_document("_id", "position_secret"),
                make_document("$set", make_document("value", mongo::Binary{secret})), true);
}

Result<> expect_no_move(mongo::Database& db, const MongoEventCollections& collections) {
  const auto mark = read_move_mark(db, collections);
  if (!mark || mark->is_done()) return {};
  return move_is_unfinished();
}

}  // namespace parley::events
