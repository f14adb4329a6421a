// StoreReading: what the indexer asks of the reindexer, on their loop: to build the index from the store where the
// event log does not reach back far enough, and to go on with what an earlier process left half done.
#pragma once
#include "base/result.h"
#include "base/task.h"

namespace parley::search {

class StoreReading {
 public:
  virtual ~StoreReading() = default;
  // A new index for every tenant, whatever was under way. Returns when all of them serve, or with what was in the way:
  // then it is to be called again.
  virtual Task<Result<>> rebuild_everything() = 0;
  // Called once, when the index is known to follow the log.
  virtual void resume() = 0;
};

}  // namespace parley::search
