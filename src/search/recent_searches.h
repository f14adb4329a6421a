// RecentSearches: the port behind which each user's last searches are kept, for that user alone. Made and owned by the
// wiring, which gives it its clock and how long a search is kept; called on event loops, answers on the loop that
// asked. fail: invalid (query.q) above kMaxQueryBytes or not UTF-8, overloaded, deadline_exceeded, storage_full,
// unavailable.
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

inline constexpr std::size_t kMaxRecentSearches = 50;  // of one user; older ones go

struct RecentSearch {
  std::string query;  // as last typed, without spaces around it
  WallTime searched_at{};
};

class RecentSearches {
 public:
  virtual ~RecentSearches() = default;
  // Takes the place of an earlier one that differs in case, accents or spaces only. A text of spaces is not kept.
  virtual Task<Result<>> add(TenantId tenant, UserId user, std::string query, SteadyTime deadline) = 0;
  // Newest first, those that have not expired.
  virtual Task<Result<std::vector<RecentSearch>>> list(TenantId tenant, UserId user, SteadyTime deadline) = 0;
  virtual Task<Result<>> clear(TenantId tenant, UserId user, SteadyTime deadline) = 0;
  // Erases at most `limit` expired ones, of all users, the oldest first; true while there are more.
  virtual Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) = 0;
};

}  // namespace parley::search
