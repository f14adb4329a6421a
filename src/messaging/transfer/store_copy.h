// Copying a store of messaging into another, once over: what the target has already, the same, stays as it is, so the
// first time all is copied, and later only what changed. A conversation of which the target has the event number is
// the same in all that it holds. Blocks; one thread.
//
// Killed at any point, it is just called again: a conversation gets its event number in the target last.
#pragma once
#include <cstdint>
#include <functional>

#include "messaging/transfer/store_transfer.h"

namespace parley::messaging::transfer {

// Of one pass: looked at, and of those, written.
struct CopyCounts {
  std::int64_t conversations = 0;
  std::int64_t changed_conversations = 0;
  std::int64_t members = 0;
  std::int64_t messages = 0;
  std::int64_t users = 0;
  std::int64_t requests = 0;
  std::int64_t deleted_files = 0;
};
// Called often; quick.
using CopyProgress = std::function<void(const CopyCounts&)>;

// Claims the target, or finds that it is this source's own. fail: target_in_use when it holds anything else;
// already_moved when the move is done.
Result<> claim(StoreReader& source, StoreWriter& target);
Result<CopyCounts> copy(StoreReader& source, StoreWriter& target, const CopyProgress& progress);

}  // namespace parley::messaging::transfer
