#include "events/mongo_event_log.h"

#include <pthread.h>

#include <algorithm>

#include "telemetry/log.h"

namespace parley::events {

namespace {

using mongo::Database;
using mongo::Document;
using mongo::make_document;

constexpr std::int64_t kLookedAtOnce = 1'000;
constexpr std::chrono::milliseconds kPauseAfterFailure{1'000};
constexpr std::chrono::milliseconds kFillTime{1'000};

struct Nothing {};

MongoReference read_reference(mongo::View row) {
  MongoReference reference;
  const auto bytes = row.bytes("ref");
  CHECK(bytes.size() == reference.document.size());
  std::ranges::copy(bytes, reference.document.begin());
  reference.version = row.integer("version");
  return reference;
}

Document above(std::int64_t number) {
  return make_document("_id", make_document("$gt", number));
}

Document in_order() {
  return make_document("_id", 1);
}

Result<> nothing_of(Result<Nothing> done) {
  if (!done) return std::unexpected(std::move(done.error()));
  return {};
}

}  // namespace

MongoEventLog::MongoEventLog(mongo::ClientPool& pool, mongo::ReaderPool& readers, CommitSignal& signal,
                             const MongoEventCollections& collections, Resolver resolver,
                             const PositionCodec& positions, Options options)
    : pool_(pool),
      readers_(readers),
      signal_(signal),
      collections_(collections),
      resolver_(std::move(resolver)),
      positions_(positions),
      options_(options),
      poller_([this] { look_for_others(); }) {
  pthread_setname_np(poller_.native_handle(), "event-poll");
}

MongoEventLog::~MongoEventLog() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  poller_.join();
}

Task<Result<EventBatch>> MongoEventLog::read(LogOffset after, std::size_t limit, SteadyTime deadline) {
  EventBatch batch;
  batch.through = after;
  for (;;) {
    const LogOffset from = batch.through;
    auto part = co_await readers_.run<ReadPart>(
        deadline, [this, from, limit](Database& db) -> Result<ReadPart> { return read_part(db, from, limit); });
    if (!part) co_return fail(std::move(part.error()));
    batch = std::move(part->batch);
    forget_gap_before(batch.through);
    if (part->gap && is_overdue(*part->gap)) {
      if (auto filled = co_await fill(*part->gap, deadline); !filled) co_return fail(std::move(filled.error()));
    }
    // Nothing but voids: callers take an answer without events for the end of the log.
    if (batch.events.empty() && part->more && !part->gap) continue;
    co_return batch;
  }
}

MongoEventLog::ReadPart MongoEventLog::read_part(Database& database, LogOffset after, std::size_t limit) {
  ReadPart part;
  part.batch.through = after;
  const auto rows = database.find(collections_.events.c_str(), above(after.value),
                                  {.sort = in_order(), .limit = static_cast<std::int64_t>(limit)});
  part.more = rows.size() == limit;
  std::vector<std::pair<std::size_t, MongoReference>> references;
  for (const Document& document : rows) {
    const mongo::View row = document.view();
    const std::int64_t number = row.integer("_id");
    if (number != part.batch.through.value + 1 && part.batch.through == after) {
      // Numbers that were pruned are not open.
      part.batch.through.value = std::max(after.value, std::min(number - 1, pruned_through(database)));
    }
    if (number != part.batch.through.value + 1) {
      part.gap = Gap{part.batch.through.value + 1, number - 1, {}};
      break;
    }
    part.batch.through = {number};
    if (row.has("void")) continue;
    if (row.has("ref")) references.emplace_back(part.batch.events.size(), read_reference(row));
    part.batch.events.push_back(read_event(row));
  }
  if (!references.empty()) {
    std::vector<Referring> referring;
    for (const auto& [place, reference] : references) referring.push_back({&part.batch.events[place], reference});
    resolver_(database, referring);
  }
  return part;
}

bool MongoEventLog::is_overdue(const Gap& gap) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (gap_.first != gap.first) {
    gap_ = gap;
    gap_.since = now;
  }
  return now - gap_.since >= options_.gap_patience;
}

void MongoEventLog::forget_gap_before(LogOffset through) {
  const std::lock_guard lock(mutex_);
  if (gap_.first <= through.value) gap_ = {};
}

Task<Result<>> MongoEventLog::fill(Gap gap, SteadyTime deadline) {
  log_warn("a number of the event log was taken and never used", {{"first", gap.first}, {"last", gap.last}});
  co_return nothing_of(co_await readers_.look<Nothing>(deadline, [this, gap](Database&) -> Result<Nothing> {
    const SteadyTime end = pool_.clock().steady_now() + kFillTime;
    auto lease = pool_.borrow(end);
    auto database = lease.database(end);
    if (fill_with_voids(database, collections_, {gap.first}, {gap.last})) {
      const std::lock_guard lock(mutex_);
      gap_ = {};
    }
    return Nothing{};
  }));
}

std::int64_t MongoEventLog::pruned_through(Database& database) {
  const auto row = database.find_one(collections_.log.c_str(), make_document("_id", "pruned"));
  return row ? row->view().integer("through") : 0;
}

// From nothing: where as many documents are as there are numbers, none is open.
MongoEventLog::Known MongoEventLog::skip_known_dense(Database& database, Known known) {
  const std::int64_t pruned = pruned_through(database);
  known.through = std::max(known.through, pruned);
  const LogOffset last = last_event(database, collections_);
  const auto there = database.count(collections_.events.c_str(),
                                    make_document("_id", make_document("$gt", known.through, "$lte", last.value)));
  if (last.value > known.through && there == last.value - known.through) return {last.value, last.value};
  if (known.last_event == 0) known.last_event = std::min(known.through, last.value);
  return known;
}

MongoEventLog::Known MongoEventLog::look_ahead(Database& database) {
  Known known;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
  }
  if (known.through == 0) known = skip_known_dense(database, known);
  for (bool more = true; more;) {
    const auto rows =
        database.find(collections_.events.c_str(), above(known.through),
                      {.sort = in_order(), .fields = make_document("_id", 1, "void", 1), .limit = kLookedAtOnce});
    more = rows.size() == static_cast<std::size_t>(kLookedAtOnce);
    for (const Document& row : rows) {
      const std::int64_t number = row.view().integer("_id");
      if (number != known.through + 1) {
        const std::int64_t pruned = pruned_through(database);
        if (pruned < number - 1) {
          more = false;
          break;
        }
      }
      known.through = number;
      if (!row.view().has("void")) known.last_event = number;
    }
  }
  const std::lock_guard lock(mutex_);
  if (known.through > known_.through) known_ = known;
  return known;
}

