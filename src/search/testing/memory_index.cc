#include "search/testing/memory_index.h"

#include <algorithm>

#include "base/one_shot.h"

namespace parley::search::testing {

namespace {

std::unexpected<Error> unknown() {
  return fail(ErrorKind::kNotFound, "rebuild_unknown", "This rebuild is not under way.");
}

// Lets the loop do something else first, as a writer's thread would.
Task<> others_first() {
  auto [promise, future] = make_one_shot<int>(EventLoop::current());
  promise.deliver(0);
  (void)co_await future.wait(SteadyTime::max());
}

}  // namespace

bool MemoryIndex::take(Generation& generation, const IndexChange& change) {
  auto& documents = generation.documents[change.conversation];
  const auto erased = generation.erased.find(change.conversation);
  if (erased != generation.erased.end() && change.number <= erased->second) return false;
  // A removal that was read in the store is final.
  constexpr std::int64_t kFinal = INT64_MAX;

  if (const auto* written = std::get_if<MessageWritten>(&change.what)) {
    const auto there = documents.find(written->id);
    const bool had_reaction = there != documents.end() && there->second.message.has_reaction.value_or(false);
    const bool has_reaction = written->has_reaction.value_or(false) || had_reaction;
    if (there != documents.end() && there->second.number >= change.number) {
      if (there->second.live) there->second.message.has_reaction = has_reaction;
      return false;
    }
    Document document{.number = change.number, .live = true, .message = *written};
    document.message.has_reaction = has_reaction;
    documents[written->id] = std::move(document);
    return true;
  }
  if (const auto* removed = std::get_if<MessageRemoved>(&change.what)) {
    const std::int64_t number = change.number == 0 ? kFinal : change.number;
    const auto there = documents.find(removed->id);
    if (there != documents.end() && there->second.number >= number) return false;
    documents[removed->id] = {.number = number, .live = false, .message = {}};
    return true;
  }
  if (const auto* changed = std::get_if<ReactionsChanged>(&change.what)) {
    const auto there = documents.find(changed->id);
    if (there == documents.end() || !there->second.live || there->second.number >= change.number) return false;
    there->second.number = change.number;
    there->second.message.has_reaction = changed->any;
    return true;
  }
  if (std::holds_alternative<ConversationErased>(change.what)) {
    generation.erased[change.conversation] = change.number;
    std::erase_if(documents, [&](const auto& each) { return each.second.number <= change.number; });
    generation.entries.erase("c:" + change.conversation.value);
    return true;
  }
  const auto* user = std::get_if<UserWritten>(&change.what);
  const std::string key = user != nullptr ? "u:" + user->user.value : "c:" + change.conversation.value;
  const auto there = generation.entries.find(key);
  if (there != generation.entries.end() && there->second.first >= change.number) return false;
  generation.entries[key] = {
      change.number, user != nullptr ? user->name : std::get<ConversationWritten>(change.what).name.value_or("")};
  return true;
}

bool MemoryIndex::is_refused(const std::vector<IndexChange>& changes) const {
  return std::ranges::any_of(changes, [this](const IndexChange& change) {
    const auto* written = std::get_if<MessageWritten>(&change.what);
    return written != nullptr && written->content == refused_content;
  });
}

Result<> MemoryIndex::gate(const std::vector<IndexChange>& changes) {
  if (failures > 0) {
    --failures;
    return unavailable("unavailable", "not now");
  }
  if (is_refused(changes)) return invalid_field("content", "is refused");
  return {};
}

Result<> MemoryIndex::answer() {
  if (lost_answers == 0) return {};
  --lost_answers;
  return fail(ErrorKind::kTimeout, "deadline_exceeded", "too late");
}

Task<Result<ApplyOutcome>> MemoryIndex::apply(ChangeBatch batch, SteadyTime) {
  ++applies;
  co_await others_first();
  if (auto open = gate(batch.changes); !open) co_return std::unexpected(std::move(open.error()));
  ApplyOutcome outcome;
  for (const IndexChange& change : batch.changes) {
    ++(take(serving[change.tenant], change) ? outcome.applied : outcome.stale);
    if (const auto rebuild = building.find(change.tenant); rebuild != building.end()) {
      take(rebuild->second.second, change);
    }
  }
  for (DeadLetter& letter : batch.dead_letters) letters.emplace(letter.offset.value, std::move(letter));
  if (batch.lanes.empty()) batch.lanes.push_back({.lane = 0, .through = batch.through});
  for (std::int32_t lane = 0; lane < batch.lane_count; ++lane) at_lanes.try_emplace(lane, LaneProgress{.lane = lane});
  for (const LaneProgress& lane : batch.lanes) {
    LaneProgress& known = at_lanes.try_emplace(lane.lane, LaneProgress{.lane = lane.lane}).first->second;
    known.through = std::max(known.through, lane.through);
    known.next = std::max(known.next, lane.next);
  }
  settle_through();
  if (auto told = answer(); !told) co_return std::unexpected(std::move(told.error()));
  co_return outcome;
}

void MemoryIndex::settle_through() {
  through = at_lanes.begin()->second.through;
  for (const auto& [number, lane] : at_lanes) through = std::min(through, lane.through);
}

Task<Result<>> MemoryIndex::follow_lanes(std::vector<LaneProgress> lanes, SteadyTime) {
  co_await others_first();
  if (auto open = gate({}); !open) co_return open;
  at_lanes.clear();
  for (const LaneProgress& lane : lanes) at_lanes[lane.lane] = lane;
  settle_through();
  letters.erase(letters.upper_bound(through.value), letters.end());
  co_return answer();
}

Task<Result<std::vector<LaneProgress>>> MemoryIndex::lanes(SteadyTime) {
  std::vector<LaneProgress> all;
  for (const auto& [number, lane] : at_lanes) all.push_back(lane);
  co_return all;
}

Task<Result<RebuildState>> MemoryIndex::begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  longest_begin = std::max(longest_begin, deadline);
  if (begin_failures > 0) {
    --begin_failures;
    co_return unavailable("overloaded", "not now");
  }
  if (const auto running = building.find(tenant); running != building.end()) {
    co_return fail(ErrorKind::kConflict, "rebuild_running", running->second.first.id);
  }
  auto& rebuild = building[tenant];
  rebuild.first.id = std::move(id);
  rebuild.first.tenant = tenant;
  const RebuildState begun = rebuild.first;
  if (after_begin) {
    after_begin();
    for (int turns = 0; turns < 10; ++turns) co_await others_first();
  }
  co_return begun;
}

