// Whether messaging's documents in MongoDB hold what they promise: in each conversation dense seqs, counters equal to a
// recount, tombstones that say nothing, event numbers without a gap, and an event for each message. Reads alone, in
// pages and one snapshot for each conversation, so it may run beside servers that write. Blocks: not on an event loop.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "drivers/mongo/client_pool.h"

namespace parley::messaging {

struct MongoCheckReport {
  std::int64_t conversations = 0;
  std::int64_t messages = 0;
  std::int64_t events = 0;
  std::int64_t open_numbers = 0;  // of the log: of writes under way, or of a process that died, which readers fill
  std::vector<std::string> problems;
  bool ok() const { return problems.empty(); }
};

// fail: as mongo::to_operator_error() says.
Result<MongoCheckReport> check_messaging_in_mongodb(mongo::ClientPool& pool);

}  // namespace parley::messaging