Task<Result<LogOffset>> MongoEventLog::head(SteadyTime deadline) {
  return readers_.look<LogOffset>(
      deadline, [this](Database& db) -> Result<LogOffset> { return LogOffset{look_ahead(db).last_event}; });
}

Task<Result<LogOffset>> MongoEventLog::tail(SteadyTime deadline) {
  return readers_.look<LogOffset>(deadline,
                                  [this](Database& db) -> Result<LogOffset> { return LogOffset{pruned_through(db)}; });
}

Task<Result<LogStanding>> MongoEventLog::standing(SteadyTime deadline) {
  return readers_.look<LogStanding>(deadline, [this](Database& db) -> Result<LogStanding> {
    const std::int64_t head = look_ahead(db).last_event;
    LogStanding standing{.head = {head}, .events = std::max<std::int64_t>(0, head - pruned_through(db)), .behind = {}};
    for (const Document& row : db.find(collections_.consumers.c_str(), {}, {.sort = in_order()})) {
      standing.behind.emplace_back(row.view().text("_id"), head - row.view().integer("offset"));
    }
    return standing;
  });
}

Task<Result<LogOffset>> MongoEventLog::load_offset(std::string consumer, SteadyTime deadline) {
  return readers_.look<LogOffset>(deadline, [this, name = std::move(consumer)](Database& db) -> Result<LogOffset> {
    const auto row = db.find_one(collections_.consumers.c_str(), make_document("_id", name));
    return LogOffset{row ? row->view().integer("offset") : 0};
  });
}

Task<Result<>> MongoEventLog::save_offset(std::string consumer, LogOffset offset, SteadyTime deadline) {
  co_return nothing_of(co_await readers_.look<Nothing>(
      deadline, [this, name = std::move(consumer), offset](Database& db) -> Result<Nothing> {
        db.update_one(collections_.consumers.c_str(), make_document("_id", name),
                      make_document("$max", make_document("offset", offset.value)), true);
        return Nothing{};
      }));
}

