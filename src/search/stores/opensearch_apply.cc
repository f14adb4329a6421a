#include "search/stores/opensearch_apply.h"

#include <algorithm>
#include <map>

#include "search/stores/opensearch_bulk.h"
#include "search/stores/opensearch_rows.h"
#include "search/stores/opensearch_tenants.h"

namespace parley::search {

namespace {

using Row = OpenSearchRows::Row;

// A change and one generation that it goes to.
struct Step {
  Target target;
  const IndexChange* change;
  bool counts;  // for the outcome
};

class Changes {
 public:
  explicit Changes(OpenSearchCluster& cluster) : cluster_(cluster), rows_(cluster) {}

  void add(Target target, const IndexChange& change, bool counts) {
    want(target, change);
    steps_.push_back({std::move(target), &change, counts});
  }

  Task<Result<ApplyOutcome>> run(SteadyTime deadline) {
    if (auto read = co_await rows_.read(deadline); !read) co_return fail(std::move(read.error()));
    ApplyOutcome outcome;
    for (const Step& step : steps_) {
      changed_ = nullptr;
      const bool fresh =
          std::visit([&](const auto& what) { return take(step.target, *step.change, what); }, step.change->what);
      if (!step.counts) continue;
      ++(fresh ? outcome.applied : outcome.stale);
      if (fresh && changed_) ++changed_->changes;
    }
    // Before what they are of is written: what is erased is found by nobody from here on, whatever comes of the rest.
    if (auto noted = co_await note_erasures(deadline); !noted) co_return fail(std::move(noted.error()));
    leave_out_the_erased();
    const auto stale = co_await rows_.write(deadline);
    if (!stale) co_return fail(stale.error());
    outcome.applied -= *stale;
    outcome.stale += *stale;
    co_return outcome;
  }

 private:
  void want(const Target& target, const IndexChange& change) {
    const bool of_conversation = !std::holds_alternative<UserWritten>(change.what);
    if (of_conversation) {
      rows_.want(cluster_.names.directory, erasure_document_id(target, change.conversation), target.tenant);
    }
    std::visit([&](const auto& what) { want_of(target, change, what); }, change.what);
  }
  void want_message(const Target& target, const IndexChange& change, const MessageId& message, bool whole) {
    rows_.want(cluster_.names.messages, message_document_id(target, change.conversation, message), target.tenant,
               whole);
    if (!target.building) return;
    rows_.want(cluster_.names.messages, told_document_id(target, change.conversation, message), target.tenant);
  }
  void want_of(const Target& target, const IndexChange& change, const MessageWritten& message) {
    // What the store knows of reactions may have to join what an event wrote.
    want_message(target, change, message.id, target.building && change.number == 0);
  }
  void want_of(const Target& target, const IndexChange& change, const MessageRemoved& message) {
    want_message(target, change, message.id, false);
  }
  void want_of(const Target& target, const IndexChange& change, const ReactionsChanged& reactions) {
    want_message(target, change, reactions.id, true);
  }
  void want_of(const Target& target, const IndexChange& change, const ConversationWritten&) {
    rows_.want(cluster_.names.directory, conversation_document_id(target, change.conversation), target.tenant);
  }
  void want_of(const Target& target, const IndexChange& change, const ConversationErased&) {
    want_of(target, change, ConversationWritten{});
  }
  void want_of(const Target& target, const IndexChange&, const UserWritten& user) {
    rows_.want(cluster_.names.directory, person_document_id(target, user.user), target.tenant);
  }

  std::int64_t erased_number(const Target& target, const IndexChange& change) {
    return rows_.at(erasure_document_id(target, change.conversation)).number;
  }
  // The message's row, unless the change is one of what is gone already.
  Row* open_row(const Target& target, const IndexChange& change, const MessageId& message) {
    if (change.number <= erased_number(target, change)) return nullptr;
    Row& row = rows_.at(message_document_id(target, change.conversation, message));
    if (row.exists && !row.live() && row.number >= change.number) return nullptr;
    return &row;
  }
  // Whether it is what can be found now: of before an erasure it is none.
  bool is_present(const Target& target, const IndexChange& change, const Row& row) {
    return row.live() && row.number > erased_number(target, change);
  }
  Row& put(Row& row, std::int64_t number, json::object source) {
    row.put(number, std::move(source));
    changed_ = &row;
    return row;
  }

