// ChangeFollower: hears from search which tenants' searches may answer differently now, by long polls of its
// /internal/changes, and moves their TenantEpochs; and up to when what was written can be found: once the index is
// where the log ended at a question, all is in it that was written before that question. Lives on one loop: start() and
// stop() are called there; it must be stopped before it is destroyed. What fails is asked again; meanwhile the epochs
// are not trusted and no cached answer is used.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "base/task_group.h"
#include "gateway/change_numbers.h"
#include "gateway/tenant_epochs.h"
#include "http/upstream.h"
#include "resilience/timer.h"
#include "telemetry/metrics.h"

namespace parley::gateway {

struct ChangeFollowerSettings {
  std::chrono::milliseconds wait{250};         // how long search may hold a question
  std::chrono::milliseconds short_wait{20};    // the same, while a write may not be found yet
  std::chrono::milliseconds grace{500};        // for the answer after that
  std::chrono::milliseconds retry_after{200};  // between the beginnings of two questions, the first of which failed
  std::chrono::milliseconds pace{10};          // likewise, when it did not: a busy search is not asked without pause
};

// What search answers to GET /internal/changes.
struct Changes {
  std::string instance;      // of this run of search; numbers of another one mean nothing
  std::int64_t through = 0;  // what to ask after next
  bool all = false;          // whatever `tenants` says
  bool behind = false;       // search knows of events it has yet to take: its silence means nothing
  std::vector<std::string> tenants;
  std::optional<std::int64_t> log_head;  // where the event log ended when the question came
  std::optional<std::int64_t> indexed;   // how far in it the index is
};
// kInvalid on anything else; members that it does not know are passed over.
Result<Changes> parse_changes(std::string_view json);

class ChangeFollower {
 public:
  // What is passed by reference must outlive this. `token` makes the bearer token of a question.
  ChangeFollower(std::shared_ptr<http::Upstream> search, std::function<std::string()> token, TenantEpochs& epochs,
                 ChangeFollowerSettings settings, const Clock& clock, Timer& timer, Metrics& metrics,
                 ChangeNumbers* numbers = nullptr);  // null: nobody compares with other gateways

  void start(EventLoop& loop);
  // Asks no more; calls `on_stopped` once the question under way has ended, which takes at most `wait` and `grace`
  // while search sends whole answers.
  void stop(std::move_only_function<void()> on_stopped);

 private:
  Task<> run();
  Task<Result<>> ask(SteadyTime asked_at);
  void take(const Changes& changes, SteadyTime asked_at);
  void settle(const Changes& changes, SteadyTime asked_at);
  // Tells of it when things change for the better or the worse.
  void report(const Result<>& heard);

  const std::shared_ptr<http::Upstream> search_;
  const std::function<std::string()> token_;
  TenantEpochs& epochs_;
  ChangeNumbers* const numbers_;
  const ChangeFollowerSettings settings_;
  const Clock& clock_;
  Timer& timer_;
  Gauge& up_;
  Counter& failures_;
  Counter& tenant_changes_;
  Counter& all_changes_;

  std::unique_ptr<TaskGroup> tasks_;
  bool stopping_ = false;
  enum class Hearing { kUnknown, kWell, kNot } hearing_ = Hearing::kUnknown;
  std::string instance_;  // empty: what was heard before counts for nothing
  std::int64_t after_ = 0;
  // Where the log ended at questions since; the index has yet to come there. At most kMostEnds.
  struct End {
    SteadyTime asked_at;
    std::int64_t offset;
  };
  static constexpr std::size_t kMostEnds = 128;
  std::deque<End> ends_;
};

}  // namespace parley::gateway
