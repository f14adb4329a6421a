// ChangeFeed: tells caches which tenants changed, after what changed can be found. A gateway follows it by a long poll
// and drops what it remembers of those tenants. It remembers the last kRemembered changes of this process only: who
// comes with an older number, or one of another start, is told that anything may have changed. Made and owned by the
// wiring; touched() from any thread, since() on any loop.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/one_shot.h"
#include "base/random.h"
#include "base/task.h"

namespace parley::search {

struct Changes {
  std::string instance;           // random for each start
  std::int64_t through = 0;       // what to ask with the next time
  bool all = false;               // anything may have changed; then `tenants` is empty
  std::vector<TenantId> tenants;  // each once, by id
};

class ChangeFeed {
 public:
  static constexpr std::size_t kRemembered = 4096;

  explicit ChangeFeed(Random& random);

  const std::string& instance() const { return instance_; }
  void touched(const std::vector<TenantId>& tenants);
  // Anything may have changed, as where another process wrote.
  void touched_anything();

  // What changed after number `after` of `instance`: at once when there is something, else as soon as there is, else
  // nothing at `deadline`. Another instance than this one, or none: all, at once.
  Task<Changes> since(std::string instance, std::int64_t after, SteadyTime deadline);
  // The same, without waiting for anything. Any thread.
  Changes so_far(const std::string& instance, std::int64_t after);

 private:
  struct Woken {};
  // With the mutex held.
  Changes changes_after(std::int64_t after) const;

  const std::string instance_;
  std::mutex mutex_;
  std::int64_t through_ = 0;
  std::vector<TenantId> ring_;  // number n stands at n % kRemembered
  std::uint64_t waits_ = 0;
  std::map<std::uint64_t, OneShotPromise<Woken>> waiting_;
};

}  // namespace parley::search
