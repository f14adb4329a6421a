#include "search/event_applier.h"

#include <algorithm>
#include <utility>

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

std::vector<EventApplier::Mapped> EventApplier::map(const std::vector<events::Event>& events) {
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

Task<Result<std::vector<events::RefusedEvent>>> EventApplier::apply(std::vector<events::Event> events,
                                                                    std::optional<Lanes> lanes, SteadyTime deadline) {
  const std::vector<Mapped> mapped = map(events);
  Run run{.events = events, .lanes = lanes, .deadline = deadline};
  auto applied = co_await apply(run, mapped, true);
  if (!applied) co_return fail(std::move(applied.error()));
  co_return std::move(run.refused);
}

Task<Result<>> EventApplier::apply(Run& run, std::span<const Mapped> part, bool last) {
  ChangeBatch batch;
  if (!run.lanes) {
    batch.through = part.back().offset;
  } else {
    batch.lane_count = run.lanes->count;
    if (last) batch.lanes = run.lanes->lanes;
  }
  for (const Mapped& one : part) {
    if (one.change) batch.changes.push_back(*one.change);
    if (one.dead) batch.dead_letters.push_back(*one.dead);
  }
  const std::vector<DeadLetter> dead = batch.dead_letters;
  auto outcome = co_await index_.apply(std::move(batch), run.deadline);
  if (outcome) {
    note(run, *outcome, dead);
    co_return Result<>{};
  }
  const bool nothing_to_refuse = part.empty() || (part.size() == 1 && !part.front().change);
  if (!is_refusal(outcome.error()) || nothing_to_refuse) co_return std::unexpected(std::move(outcome.error()));
  if (part.size() > 1) {
    auto first = co_await apply(run, part.first(part.size() / 2), false);
    if (!first) co_return first;
    co_return co_await apply(run, part.subspan(part.size() / 2), last);
  }
  const auto event = std::ranges::find(run.events, part.front().offset, &events::Event::offset);
  const std::vector<Mapped> alone{
      {.change = {}, .dead = dead_letter(*event, std::move(outcome.error().detail)), .offset = event->offset}};
  co_return co_await apply(run, alone, last);
}

void EventApplier::note(Run& run, const ApplyOutcome& outcome, const std::vector<DeadLetter>& dead) {
  metrics_.documents_applied.Increment(static_cast<double>(outcome.applied));
  metrics_.documents_stale.Increment(static_cast<double>(outcome.stale));
  metrics_.dead_letters.Increment(static_cast<double>(dead.size()));
  for (const DeadLetter& letter : dead) {
    report(letter);
    const auto event = std::ranges::find(run.events, letter.offset, &events::Event::offset);
    run.refused.push_back({*event, letter.reason});
  }
}

}  // namespace parley::search
