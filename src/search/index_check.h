// IndexCheck: the port through which the index is compared with the store, message by message. Made and owned by the
// wiring; called on event loops, answers on the loop that asked. It reads everything, so it takes long; the caller
// gives it a deadline to match. fail: unavailable, deadline_exceeded.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::search {

// One conversation whose index is not what the store holds. Of each kind of fault at most kMaxShown are named.
struct IndexDifference {
  TenantId tenant;
  ConversationId conversation;
  std::int64_t stored = 0;  // live messages in the store
  std::int64_t indexed = 0;
  std::vector<MessageId> missing;    // in the store alone
  std::vector<MessageId> surplus;    // in the index alone
  std::vector<MessageId> different;  // with other content
};

struct IndexCheckReport {
  std::int64_t tenants = 0;
  std::int64_t conversations = 0;
  std::int64_t messages = 0;  // in the store
  std::int64_t indexed = 0;
  std::int64_t dead_letters = 0;
  std::int64_t differing = 0;                // conversations
  std::vector<IndexDifference> differences;  // the first kMaxShown
  std::vector<std::string> reindexes;        // that a repair began, or found running
};

class IndexCheck {
 public:
  static constexpr std::size_t kMaxShown = 20;

  virtual ~IndexCheck() = default;
  // With `repair` the tenants whose index differs are indexed anew.
  virtual Task<Result<IndexCheckReport>> check(bool repair, SteadyTime deadline) = 0;
};

}  // namespace parley::search
