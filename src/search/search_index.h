// SearchIndex: the port behind which messages are indexed and found. Made and owned by the wiring; called on event
// loops, answers on the loop that asked.
//
// Changes carry their event number within the conversation: a repeated or late one never wins, for removals are kept as
// tombstones without content. The consumer's offset is committed with the changes. Whoever searches names the tenant
// and the conversations that the caller may read now: hits, counts, highlights and suggestions come from these alone,
// what ranks them too, and no score leaves. fail: invalid (query.cursor, scope), overloaded, deadline_exceeded,
// storage_full, unavailable.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "events/event.h"
#include "search/query.h"

namespace parley::search {

// The message as it is now; replaces what the index had of it.
struct MessageWritten {
  MessageId id;
  std::int64_t seq = 0;
  UserId sender;
  WallTime created_at{};
  std::string content;
  std::vector<std::string> file_names;
  std::vector<UserId> mentions;
  bool has_reaction = false;
};
struct MessageRemoved {
  MessageId id;
};
// The conversation is gone, with every message of it up to this number.
struct ConversationErased {};

struct IndexChange {
  TenantId tenant;
  ConversationId conversation;
  std::int64_t number = 0;  // the event's, within the conversation
  std::variant<MessageWritten, MessageRemoved, ConversationErased> what;
};

struct ChangeBatch {
  std::vector<IndexChange> changes;
  events::LogOffset through;  // the last event the batch covers; an older one than the index has moves nothing back
};
struct ApplyOutcome {
  std::size_t applied = 0;
  std::size_t stale = 0;  // repeated or late
};

struct SearchScope {
  TenantId tenant;
  UserId caller;                              // whom mentions:me means
  std::vector<ConversationId> conversations;  // at most kMaxScope; unknown ones are empty
};
inline constexpr std::size_t kMaxScope = 5000;
inline constexpr std::size_t kMaxHits = 100;
// Relevance ranks this many of the newest matches, older ones follow newest first; totals are exact up to it.
inline constexpr std::int64_t kRankedWindow = 1000;

enum class Sort { kRelevance, kNewest };

struct SearchRequest {
  SearchScope scope;
  Query query;  // `from` and `in` hold ids by now; an empty query finds nothing
  Sort sort = Sort::kRelevance;
  std::optional<std::string> after;  // `next` of the page before; the same scope and query are the caller's to hold to
  std::size_t limit = 20;            // 1 to kMaxHits
};

struct Hit {
  ConversationId conversation;
  MessageId id;
  std::int64_t seq = 0;
  std::string highlight;  // HTML, escaped but for <em>
};
struct SearchPage {
  std::vector<Hit> items;
  std::optional<std::string> next;
  std::int64_t total = 0;
  bool total_is_bound = false;  // there are at least `total`
  events::LogOffset indexed_through;
};

struct SuggestRequest {
  SearchScope scope;
  std::string prefix;
  std::size_t limit = 10;
};

class SearchIndex {
 public:
  virtual ~SearchIndex() = default;
  virtual Task<Result<ApplyOutcome>> apply(ChangeBatch batch, SteadyTime deadline) = 0;
  virtual Task<Result<events::LogOffset>> indexed_through(SteadyTime deadline) = 0;
  virtual Task<Result<SearchPage>> search(SearchRequest request, SteadyTime deadline) = 0;
  // Words that begin so, folded, the most used first, out of the newest messages of the scope that have them.
  virtual Task<Result<std::vector<std::string>>> suggest(SuggestRequest request, SteadyTime deadline) = 0;
  // Live messages of one conversation; for checks against the store, not for callers.
  virtual Task<Result<std::int64_t>> count(TenantId tenant, ConversationId conversation, SteadyTime deadline) = 0;
};

}  // namespace parley::search