  bool take(const Target& target, const IndexChange& change, const MessageWritten& message) {
    Row* const row = open_row(target, change, message.id);
    if (!row) return false;
    if (target.building && change.number > 0 && message.has_reaction) {
      tell_reactions(target, change, message.id, *message.has_reaction);
    }
    const auto told = told_reactions(target, change, message.id);
    const bool present = is_present(target, change, *row);
    if (present && row->number >= change.number) {
      // The store knows of reactions what an edit's event did not tell.
      const bool news = target.building && change.number == 0 && !told && message.has_reaction;
      return news && set_reaction(*row, row->number, *message.has_reaction);
    }
    const bool had_reaction = present && flag_in(row->source, "has_reaction");
    const bool has_reaction = told.value_or(message.has_reaction.value_or(had_reaction));
    put(*row, change.number, message_document(target, change.conversation, change.number, message, has_reaction));
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const MessageRemoved& message) {
    Row* const row = open_row(target, change, message.id);
    if (!row) return false;
    // What an event wrote, the event of its removal removes; what the store says is removed stays so.
    if (is_present(target, change, *row) && row->number >= change.number && row->number > 0) return false;
    const std::int64_t number = change.number == 0 ? kFinalNumber : change.number;
    put(*row, number, message_tombstone(target, change.conversation, number, message.id));
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const ReactionsChanged& reactions) {
    Row* const row = open_row(target, change, reactions.id);
    if (!row) return false;
    if (target.building) tell_reactions(target, change, reactions.id, reactions.any);
    if (!is_present(target, change, *row) || row->number >= change.number) return false;
    set_reaction(*row, change.number, reactions.any);
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const ConversationErased&) {
    Row& erasure = rows_.at(erasure_document_id(target, change.conversation));
    if (change.number <= erasure.number) return false;
    put(erasure, change.number, erasure_document(target, change.conversation, change.number));
    erasures_[target.tenant].push_back({target.generation, change.conversation, change.number});
    Row& entry = rows_.at(conversation_document_id(target, change.conversation));
    if (entry.live() && entry.number <= change.number) {
      entry.put(change.number, conversation_tombstone(target, change.conversation, change.number));
    }
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const ConversationWritten& entry) {
    if (change.number <= erased_number(target, change)) return false;
    Row& row = rows_.at(conversation_document_id(target, change.conversation));
    if (!takes_the_place(row, change.number)) return false;
    put(row, change.number, conversation_document(target, change.conversation, change.number, entry));
    return true;
  }
  bool take(const Target& target, const IndexChange& change, const UserWritten& entry) {
    Row& row = rows_.at(person_document_id(target, entry.user));
    if (!takes_the_place(row, change.number)) return false;
    put(row, change.number, person_document(target, change.number, entry));
    return true;
  }
  // Number 0 is what the store said; a later reading of it may take its place.
  static bool takes_the_place(const Row& row, std::int64_t number) {
    return !row.exists || row.number < number || (row.number == 0 && number == 0);
  }

  std::optional<bool> told_reactions(const Target& target, const IndexChange& change, const MessageId& message) {
    if (!target.building) return std::nullopt;
    const Row& told = rows_.at(told_document_id(target, change.conversation, message));
    if (!told.exists || told.number <= erased_number(target, change)) return std::nullopt;
    return flag_in(told.source, "any");
  }
  void tell_reactions(const Target& target, const IndexChange& change, const MessageId& message, bool any) {
    Row& told = rows_.at(told_document_id(target, change.conversation, message));
    if (told.exists && told.number >= change.number) return;
    told.put(change.number, told_document(target, change.conversation, change.number, message, any));
  }
  bool set_reaction(Row& row, std::int64_t number, bool any) {
    if (row.number == number && flag_in(row.source, "has_reaction") == any) return false;
    json::object source = std::move(row.source);
    source["has_reaction"] = any;
    source["number"] = number;
    put(row, number, std::move(source));
    return true;
  }

  // What the batch itself erased: a sweep may be over before it is written.
  void leave_out_the_erased() {
    for (const Step& step : steps_) {
      const auto* const message = std::get_if<MessageWritten>(&step.change->what);
      if (!message) continue;
      Row& row = rows_.at(message_document_id(step.target, step.change->conversation, message->id));
      if (row.number <= erased_number(step.target, *step.change)) row.changed = false;
    }
  }

  Task<Result<>> note_erasures(SteadyTime deadline) {
    for (const auto& [tenant, erasures] : erasures_) {
      const auto note = [&erasures](TenantState& state) -> Result<> {
        for (const TenantState::Erasure& each : erasures) {
          if (std::ranges::find(state.erased, each) == state.erased.end()) state.erased.push_back(each);
        }
        return {};
      };
      auto noted = co_await change_tenant(cluster_, tenant, true, note, deadline);
      if (!noted) co_return fail(std::move(noted.error()));
    }
    co_return Result<>{};
  }

