#include <algorithm>

#include "search/handler_parts.h"
#include "search/json_encoding.h"

namespace parley::search {

namespace {

// A check reads every message there is; whoever asks waits for it.
constexpr std::chrono::hours kCheckTime{1};
constexpr std::chrono::milliseconds kHeadTime{250};

Task<bool> is_behind(Call& call) {
  const SteadyTime now = call.search.clock.steady_now();
  const auto head = co_await call.search.log.head(now + kHeadTime);
  co_return !head || call.search.lag.behind(*head, call.search.progress.through(), now);
}

}  // namespace

Answer follow_changes(Call& call) {
  const SteadyTime until = std::min(
      call.search.clock.steady_now() + std::chrono::milliseconds(call.request.integer("wait_ms")), call.deadline);
  std::string instance = text_of(call, "instance");
  if (instance.empty()) instance = call.search.changes.instance();
  const Changes changes = co_await call.search.changes.since(std::move(instance), call.request.integer("after"), until);
  const bool behind = co_await is_behind(call);
  co_return http::json_response(200, encode(changes, behind));
}

Answer check_index(Call& call) {
  const auto* const repair = call.request.body().if_contains("repair");
  const SteadyTime until = call.search.clock.steady_now() + kCheckTime;
  auto report = co_await call.search.check.check(repair != nullptr && repair->get_bool(), until);
  if (!report) co_return fail(std::move(report.error()));
  co_return http::json_response(200, encode(*report));
}

}  // namespace parley::search
