#include "search/indexer.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "search/event_mapping.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kTooLarge;
}

void report(const DeadLetter& letter) {
  log_error("an event cannot be indexed", {{"event", letter.event.value},
                                           {"type", letter.type},
                                           {"tenant", letter.tenant.value},
                                           {"offset", letter.offset.value},
                                           {"reason", letter.reason}});
}

}  // namespace

std::vector<Indexer::Mapped> Indexer::map(const std::vector<events::Event>& events) {
  std::vector<Mapped> mapped;
  mapped.reserve(events.size());
  for (const events::Event& event : events) {
    Mapped& one = mapped.emplace_back();
    one.offset = event.offset;
    auto change = change_of_event(event);
    if (change) {
      one.change = std::move(*change);
    } else {
      one.dead = dead_letter(event, std::move(change.error().detail));
    }
  }
  return mapped;
}

Task<Result<>> Indexer::deliver(std::vector<events::Event> events, SteadyTime deadline) {
  if (events.empty()) co_return Result<>{};
  auto turn = co_await with_.turn.take(deadline);
  if (!turn) co_return std::unexpected(std::move(turn.error()));
  const std::vector<Mapped> mapped = map(events);
  auto applied = co_await apply(mapped, events, deadline);
  if (!applied) {
    with_.metrics.failures.Increment();
    co_return applied;
  }
  with_.metrics.batches.Increment();
  tell(events);
  co_return Result<>{};
}

Task<Result<>> Indexer::apply(std::span<const Mapped> part, const std::vector<events::Event>& events,
                              SteadyTime deadline) {
  ChangeBatch batch;
  batch.through = part.back().offset;
  for (const Mapped& one : part) {
    if (one.change) batch.changes.push_back(*one.change);
    if (one.dead) batch.dead_letters.push_back(*one.dead);
  }
  const std::vector<DeadLetter> dead = batch.dead_letters;
  auto outcome = co_await with_.index.apply(std::move(batch), deadline);
  if (outcome) {
    with_.metrics.documents_applied.Increment(static_cast<double>(outcome->applied));
    with_.metrics.documents_stale.Increment(static_cast<double>(outcome->stale));
    with_.metrics.dead_letters.Increment(static_cast<double>(dead.size()));
    for (const DeadLetter& letter : dead) report(letter);
    co_return Result<>{};
  }
  if (!is_refusal(outcome.error()) || (part.size() == 1 && !part.front().change)) {
    co_return std::unexpected(std::move(outcome.error()));
  }
  if (part.size() > 1) {
    auto first = co_await apply(part.first(part.size() / 2), events, deadline);
    if (!first) co_return first;
    co_return co_await apply(part.subspan(part.size() / 2), events, deadline);
  }
  const auto event = std::ranges::find(events, part.front().offset, &events::Event::offset);
  const std::vector<Mapped> alone{
      {.change = {}, .dead = dead_letter(*event, std::move(outcome.error().detail)), .offset = event->offset}};
  co_return co_await apply(alone, events, deadline);
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
