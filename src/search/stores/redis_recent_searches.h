// RedisRecentSearches: RecentSearches for all instances of search that share a Redis. A user's searches are one list,
// changed by scripts, so that two instances never lose one another's; an index over all users by the time of their
// oldest search is what sweeping goes by. Owned by the wiring; called on event loops. When Redis is away its calls fail
// with kUnavailable at once, and no search fails for it.
#pragma once
#include <chrono>
#include <string>

#include "base/clock.h"
#include "drivers/redis/redis_client.h"
#include "search/recent_searches.h"

namespace parley::search {

class RedisRecentSearches final : public RecentSearches {
 public:
  struct Options {
    std::chrono::days life{90};              // 0: searches do not expire
    std::chrono::milliseconds timeout{500};  // of one call, within the caller's deadline
    std::string prefix = "parley:recent:";   // of its keys
  };
  // Both must outlive this.
  RedisRecentSearches(redis::RedisClient& client, Options options, const Clock& clock);

  Task<Result<>> add(TenantId tenant, UserId user, std::string query, SteadyTime deadline) override;
  Task<Result<std::vector<RecentSearch>>> list(TenantId tenant, UserId user, SteadyTime deadline) override;
  Task<Result<>> clear(TenantId tenant, UserId user, SteadyTime deadline) override;
  Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) override;

 private:
  std::string key_of(const TenantId& tenant, const UserId& user) const;
  std::string index_key() const { return options_.prefix + "oldest"; }
  // Searches of this time and before have expired; as text, for a script.
  std::int64_t expired_ms() const;
  // None: the deadline has passed.
  std::optional<std::chrono::milliseconds> time_for(SteadyTime deadline) const;

  redis::RedisClient& client_;
  const Options options_;
  const Clock& clock_;
};

}  // namespace parley::search
