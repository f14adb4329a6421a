// The entries of documents as FTS5 holds them, inside the writer's transaction: what `documents` says is for others to
// write. An entry whose document was lost (a row removed by hand) cannot be taken back, for FTS5 wants its text; so
// where one is found all entries are made anew: into a second table beside the one that serves, some documents at a
// time in the order of their ids, until it takes the other's place. Where it is is kept with what it has.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "drivers/sqlite/connection.h"

namespace parley::search {

// Keeps both tables right. For one transaction, in which nothing is renewed meanwhile.
class EntryWriter {
 public:
  explicit EntryWriter(sqlite::Connection& db);

  void put(std::int64_t document, const std::string& entry);
  // `entry`: as it was put.
  void remove(std::int64_t document, const std::string& entry);

 private:
  sqlite::Connection& db_;
  std::int64_t renewed_below_ = 0;  // documents with a smaller id are in the new table too
};

// Whether FTS5 finds something for the conversation that is no document of it.
bool has_lost_entries(sqlite::Connection& db, std::int64_t conversation);

// All entries are to be made anew, once more if they are already.
void begin_renewal(sqlite::Connection& db);
// Goes on with at most `limit` documents; how many it took. None: there is no renewal under way, or there was none left
// to take and the new table serves.
std::size_t go_on_with_renewal(sqlite::Connection& db, std::size_t limit);
bool is_renewing(sqlite::Connection& db);

}  // namespace parley::search
