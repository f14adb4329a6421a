#include "search/reindexer.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <span>

#include "search/tenant_reader.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

constexpr std::size_t kTenantsAtOnce = 500;
constexpr std::string_view kOfAll = "all-";  // ids of reindexes of every tenant begin so

bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kTooLarge;
}

std::unexpected<Error> closing() {
  return unavailable("shutting_down", "The server is stopping; the reindex goes on when it is back.");
}

// What is known of a job from its rebuilds alone.
ReindexState state_of(const std::string& id, const std::vector<RebuildState>& rebuilds) {
  ReindexState state;
  state.id = id;
  if (!id.starts_with(kOfAll) && !rebuilds.empty()) state.tenant = rebuilds.front().tenant;
  state.tenants = static_cast<std::int64_t>(rebuilds.size());
  for (const RebuildState& each : rebuilds) {
    state.messages += each.messages;
    state.conversations += each.conversations;
    state.users += each.users;
    if (state.started_at == WallTime{} || each.started_at < state.started_at) state.started_at = each.started_at;
  }
  return state;
}

// What is known of one tenant's part in it.
ReindexState part_of(const RebuildState& rebuild) {
  ReindexState part = state_of(rebuild.id, {rebuild});
  part.tenant = rebuild.tenant;
  return part;
}

std::vector<RebuildState> with_id(const std::vector<RebuildState>& all, const std::string& id) {
  std::vector<RebuildState> some;
  std::ranges::copy_if(all, std::back_inserter(some), [&id](const RebuildState& each) { return each.id == id; });
  return some;
}

void add_step(ReindexState& state, const RebuildState& before, const RebuildState& after) {
  state.messages += after.messages - before.messages;
  state.conversations += after.conversations - before.conversations;
  state.users += after.users - before.users;
}

// One more tenant is done.
void add_end(ReindexState& state, const Result<>& outcome, WallTime now) {
  ++state.tenants_done;
  if (!outcome && state.failure.empty()) state.failure = outcome.error().detail;
  if (state.tenants_done < state.tenants) return;
  state.progress = 1;
  state.finished_at = now;
  state.phase = state.failure.empty() ? ReindexPhase::kDone : ReindexPhase::kFailed;
}

}  // namespace

Reindexer::Reindexer(Dependencies with, Settings settings) : with_(with), settings_(settings), tasks_(with.loop) {}

// --- beginning ------------------------------------------------------------------------------------------------------

Task<Result<ReindexStart>> Reindexer::start(std::optional<TenantId> tenant, SteadyTime deadline) {
  for (int tries = 0; tries < 3; ++tries) {
    auto started = co_await try_start(tenant, deadline);
    // The one that was in the way ended while it was looked up.
    if (!started && started.error().kind == ErrorKind::kNotFound) continue;
    co_return started;
  }
  co_return unavailable("reindex_running", "Another reindex is just ending; try again shortly.");
}

Task<Result<ReindexStart>> Reindexer::try_start(std::optional<TenantId> tenant, SteadyTime deadline) {
  std::vector<TenantId> tenants;
  if (tenant) {
    tenants.push_back(*tenant);
  } else {
    auto all = co_await all_tenants(deadline);
    if (!all) co_return std::unexpected(std::move(all.error()));
    tenants = std::move(*all);
  }
  const std::string id = new_id(!tenant);
  auto begun = co_await begin(std::move(tenants), id, deadline);
  if (!begun && begun.error().kind == ErrorKind::kConflict) {
    auto running = co_await state(begun.error().detail, tenant, deadline);
    if (!running) co_return std::unexpected(std::move(running.error()));
    co_return ReindexStart{.state = std::move(*running), .already_running = true};
  }
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  {
    const std::lock_guard lock(mutex_);
    std::ranges::copy(*begun, std::back_inserter(queue_));
  }
  wake();
  auto state_now = co_await state(id, tenant, deadline);
  if (!state_now) co_return std::unexpected(std::move(state_now.error()));
  co_return ReindexStart{.state = std::move(*state_now), .already_running = false};
}

Task<Result<std::vector<TenantId>>> Reindexer::all_tenants(SteadyTime deadline) {
  std::vector<TenantId> all;
  StoreScan::After after;
  do {
    auto page = co_await with_.store.tenants(after, kTenantsAtOnce, deadline);
    if (!page) co_return std::unexpected(std::move(page.error()));
    std::ranges::move(page->items, std::back_inserter(all));
    after = std::move(page->next);
  } while (after);
  co_return all;
}

