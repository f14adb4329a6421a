// Places: free ids for new documents, within one transaction on the writer's thread.
#pragma once
#include <cstdint>
#include <map>

#include "drivers/sqlite/connection.h"

namespace parley::search {

class Places {
 public:
  explicit Places(sqlite::Connection& db) : db_(db) {}

  // In the second of `at_ms` or, where it is full, in the next one with room. What is given out must be written before
  // the next is asked for.
  std::int64_t free_id(std::int64_t at_ms);
  // Notes how far ids ran over.
  void finish();

 private:
  bool take_in(std::int64_t second, std::int64_t& id);

  sqlite::Connection& db_;
  std::map<std::int64_t, std::int64_t> goes_on_;  // from a full second to where there was room
  std::int64_t run_over_ = 0;
};

// Seconds that an id may be ahead of its document's time.
std::int64_t read_run_over(sqlite::Connection& db);

}  // namespace parley::search
