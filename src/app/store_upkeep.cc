#include "app/store_upkeep.h"

#include "telemetry/log.h"

namespace parley::app {

StoreUpkeep::StoreUpkeep(EventLoop& loop, Store store, const Clock& clock, Metrics& metrics, Settings settings)
    : loop_(loop),
      store_(std::move(store)),
      clock_(clock),
      settings_(settings),
      log_end_(metrics.gauge("parley_event_log_end", "Offset of the newest event in the log", {{"role", store_.role}})),
      events_(metrics.gauge("parley_event_log_events", "Events in the log", {{"role", store_.role}})),
      metrics_(metrics),
      pruned_(metrics.counter("parley_event_log_pruned_total", "Events that left the log", {{"role", store_.role}})),
      failures_(metrics.counter("parley_store_upkeep_failures_total", "Steps of upkeep that failed and come again",
                                {{"role", store_.role}})),
      tasks_(loop) {
  if (!store_.erase) return;
  erased_ = &metrics.counter("parley_store_erased_messages_total",
                             "Messages of deleted conversations whose content was erased", {{"role", store_.role}});
}

void StoreUpkeep::start() {
  next_.emplace(loop_, [this] {
    if (!closing_) tasks_.spawn(run_once());
  });
  next_->arm(loop_.coarse_now());
}

void StoreUpkeep::close(std::move_only_function<void()> closed) {
  closing_ = true;
  next_.reset();
  tasks_.drain(std::move(closed));
}

Task<> StoreUpkeep::run_once() {
  if (store_.erase) co_await erase();
  co_await prune();
  co_await show_log();
  if (!closing_) next_->arm(loop_.coarse_now() + settings_.interval);
}

Task<> StoreUpkeep::show_log() {
  const auto standing = co_await store_.log.standing(step_deadline());
  if (!standing) co_return;
  log_end_.Set(static_cast<double>(standing->head.value));
  events_.Set(static_cast<double>(standing->events));
  for (const auto& [consumer, behind] : standing->behind) {
    metrics_
        .gauge("parley_event_log_lag", "Events that a consumer has still to take",
               {{"role", store_.role}, {"consumer", consumer}})
        .Set(static_cast<double>(behind));
  }
}

Task<> StoreUpkeep::erase() {
  while (!closing_) {
    const Result<std::int64_t> done = co_await store_.erase(settings_.erased_at_once, step_deadline());
    if (!done) {
      failures_.Increment();
      log_warn("erasing what deleted conversations said failed", {{"role", store_.role}, {"code", done.error().code}});
    }
    if (!done || *done == 0) co_return;
    erased_->Increment(static_cast<double>(*done));
  }
}

Task<> StoreUpkeep::prune() {
  const WallTime before = clock_.wall_now() - settings_.events_kept;
  while (!closing_) {
    events::EventLog& log = store_.log;
    const Result<std::int64_t> done =
        settings_.consumers_expected ? co_await log.prune(before, settings_.pruned_at_once, step_deadline())
                                     : co_await log.prune_unread(before, settings_.pruned_at_once, step_deadline());
    if (!done) {
      failures_.Increment();
      log_warn("pruning the event log failed", {{"role", store_.role}, {"code", done.error().code}});
    }
    if (!done || *done == 0) co_return;
    pruned_.Increment(static_cast<double>(*done));
  }
}

}  // namespace parley::app