Task<Result<std::vector<RebuildState>>> Reindexer::begin(std::vector<TenantId> tenants, std::string id,
                                                         SteadyTime deadline) {
  std::vector<RebuildState> planned;
  for (const TenantId& tenant : tenants) {
    planned.push_back({.id = id, .tenant = tenant, .cursor = {}, .started_at = with_.clock.wall_now()});
  }
  remember(id, planned);
  std::vector<RebuildState> begun;
  std::optional<Error> fault;
  for (const TenantId& tenant : tenants) {
    if (closing_) fault = closing().error();
    if (fault) break;
    auto state = co_await with_.index.begin_rebuild(tenant, id, std::min(deadline, soon()));
    if (state) {
      begun.push_back(std::move(*state));
      continue;
    }
    fault = std::move(state.error());
  }
  if (!fault) co_return begun;
  // What failed to begin may have begun after all. What cannot be taken back now, the next process goes on with.
  for (const TenantId& tenant : std::span(tenants).first(begun.size() + 1)) {
    (void)co_await with_.index.abandon_rebuild(tenant, id, soon());
  }
  forget(id);
  co_return std::unexpected(std::move(*fault));
}

std::string Reindexer::new_id(bool of_all) {
  return std::string(of_all ? kOfAll : "") + make_uuid_v7(with_.clock.wall_now(), with_.random);
}

Task<Result<ReindexState>> Reindexer::state(std::string id, std::optional<TenantId> of, SteadyTime deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto job = jobs_.find(id); job != jobs_.end()) {
      if (!of) co_return job->second.state;
      const auto part = job->second.parts.find(*of);
      if (part == job->second.parts.end()) co_return not_found("reindex");
      co_return part->second;
    }
  }
  // Perhaps one of an earlier process that nobody has got to yet.
  auto all = co_await with_.index.rebuilds(deadline);
  if (!all) co_return std::unexpected(std::move(all.error()));
  const std::vector<RebuildState> its = with_id(*all, id);
  if (!of && !its.empty()) co_return state_of(id, its);
  const auto part = std::ranges::find_if(its, [&of](const RebuildState& each) { return each.tenant == of; });
  if (part == its.end()) co_return not_found("reindex");
  co_return part_of(*part);
}

Task<Result<bool>> Reindexer::is_known(TenantId tenant, SteadyTime deadline) {
  const auto conversations = co_await with_.store.conversations(tenant, std::nullopt, 1, deadline);
  if (!conversations) co_return std::unexpected(conversations.error());
  if (!conversations->items.empty()) co_return true;
  const auto users = co_await with_.store.users(tenant, std::nullopt, 1, deadline);
  if (!users) co_return std::unexpected(users.error());
  if (!users->items.empty()) co_return true;
  const auto indexed = co_await with_.index.indexed_conversations(std::move(tenant), std::nullopt, 1, deadline);
  if (!indexed) co_return std::unexpected(indexed.error());
  co_return !indexed->empty();
}

// --- working --------------------------------------------------------------------------------------------------------

void Reindexer::resume() {
  look_for_unfinished_ = true;
  wake();
}

void Reindexer::wake() {
  with_.loop.post([this] {
    if (working_ || closing_) return;
    working_ = true;
    tasks_.spawn(work());
  });
}

Task<> Reindexer::work() {
  while (!closing_) {
    if (look_for_unfinished_) {
      if (auto queued = co_await queue_unfinished(); !queued) {
        log_warn("the search index does not tell which reindexes are unfinished", {{"code", queued.error().code}});
        co_await pause();
        continue;
      }
      look_for_unfinished_ = false;
      co_await sweep();
    }
    auto next = take_queued();
    if (!next) break;
    co_await run(std::move(*next));
    co_await sweep();
  }
  working_ = false;
}

Task<Result<>> Reindexer::queue_unfinished() {
  auto all = co_await with_.index.rebuilds(soon());
  if (!all) co_return std::unexpected(std::move(all.error()));
  for (const RebuildState& each : *all) {
    bool known = false;
    {
      const std::lock_guard lock(mutex_);
      known = jobs_.contains(each.id);
    }
    if (known) continue;
    const std::vector<RebuildState> its = with_id(*all, each.id);
    remember(each.id, its);
    log_info("a reindex goes on where it was", {{"id", each.id}, {"tenants", its.size()}});
    const std::lock_guard lock(mutex_);
    std::ranges::copy(its, std::back_inserter(queue_));
  }
  co_return Result<>{};
}

std::optional<RebuildState> Reindexer::take_queued() {
  const std::lock_guard lock(mutex_);
  with_.metrics.reindex_tenants.Set(static_cast<double>(queue_.size()));
  if (queue_.empty()) return std::nullopt;
  RebuildState next = std::move(queue_.front());
  queue_.pop_front();
  return next;
}