Task<Result<>> MongoEventLog::forget_consumer(std::string consumer, SteadyTime deadline) {
  co_return nothing_of(
      co_await readers_.look<Nothing>(deadline, [this, name = std::move(consumer)](Database& db) -> Result<Nothing> {
        db.delete_one(collections_.consumers.c_str(), make_document("_id", name));
        return Nothing{};
      }));
}

Task<Result<std::int64_t>> MongoEventLog::prune(WallTime before, std::size_t limit, SteadyTime deadline) {
  return prune(before, limit, LogOffset{0}, deadline);
}

Task<Result<std::int64_t>> MongoEventLog::prune_unread(WallTime before, std::size_t limit, SteadyTime deadline) {
  return prune(before, limit, LogOffset{INT64_MAX}, deadline);
}

Task<Result<std::int64_t>> MongoEventLog::prune(WallTime before, std::size_t limit, LogOffset passed,
                                                SteadyTime deadline) {
  return readers_.look<std::int64_t>(
      deadline, [=, this](Database& db) -> Result<std::int64_t> { return prune_now(db, before, limit, passed); });
}

std::int64_t MongoEventLog::prune_now(Database& database, WallTime before, std::size_t limit, LogOffset passed) {
  const auto slowest = database.find_one(collections_.consumers.c_str(), {}, {.sort = make_document("offset", 1)});
  const std::int64_t passed_by_all = slowest ? slowest->view().integer("offset") : passed.value;
  // The last event stays, so that the log is never whole gone.
  const std::int64_t end = std::min(passed_by_all, look_ahead(database).last_event - 1);
  const auto rows = database.find(
      collections_.events.c_str(), make_document("_id", make_document("$lte", end)),
      {.sort = in_order(), .fields = make_document("time", 1, "void", 1), .limit = static_cast<std::int64_t>(limit)});
  std::int64_t through = 0;
  std::int64_t events = 0;
  for (const Document& row : rows) {
    // The first event that must stay ends the run, also where a clock was behind: no holes.
    if (!row.view().has("void")) {
      if (row.view().time("time") >= before) break;
      ++events;
    }
    through = row.view().integer("_id");
  }
  if (through == 0) return 0;
  // Said before it is done: whoever misses them then knows why.
  database.update_one(collections_.log.c_str(), make_document("_id", "pruned"),
                      make_document("$max", make_document("through", through)), true);
  database.delete_many(collections_.events.c_str(), make_document("_id", make_document("$lte", through)));
  return events;
}

CommitSignal::Subscription MongoEventLog::subscribe(std::function<void()> listener) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  wake_.notify_all();
  return signal_.subscribe(std::move(listener));
}

std::optional<std::int64_t> MongoEventLog::newest() {
  try {
    const SteadyTime end = pool_.clock().steady_now() + pool_.timeout();
    auto lease = pool_.borrow(end);
    auto database = lease.database(end);
    const auto last = database.find_one(collections_.events.c_str(), {},
                                        {.sort = make_document("_id", -1), .fields = make_document("_id", 1)});
    return last ? last->view().integer("_id") : 0;
  } catch (const mongo::Failure&) {
    return std::nullopt;  // whoever reads says so
  }
}

void MongoEventLog::look_for_others() {
  std::int64_t seen = -1;
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return wanted_ || closing_; });
  auto pause = options_.poll_every;
  while (!closing_) {
    wake_.wait_for(lock, pause, [this] { return closing_; });
    if (closing_) return;
    const bool waiting = gap_.first != 0;
    lock.unlock();
    const auto last = newest();
    // A gap is closed by a reader, so readers must look again.
    if (last && (*last != seen || waiting)) signal_.notify();
    if (last) seen = *last;
    pause = last ? options_.poll_every : kPauseAfterFailure;
    lock.lock();
  }
}

std::string MongoEventLog::position_of(const TenantId& tenant, LogOffset offset) const {
  return positions_.encode(tenant, offset);
}

std::optional<LogOffset> MongoEventLog::offset_of(const TenantId& tenant, std::string_view position) const {
  return positions_.decode(tenant, position);
}

}  // namespace parley::events
