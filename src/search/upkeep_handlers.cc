#include <algorithm>

#include "search/handler_parts.h"
#include "search/json_encoding.h"

namespace parley::search {

namespace {

// A check reads every message there is; whoever asks waits for it.
constexpr std::chrono::hours kCheckTime{1};
constexpr std::chrono::milliseconds kHeadTime{250};

}  // namespace

Answer follow_changes(Call& call) {
  Search& search = call.search;
  const SteadyTime now = search.clock.steady_now();
  const SteadyTime until = std::min(now + std::chrono::milliseconds(call.request.integer("wait_ms")), call.deadline);
  // Before the wait: what the index has then is held against where the log ended when the question came.
  const auto head = co_await search.log.head(now + kHeadTime);
  if (head) (void)search.lag.behind(*head, search.progress.through(), now);
  std::string instance = text_of(call, "instance");
  if (instance.empty()) instance = search.changes.instance();
  const std::int64_t after = call.request.integer("after");
  (void)co_await search.changes.since(instance, after, until);
  FeedStanding standing{.indexed = search.progress.through()};
  // After that: all that is said to be indexed is then among the changes that are told.
  const Changes changes = search.changes.so_far(instance, after);
  if (head) standing.log_head = *head;
  standing.behind = !head || search.lag.behind(*head, standing.indexed, search.clock.steady_now());
  co_return http::json_response(200, encode(changes, standing));
}

Answer check_index(Call& call) {
  const auto* const repair = call.request.body().if_contains("repair");
  const SteadyTime until = call.search.clock.steady_now() + kCheckTime;
  auto report = co_await call.search.check.check(repair != nullptr && repair->get_bool(), until);
  if (!report) co_return fail(std::move(report.error()));
  co_return http::json_response(200, encode(*report));
}

}  // namespace parley::search