Task<> Reindexer::run(RebuildState at) {
  const Result<> outcome = co_await rebuild(at);
  if (!outcome && closing_) co_return;  // the next process goes on
  if (!outcome) {
    log_error("a reindex was given up",
              {{"id", at.id}, {"tenant", at.tenant.value}, {"reason", outcome.error().detail}});
    (void)co_await with_.index.abandon_rebuild(at.tenant, at.id, soon());
  }
  note_end(at, outcome);
}

Task<> Reindexer::sweep() {
  while (!closing_) {
    const auto more = co_await with_.index.sweep(settings_.swept_at_once, soon());
    if (more && !*more) co_return;
    if (!more) {
      with_.metrics.reindex_failures.Increment();
      log_warn("sweeping what an old search index left failed", {{"code", more.error().code}});
      co_return;  // the next reindex, or the next start, sweeps again
    }
  }
}

Task<Result<>> Reindexer::rebuild_everything() {
  // Asked for again after a cut: what is there is the next process's.
  if (closing_) co_return closing();
  auto unfinished = co_await with_.index.rebuilds(soon());
  if (!unfinished) co_return std::unexpected(std::move(unfinished.error()));
  for (const RebuildState& each : *unfinished) {
    auto abandoned = co_await with_.index.abandon_rebuild(each.tenant, each.id, soon());
    if (!abandoned && abandoned.error().kind != ErrorKind::kNotFound) co_return abandoned;
  }
  auto tenants = co_await all_tenants(soon());
  if (!tenants) co_return std::unexpected(std::move(tenants.error()));
  const std::string id = new_id(true);
  auto begun = co_await begin(std::move(*tenants), id, SteadyTime::max());
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  for (const RebuildState& each : *begun) {
    Result<> outcome = co_await rebuild(each);
    if (!outcome) {
      forget(id);
      co_return outcome;
    }
    note_end(each, outcome);
  }
  co_return Result<>{};
}

// --- one tenant -----------------------------------------------------------------------------------------------------

Task<Result<>> Reindexer::rebuild(RebuildState at) {
  auto read = co_await read_all(at);
  if (!read) co_return std::unexpected(std::move(read.error()));
  auto finished = co_await finish(at.tenant, at.id);
  if (!finished) co_return finished;
  with_.changes.touched({at.tenant});
  co_return Result<>{};
}

Task<Result<RebuildState>> Reindexer::read_all(RebuildState at) {
  const auto counted = co_await messages_ever(with_.store, at.tenant, soon());
  const double in_all = static_cast<double>(std::max<std::int64_t>(counted.value_or(0), 1));
  std::optional<TenantReader> reader;
  int failures = 0;
  while (!closing_) {
    if (!reader) reader.emplace(with_.store, at.tenant, at.cursor, settings_.step_size);
    if (reader->at_end()) co_return at;
    std::optional<Error> fault;
    {
      const auto turn = co_await with_.turn.take(soon());
      auto step = turn ? co_await reader->next(soon()) : Result<RebuildStep>(std::unexpected(turn.error()));
      auto added =
          step ? co_await add(at, std::move(*step)) : Result<RebuildState>(std::unexpected(std::move(step.error())));
      if (added) {
        note_step(at, *added, static_cast<double>(added->messages) / in_all);
        at = std::move(*added);
        failures = 0;
        continue;
      }
      fault = std::move(added.error());
    }
    reader.reset();  // what it read was not added
    with_.metrics.reindex_failures.Increment();
    if (fault->code == "rebuild_unknown" || ++failures >= settings_.tries) co_return fail(std::move(*fault));
    log_warn("a step of a reindex failed", {{"id", at.id}, {"tenant", at.tenant.value}, {"reason", fault->detail}});
    co_await pause();
  }
  co_return closing();
}

// Where the index refuses a change, halves the step until the change is alone, and goes on without it.
Task<Result<RebuildState>> Reindexer::add(RebuildState at, RebuildStep step) {
  auto added = co_await with_.index.add_to_rebuild(at.tenant, at.id, step, soon());
  if (added || !is_refusal(added.error()) || step.changes.empty()) co_return added;
  if (step.changes.size() == 1) {
    log_error("something in the store cannot be indexed", {{"tenant", at.tenant.value},
                                                           {"conversation", step.changes.front().conversation.value},
                                                           {"reason", added.error().detail}});
    step.changes.clear();
    co_return co_await add(std::move(at), std::move(step));
  }
  RebuildStep first{.changes = {}, .cursor = at.cursor};
  const auto middle = step.changes.begin() + static_cast<std::ptrdiff_t>(step.changes.size() / 2);
  first.changes.assign(std::make_move_iterator(step.changes.begin()), std::make_move_iterator(middle));
  step.changes.erase(step.changes.begin(), middle);
  auto first_added = co_await add(at, std::move(first));
  if (!first_added) co_return first_added;
  co_return co_await add(std::move(at), std::move(step));
}