std::pair<RebuildState, MemoryIndex::Generation>* MemoryIndex::rebuild_of(const TenantId& tenant,
                                                                          const std::string& id) {
  const auto rebuild = building.find(tenant);
  return rebuild != building.end() && rebuild->second.first.id == id ? &rebuild->second : nullptr;
}

Task<Result<RebuildState>> MemoryIndex::add_to_rebuild(TenantId tenant, std::string id, RebuildStep step, SteadyTime) {
  if (before_step) before_step();
  co_await others_first();
  if (auto open = gate(step.changes); !open) co_return std::unexpected(std::move(open.error()));
  auto* const rebuild = rebuild_of(tenant, id);
  if (rebuild == nullptr) co_return unknown();
  ++steps;
  auto& [state, generation] = *rebuild;
  for (const IndexChange& change : step.changes) take(generation, change);
  state.cursor = std::move(step.cursor);
  state.messages += step.messages;
  state.conversations += step.conversations;
  state.users += step.users;
  if (auto told = answer(); !told) co_return std::unexpected(std::move(told.error()));
  co_return state;
}

Task<Result<RebuildState>> MemoryIndex::finish_rebuild(TenantId tenant, std::string id, SteadyTime) {
  co_await others_first();
  if (auto open = gate({}); !open) co_return std::unexpected(std::move(open.error()));
  auto* const rebuild = rebuild_of(tenant, id);
  if (rebuild == nullptr) co_return unknown();
  RebuildState state = std::move(rebuild->first);
  serving[tenant] = std::move(rebuild->second);
  building.erase(tenant);
  if (auto told = answer(); !told) co_return std::unexpected(std::move(told.error()));
  co_return state;
}

Task<Result<>> MemoryIndex::abandon_rebuild(TenantId tenant, std::string id, SteadyTime) {
  if (rebuild_of(tenant, id) == nullptr) co_return unknown();
  building.erase(tenant);
  co_return Result<>{};
}

Task<Result<std::vector<RebuildState>>> MemoryIndex::rebuilds(SteadyTime) {
  std::vector<RebuildState> all;
  for (const auto& [tenant, rebuild] : building) all.push_back(rebuild.first);
  co_return all;
}

std::int64_t MemoryIndex::live_in(const std::map<MessageId, Document>& documents) {
  return std::ranges::count_if(documents, [](const auto& each) { return each.second.live; });
}

std::vector<std::string> MemoryIndex::contents(const TenantId& tenant, const ConversationId& conversation) const {
  std::vector<std::string> all;
  const auto generation = serving.find(tenant);
  if (generation == serving.end()) return all;
  const auto documents = generation->second.documents.find(conversation);
  if (documents == generation->second.documents.end()) return all;
  for (const auto& [id, document] : documents->second) {
    if (document.live) all.push_back(document.message.content);
  }
  return all;
}

Task<Result<std::int64_t>> MemoryIndex::count(TenantId tenant, ConversationId conversation, SteadyTime) {
  co_return live_in(serving[tenant].documents[conversation]) - unfindable;
}

Task<Result<std::vector<IndexedConversation>>> MemoryIndex::indexed_conversations(TenantId tenant,
                                                                                  std::optional<ConversationId> after,
                                                                                  std::size_t limit, SteadyTime) {
  std::vector<IndexedConversation> page;
  for (const auto& [id, documents] : serving[tenant].documents) {
    if (page.size() == limit) break;
    if ((!after || id > *after) && live_in(documents) > 0) page.push_back({id, live_in(documents)});
  }
  co_return page;
}

Task<Result<std::vector<IndexedMessage>>> MemoryIndex::lookup(TenantId tenant, ConversationId conversation,
                                                              std::vector<MessageId> ids, SteadyTime) {
  std::vector<IndexedMessage> found;
  const auto& documents = serving[tenant].documents[conversation];
  for (const MessageId& id : ids) {
    const auto there = documents.find(id);
    if (there == documents.end() || !there->second.live) continue;
    found.push_back({id, there->second.message.seq, there->second.message.content, there->second.message.file_names});
  }
  co_return found;
}

}  // namespace parley::search::testing
