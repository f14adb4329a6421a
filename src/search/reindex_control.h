// ReindexControl: the port through which an index is built anew from the store while the old one serves. Made and owned
// by the wiring; called on event loops, answers on the loop that asked. What was begun goes on by itself, over restarts
// too. fail: not_found for an id that is none, unavailable, overloaded, deadline_exceeded.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::search {

enum class ReindexPhase { kRunning, kDone, kFailed };

struct ReindexState {
  std::string id;
  std::optional<TenantId> tenant;  // none: every tenant
  ReindexPhase phase = ReindexPhase::kRunning;
  double progress = 0;       // 0 to 1, as far as it can be told
  std::int64_t tenants = 0;  // known so far; 1 for one tenant
  std::int64_t tenants_done = 0;
  std::int64_t messages = 0;  // written so far, like the two below
  std::int64_t conversations = 0;
  std::int64_t users = 0;
  WallTime started_at{};
  std::optional<WallTime> finished_at;
  std::string failure;  // of kFailed: one sentence that a caller may see
};

struct ReindexStart {
  ReindexState state;
  bool already_running = false;  // then `state` is the one under way, and nothing was begun
};

class ReindexControl {
 public:
  virtual ~ReindexControl() = default;
  // Without a tenant: of every tenant.
  virtual Task<Result<ReindexStart>> start(std::optional<TenantId> tenant, SteadyTime deadline) = 0;
  // `of`: what concerns that tenant alone, of a reindex of every tenant too; not_found where nothing does.
  virtual Task<Result<ReindexState>> state(std::string id, std::optional<TenantId> of, SteadyTime deadline) = 0;
  // Whether the store or the index has anything of the tenant.
  virtual Task<Result<bool>> is_known(TenantId tenant, SteadyTime deadline) = 0;
};

}  // namespace parley::search
