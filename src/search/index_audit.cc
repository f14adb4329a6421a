#include "search/index_audit.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

namespace parley::search {

namespace {

constexpr std::size_t kMaxFaults = 1000;
constexpr std::size_t kTenantsAtOnce = 500;

const MessageId& id_of(const StoredMessage& message) {
  return std::visit([](const auto& what) -> const MessageId& { return what.id; }, message);
}

bool is_same(const MessageWritten& stored, const IndexedMessage& indexed) {
  return stored.seq == indexed.seq && stored.content == indexed.content && stored.file_names == indexed.file_names;
}

}  // namespace

SteadyTime IndexAudit::soon(SteadyTime deadline) const {
  return std::min(deadline, with_.clock.steady_now() + settings_.step_timeout);
}

Task<Result<IndexCheckReport>> IndexAudit::check(bool repair, SteadyTime deadline) {
  IndexCheckReport report;
  auto dead_letters = co_await with_.index.dead_letters(soon(deadline));
  if (!dead_letters) co_return std::unexpected(std::move(dead_letters.error()));
  report.dead_letters = *dead_letters;
  StoreScan::After after;
  do {
    auto page = co_await with_.store.tenants(after, kTenantsAtOnce, soon(deadline));
    if (!page) co_return std::unexpected(std::move(page.error()));
    for (const TenantId& tenant : page->items) {
      const std::int64_t differing = report.differing;
      auto checked = co_await check_tenant(tenant, report, deadline);
      if (!checked) co_return std::unexpected(std::move(checked.error()));
      if (!repair || report.differing == differing) continue;
      auto started = co_await with_.reindex.start(tenant, soon(deadline));
      if (!started) co_return std::unexpected(std::move(started.error()));
      if (std::ranges::find(report.reindexes, started->state.id) == report.reindexes.end()) {
        report.reindexes.push_back(started->state.id);
      }
    }
    after = std::move(page->next);
  } while (after);
  co_return report;
}

// Both sides give conversations by id, so one pass over both finds what the index alone has.
Task<Result<>> IndexAudit::check_tenant(TenantId tenant, IndexCheckReport& report, SteadyTime deadline) {
  ++report.tenants;
  IndexedOnes indexed;
  StoreScan::After after;
  do {
    auto page = co_await with_.store.conversations(tenant, after, 100, soon(deadline));
    if (!page) co_return std::unexpected(std::move(page.error()));
    for (const ScannedConversation& conversation : page->items) {
      auto below = co_await check_unlisted_below(tenant, conversation.id, indexed, report, deadline);
      if (!below) co_return below;
      auto checked = co_await check_conversation(tenant, conversation.id, report, deadline);
      if (!checked) co_return checked;
    }
    after = std::move(page->next);
  } while (after);
  co_return co_await check_unlisted_below(tenant, std::nullopt, indexed, report, deadline);
}

Task<Result<>> IndexAudit::check_unlisted_below(TenantId tenant, std::optional<ConversationId> end,
                                                IndexedOnes& indexed, IndexCheckReport& report, SteadyTime deadline) {
  for (;;) {
    auto filled = co_await fill(tenant, indexed, deadline);
    if (!filled) co_return filled;
    if (indexed.ahead.empty() || (end && indexed.ahead.front().id > *end)) co_return Result<>{};
    const ConversationId next = std::move(indexed.ahead.front().id);
    indexed.ahead.pop_front();
    if (next == end) co_return Result<>{};
    auto checked = co_await check_unlisted(tenant, next, report, deadline);
    if (!checked) co_return checked;
  }
}

Task<Result<>> IndexAudit::fill(TenantId tenant, IndexedOnes& indexed, SteadyTime deadline) {
  if (!indexed.ahead.empty() || indexed.at_end) co_return Result<>{};
  auto page = co_await with_.index.indexed_conversations(tenant, indexed.after, settings_.page, soon(deadline));
  if (!page) co_return std::unexpected(std::move(page.error()));
  indexed.at_end = page->size() < settings_.page;
  if (!page->empty()) indexed.after = page->back().id;
  std::ranges::move(*page, std::back_inserter(indexed.ahead));
  co_return Result<>{};
}

Task<Result<>> IndexAudit::check_conversation(TenantId tenant, ConversationId conversation, IndexCheckReport& report,
                                              SteadyTime deadline) {
  std::optional<Look> real;
  for (int looks = 0; looks < settings_.looks; ++looks) {
    auto seen = co_await look(tenant, conversation, deadline);
    if (!seen && seen.error().kind == ErrorKind::kNotFound) co_return Result<>{};  // deleted since it was listed
    if (!seen) co_return std::unexpected(std::move(seen.error()));
    if (real) {
      if (std::abs(real->unaccounted) < std::abs(seen->unaccounted)) seen->unaccounted = real->unaccounted;
      if (!real->too_many) {
        std::erase_if(seen->faults, [&real](const auto& each) { return !real->faults.contains(each.first); });
        seen->too_many = false;
      }
    }
    real = std::move(*seen);
    if (real->is_clean()) break;
    if (auto caught_up = co_await let_index_catch_up(deadline); !caught_up) co_return caught_up;
  }
  ++report.conversations;
  report.messages += real->stored;
  report.indexed += real->indexed;
  if (!real->is_clean()) add_difference(report, tenant, conversation, *real);
  co_return Result<>{};
}

Task<Result<>> IndexAudit::check_unlisted(TenantId tenant, ConversationId conversation, IndexCheckReport& report,
                                          SteadyTime deadline) {
  auto stored = co_await with_.store.messages(tenant, conversation, std::nullopt, 1, soon(deadline));
  // It came to be after the list was read.
  if (stored) co_return co_await check_conversation(std::move(tenant), std::move(conversation), report, deadline);
  if (stored.error().kind != ErrorKind::kNotFound) co_return std::unexpected(std::move(stored.error()));
  if (auto caught_up = co_await let_index_catch_up(deadline); !caught_up) co_return caught_up;
  auto count = co_await with_.index.count(tenant, conversation, soon(deadline));
  if (!count) co_return std::unexpected(std::move(count.error()));
  if (*count == 0) co_return Result<>{};
  report.indexed += *count;
  Look look;
  look.indexed = look.unaccounted = *count;
  add_difference(report, tenant, conversation, look);
  co_return Result<>{};
}

Task<Result<IndexAudit::Look>> IndexAudit::look(TenantId tenant, ConversationId conversation, SteadyTime deadline) {
  Look look;
  std::int64_t known = 0;  // indexed, and named by the store
  StoreScan::After after;
  do {
    auto page = co_await with_.store.messages(tenant, conversation, after, settings_.page, soon(deadline));
    if (!page) co_return std::unexpected(std::move(page.error()));
    after = std::move(page->next);
    auto found = co_await compare_page(tenant, conversation, std::move(page->items), look, deadline);
    if (!found) co_return std::unexpected(std::move(found.error()));
    known += *found;
  } while (after);
  auto count = co_await with_.index.count(tenant, conversation, soon(deadline));
  if (!count) co_return std::unexpected(std::move(count.error()));
  look.indexed = *count;
  look.unaccounted = *count - known;
  co_return look;
}

Task<Result<std::int64_t>> IndexAudit::compare_page(TenantId tenant, ConversationId conversation,
                                                    std::vector<ScannedMessage> stored, Look& look,
                                                    SteadyTime deadline) {
  std::vector<MessageId> ids;
  ids.reserve(stored.size());
  for (const ScannedMessage& message : stored) ids.push_back(id_of(message.what));
  auto found = co_await with_.index.lookup(tenant, conversation, std::move(ids), soon(deadline));
  if (!found) co_return std::unexpected(std::move(found.error()));
  std::unordered_map<MessageId, const IndexedMessage*> indexed;
  for (const IndexedMessage& message : *found) indexed.emplace(message.id, &message);

  const auto note = [&look](const MessageId& id, Fault fault) {
    if (look.faults.size() < kMaxFaults) {
      look.faults.emplace(id, fault);
    } else {
      look.too_many = true;
    }
  };
  for (const ScannedMessage& message : stored) {
    const MessageId& id = id_of(message.what);
    const auto there = indexed.find(id);
    if (const auto* live = std::get_if<MessageWritten>(&message.what)) {
      ++look.stored;
      if (there == indexed.end()) {
        note(id, Fault::kMissing);
      } else if (!is_same(*live, *there->second)) {
        note(id, Fault::kDifferent);
      }
    } else if (there != indexed.end()) {
      note(id, Fault::kSurplus);
    }
  }
  co_return static_cast<std::int64_t>(found->size());
}

Task<Result<>> IndexAudit::let_index_catch_up(SteadyTime deadline) {
  auto head = co_await with_.log.head(soon(deadline));
  if (!head) co_return std::unexpected(std::move(head.error()));
  if (co_await with_.progress.reached(*head, soon(deadline))) co_return Result<>{};
  co_return unavailable_but_well("index_behind",
                                 "The search index is behind and cannot be checked yet; try again later.");
}

void IndexAudit::add_difference(IndexCheckReport& report, const TenantId& tenant, const ConversationId& conversation,
                                const Look& look) {
  ++report.differing;
  if (report.differences.size() >= kMaxShown) return;
  IndexDifference& difference = report.differences.emplace_back();
  difference.tenant = tenant;
  difference.conversation = conversation;
  difference.stored = look.stored;
  difference.indexed = look.indexed;
  for (const auto& [id, fault] : look.faults) {
    auto& named = fault == Fault::kMissing   ? difference.missing
                  : fault == Fault::kSurplus ? difference.surplus
                                             : difference.different;
    if (named.size() < kMaxShown) named.push_back(id);
  }
}

}  // namespace parley::search
