#include "search/indexer.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "telemetry/log.h"

namespace parley::search {

Task<Result<>> Indexer::deliver(std::vector<events::Event> events, SteadyTime deadline) {
  if (events.empty()) co_return Result<>{};
  auto turn = co_await with_.turn.take(deadline);
  if (!turn) co_return std::unexpected(std::move(turn.error()));
  auto applied = co_await applier_.apply(events, std::nullopt, deadline);
  if (!applied) {
    with_.metrics.failures.Increment();
    co_return std::unexpected(std::move(applied.error()));
  }
  with_.metrics.batches.Increment();
  tell(events);
  co_return Result<>{};
}

void Indexer::tell(const std::vector<events::Event>& events) {
  const events::Event& newest = events.back();
  const auto age = std::max(with_.clock.wall_now() - newest.time, std::chrono::milliseconds(0));
  with_.metrics.lag_seconds.Set(std::chrono::duration<double>(age).count());
  std::vector<TenantId> tenants;
  for (const events::Event& event : events) {
    if (std::ranges::find(tenants, event.tenant) == tenants.end()) tenants.push_back(event.tenant);
  }
  // In this order: who sees how far the index is finds told what came into it.
  with_.changes.touched(tenants);
  with_.progress.set(newest.offset);
}

Task<Result<events::LogOffset>> Indexer::load_offset(events::EventLog& log, SteadyTime deadline) {
  const auto through = co_await with_.index.indexed_through(deadline);
  if (!through) co_return std::unexpected(through.error());
  // An index that followed the log in lanes, over Kafka, goes on from where the least of them is.
  const auto lanes = co_await with_.index.lanes(deadline);
  if (!lanes) co_return std::unexpected(lanes.error());
  if (lanes->size() > 1) {
    if (auto set = co_await with_.index.follow_from(*through, deadline); !set) {
      co_return std::unexpected(std::move(set.error()));
    }
  }
  const auto tail = co_await log.tail(deadline);
  if (!tail) co_return std::unexpected(tail.error());
  const auto head = co_await log.head(deadline);
  if (!head) co_return std::unexpected(head.error());

  events::LogOffset from = *through;
  if (from < *tail || from > *head) {
    log_warn("the event log does not go on where the search index ends: the index is built from the store",
             {{"indexed_through", from.value}, {"log_tail", tail->value}, {"log_head", head->value}});
    const auto reached = co_await follow_from_store(log, *head);
    if (!reached) co_return reached;
    from = *reached;
  }
  if (auto saved = co_await log.save_offset(name(), from, soon()); !saved) {
    co_return std::unexpected(std::move(saved.error()));
  }
  with_.progress.set(from);
  if (!std::exchange(resumed_, true)) with_.store.resume();
  co_return from;
}

// Not bound to the caller's deadline: reading a whole store takes as long as it takes.
Task<Result<events::LogOffset>> Indexer::follow_from_store(events::EventLog& log, events::LogOffset head) {
  // Nothing that is still to be applied leaves the log while the store is read.
  if (auto saved = co_await log.save_offset(name(), head, soon()); !saved) {
    co_return std::unexpected(std::move(saved.error()));
  }
  if (auto built = co_await with_.store.rebuild_everything(); !built) {
    co_return std::unexpected(std::move(built.error()));
  }
  if (auto set = co_await with_.index.follow_from(head, soon()); !set) {
    co_return std::unexpected(std::move(set.error()));
  }
  co_return head;
}

// The offset that counts was committed with the rows: the log is told beside the line, which does not wait for it.
Task<Result<>> Indexer::save_offset(events::EventLog& log, events::LogOffset offset, SteadyTime) {
  reached_ = std::max(reached_, offset);
  if (notes_.running() == 0 && !closing_) notes_.spawn(note_offsets(log));
  co_return Result<>{};
}

Task<> Indexer::note_offsets(events::EventLog& log) {
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;
  Timer pause(with_.loop.io());
  while (noted_ < reached_) {
    const events::LogOffset now = reached_;
    if (auto saved = co_await log.save_offset(name(), now, soon()); saved) {
      noted_ = now;
    } else {
      log_warn("the event log did not note how far the search index is", {{"code", saved.error().code}});
    }
    if (closing_) co_return;
    pause.expires_after(kOffsetNotedEvery);
    end_pause_ = [&pause] { pause.cancel(); };
    co_await pause.async_wait(kAwait);
    end_pause_ = nullptr;
  }
}

void Indexer::close(std::move_only_function<void()> closed) {
  closing_ = true;
  if (end_pause_) end_pause_();
  notes_.drain(std::move(closed));
}

SteadyTime Indexer::soon() const {
  return with_.clock.steady_now() + std::chrono::seconds(10);
}

}  // namespace parley::search
