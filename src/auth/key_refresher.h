// KeyRefresher: keeps a KeyRing in step with a JwksSource: at start, at an interval, and at once when a token names a
// key that nobody knows (at most once per min_gap). While a fetch fails, the keys in force stay. Lives on its home
// loop; other loops may only call refresh(). Unchanged keys are not swapped, so the verified-token caches survive a
// refresh.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwks_source.h"
#include "auth/key_set.h"
#include "base/event_loop.h"
#include "base/one_shot.h"
#include "base/task_group.h"

namespace parley::auth {

class KeyRefresher {
 public:
  struct Settings {
    std::chrono::milliseconds interval{std::chrono::minutes(5)};
    std::chrono::milliseconds min_gap{std::chrono::seconds(10)};
    std::chrono::milliseconds fetch_timeout{std::chrono::seconds(5)};
  };
  struct Report {
    bool changed = false;
    std::size_t keys = 0;
    std::string problem;  // why the fetch failed, or which keys were left out; empty when all is well
  };

  // `fixed`: keys that are always in force beside those fetched. `on_report` hears of each fetch, on the home loop.
  KeyRefresher(EventLoop& home, KeyRing& ring, std::unique_ptr<JwksSource> source, KeySet fixed, Settings settings,
               const Clock& clock, std::function<void(const Report&)> on_report = {});
  // After close() has called back, or before start().
  ~KeyRefresher() = default;

  // Home loop: begins the first fetch.
  void start();
  // Home loop: begins a fetch if the interval has passed (after a failure: min_gap). Its own deadline calls this.
  void refresh_if_due();
  // Home loop: no fetch begins any more; `closed` is called once the one under way has ended.
  void close(std::move_only_function<void()> closed);

  // Any loop: joins the fetch under way, or begins one unless the last is younger than min_gap. Answers how the latest
  // fetch went: an error is kUnavailable, or kTimeout at `deadline`.
  Task<Result<>> refresh(SteadyTime deadline);

 private:
  void join(OneShotPromise<void> waiter);
  void begin_fetch();
  Task<> fetch_once();
  Result<> take(Result<std::string> fetched);

  EventLoop& home_;
  KeyRing& ring_;
  const std::unique_ptr<JwksSource> source_;
  const KeySet fixed_;
  const Settings settings_;
  const Clock& clock_;
  const std::function<void(const Report&)> on_report_;

  std::optional<Deadline> next_;
  SteadyTime last_begun_ = SteadyTime::min();
  std::optional<std::string> last_text_;
  Result<> last_outcome_ =
      unavailable("unavailable", "The keys that tokens are verified with have not been fetched yet.");
  std::vector<OneShotPromise<void>> waiters_;
  bool fetching_ = false;
  bool closing_ = false;
  TaskGroup tasks_;
};

}  // namespace parley::auth