  OpenSearchCluster& cluster_;
  OpenSearchRows rows_;
  std::vector<Step> steps_;
  Row* changed_ = nullptr;  // by the change at hand
  std::map<TenantId, std::vector<TenantState::Erasure>> erasures_;
};

json::object letter_json(const DeadLetter& letter) {
  return {{"kind", "letter"},       {"offset", letter.offset.value}, {"event", letter.event.value},
          {"type", letter.type},    {"tenant", letter.tenant.value}, {"key", letter.key},
          {"reason", letter.reason}};
}

Task<Result<>> bury(OpenSearchCluster& cluster, const std::vector<DeadLetter>& letters, SteadyTime deadline) {
  std::vector<DocumentWrite> writes;
  for (const DeadLetter& letter : letters) {
    writes.push_back({.index = cluster.names.state,
                      .id = "letter\x1f" + std::to_string(letter.offset.value),
                      .route = {},
                      .source = json::serialize(letter_json(letter)),
                      .version = std::nullopt});
  }
  auto written = co_await write_documents(cluster, std::move(writes), deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return Result<>{};
}

std::vector<TenantId> tenants_of(const std::vector<IndexChange>& changes) {
  std::vector<TenantId> tenants;
  for (const IndexChange& change : changes) tenants.push_back(change.tenant);
  std::ranges::sort(tenants);
  tenants.erase(std::ranges::unique(tenants).begin(), tenants.end());
  return tenants;
}

}  // namespace

Task<Result<ApplyOutcome>> apply_batch(OpenSearchCluster& cluster, ChangeBatch batch, SteadyTime deadline) {
  const std::vector<TenantId> tenants = tenants_of(batch.changes);
  auto states = co_await ensure_tenants(cluster, tenants, deadline);
  if (!states) co_return fail(std::move(states.error()));
  Changes changes(cluster);
  for (const IndexChange& change : batch.changes) {
    const auto at = std::ranges::lower_bound(tenants, change.tenant) - tenants.begin();
    const TenantState& state = (*states)[static_cast<std::size_t>(at)];
    changes.add(state.serving_target(), change, true);
    if (state.building != 0) changes.add(state.building_target(), change, false);
  }
  auto outcome = co_await changes.run(deadline);
  if (!outcome) co_return outcome;
  if (auto buried = co_await bury(cluster, batch.dead_letters, deadline); !buried) {
    co_return fail(std::move(buried.error()));
  }
  std::vector<LaneProgress> lanes = std::move(batch.lanes);
  if (lanes.empty()) lanes.push_back({.lane = 0, .through = batch.through});
  if (auto noted = co_await advance_lanes(cluster, std::move(lanes), batch.lane_count, deadline); !noted) {
    co_return fail(std::move(noted.error()));
  }
  co_return outcome;
}

Task<Result<>> follow_lanes(OpenSearchCluster& cluster, std::vector<LaneProgress> lanes, SteadyTime deadline) {
  const events::LogOffset least = IndexLanes{lanes}.through();
  if (auto replaced = co_await replace_lanes(cluster, std::move(lanes), deadline); !replaced) co_return replaced;
  const json::object later{{"bool",
                            {{"filter", json::array{json::object{{"term", {{"kind", "letter"}}}},
                                                    json::object{{"range", {{"offset", {{"gt", least.value}}}}}}}}}}};
  for (;;) {
    auto deleted = co_await cluster.delete_matching(cluster.names.state, TenantId(), later, SIZE_MAX, deadline);
    if (!deleted) co_return fail(std::move(deleted.error()));
    if (!deleted->missed_some) co_return Result<>{};
  }
}

Task<Result<RebuildState>> apply_rebuild_step(OpenSearchCluster& cluster, TenantId tenant, std::string id,
                                              RebuildStep step, SteadyTime deadline) {
  auto running = co_await find_rebuild(cluster, tenant, id, deadline);
  if (!running) co_return fail(std::move(running.error()));
  const Target target = running->building_target();
  Changes changes(cluster);
  for (const IndexChange& change : step.changes) changes.add(target, change, true);
  if (auto outcome = co_await changes.run(deadline); !outcome) co_return fail(std::move(outcome.error()));
  auto state = co_await advance_rebuild(cluster, tenant, id, std::move(step), deadline);
  if (!state && state.error().code == "rebuild_unknown") {
    // It was abandoned meanwhile: what came late is to be swept as well.
    const auto drop_again = [&](TenantState& now) -> Result<> {
      const bool serves = now.serving == target.generation || now.building == target.generation;
      if (!serves && std::ranges::find(now.dropped, target.generation) == now.dropped.end()) {
        now.dropped.push_back(target.generation);
      }
      return {};
    };
    static_cast<void>(co_await change_tenant(cluster, tenant, true, drop_again, deadline));
  }
  co_return state;
}

Task<Result<std::int64_t>> count_dead_letters(OpenSearchCluster& cluster, SteadyTime deadline) {
  auto answer = co_await cluster.search_state(
      {{"size", 0}, {"track_total_hits", true}, {"query", {{"term", {{"kind", "letter"}}}}}}, deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  co_return total_of(*answer).count;
}

}  // namespace parley::search