Task<Result<>> Reindexer::finish(TenantId tenant, std::string id) {
  Error fault;
  for (int tries = 0; tries < settings_.tries && !closing_; ++tries) {
    auto finished = co_await with_.index.finish_rebuild(tenant, id, soon());
    // One whose answer was lost may have been the one that did it.
    if (finished || (tries > 0 && finished.error().kind == ErrorKind::kNotFound)) co_return Result<>{};
    fault = std::move(finished.error());
    if (fault.kind == ErrorKind::kNotFound) co_return fail(std::move(fault));
    with_.metrics.reindex_failures.Increment();
    co_await pause();
  }
  if (closing_) co_return closing();
  co_return fail(std::move(fault));
}

Task<> Reindexer::pause() {
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;
  if (closing_) co_return;
  Timer timer(with_.loop.io());
  timer.expires_after(settings_.retry_after);
  end_pause_ = [&timer] { timer.cancel(); };
  co_await timer.async_wait(kAwait);
  end_pause_ = nullptr;
}

void Reindexer::close(std::move_only_function<void()> closed) {
  closing_ = true;
  if (end_pause_) end_pause_();
  tasks_.drain(std::move(closed));
}

// --- telling --------------------------------------------------------------------------------------------------------

void Reindexer::remember(const std::string& id, const std::vector<RebuildState>& rebuilds) {
  const std::lock_guard lock(mutex_);
  Job job{.state = state_of(id, rebuilds), .parts = {}};
  for (const RebuildState& rebuild : rebuilds) job.parts.emplace(rebuild.tenant, part_of(rebuild));
  if (rebuilds.empty()) {  // a host without tenants has nothing to do
    job.state.phase = ReindexPhase::kDone;
    job.state.progress = 1;
    job.state.started_at = with_.clock.wall_now();
    job.state.finished_at = job.state.started_at;
  }
  make_room_for(job);
  jobs_[id] = std::move(job);
}

// With the mutex held. A host may have very many tenants, so their parts are kept of the last reindex of all alone.
void Reindexer::make_room_for(const Job& job) {
  const auto has_ended = [](const auto& each) { return each.second.state.phase != ReindexPhase::kRunning; };
  if (job.parts.size() > 1) {
    for (auto& each : jobs_) {
      if (has_ended(each) && each.second.parts.size() > 1) each.second.parts.clear();
    }
  }
  while (jobs_.size() >= kRemembered) {
    const auto ended = std::ranges::find_if(jobs_, has_ended);
    if (ended == jobs_.end()) break;
    jobs_.erase(ended);
  }
}

void Reindexer::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(id);
}

void Reindexer::note_step(const RebuildState& before, const RebuildState& after, double progress) {
  const std::int64_t messages = after.messages - before.messages;
  with_.metrics.reindexed_messages.Increment(static_cast<double>(messages));
  with_.metrics.reindex_progress.Set(std::min(progress, 1.0));
  const double ran = std::chrono::duration<double>(with_.clock.wall_now() - after.started_at).count();
  if (ran > 0) with_.metrics.reindex_messages_per_second.Set(static_cast<double>(after.messages) / ran);
  const std::lock_guard lock(mutex_);
  Job& job = jobs_[after.id];
  add_step(job.state, before, after);
  job.state.progress = (static_cast<double>(job.state.tenants_done) + std::min(progress, 1.0)) /
                       static_cast<double>(std::max<std::int64_t>(job.state.tenants, 1));
  if (const auto part = job.parts.find(after.tenant); part != job.parts.end()) {
    add_step(part->second, before, after);
    part->second.progress = std::min(progress, 1.0);
  }
}

void Reindexer::note_end(const RebuildState& at, const Result<>& outcome) {
  with_.metrics.reindex_progress.Set(0);
  with_.metrics.reindex_messages_per_second.Set(0);
  const std::lock_guard lock(mutex_);
  const WallTime now = with_.clock.wall_now();
  Job& job = jobs_[at.id];
  if (const auto part = job.parts.find(at.tenant); part != job.parts.end()) add_end(part->second, outcome, now);
  add_end(job.state, outcome, now);
  if (job.state.tenants_done < job.state.tenants) return;
  log_info("a reindex has ended",
           {{"id", job.state.id}, {"messages", job.state.messages}, {"failure", job.state.failure}});
}

}  // namespace parley::search
