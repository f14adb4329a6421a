// SearchIndex: the port behind which messages, conversations and people are indexed and found. Made and owned by the
// wiring; called on event loops, answers on the loop that asked.
//
// Changes carry their event number within the conversation (or user): a repeated or late one never wins, for removals
// are kept as tombstones without content. The consumer's offset and the dead letters are committed with the changes.
// Whoever searches names the tenant and the conversations that the caller may read now: hits, counts, highlights,
// suggestions and near words come from these alone, what ranks them too, and no score leaves. fail: invalid
// (query.cursor, scope), conflict (rebuild_running), not_found (rebuild_unknown), overloaded, deadline_exceeded,
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
  std::optional<bool> has_reaction;  // none, as in an edit's event: what the index knows stays
  bool has_file = false;
};
struct MessageRemoved {
  MessageId id;
};
// Of a message that the index holds; for any other it is stale.
struct ReactionsChanged {
  MessageId id;
  bool any = false;
};
// The conversation's own entry as it is now: what find_conversations and `in:` know of it.
struct ConversationWritten {
  std::optional<std::string> name;
  std::optional<std::string> topic;
  bool direct = false;
  bool archived = false;
};
// The conversation is gone, with every message of it up to this number and its own entry.
struct ConversationErased {};
// A person's entry; IndexChange::conversation is empty, and numbers count per user.
struct UserWritten {
  UserId user;
  std::string name;
};

struct IndexChange {
  TenantId tenant;
  ConversationId conversation;
  std::int64_t number = 0;  // the event's, within the conversation or user
  std::variant<MessageWritten, MessageRemoved, ReactionsChanged, ConversationWritten, ConversationErased, UserWritten>
      what;
};

// An event that could not be indexed, and why; kept for the operator.
struct DeadLetter {
  events::LogOffset offset;
  EventId event;
  std::string type;
  TenantId tenant;
  std::string key;
  std::string reason;
};

// How far the index is in one lane of the log. A lane is a part of the log that comes in an order of its own, as a
// partition of a topic does; all events of a conversation or user are in one. A log that is read whole is lane 0.
struct LaneProgress {
  std::int32_t lane = 0;
  events::LogOffset through;  // of the log: every event up to here that is in this lane
  std::int64_t next = 0;      // as the lane's reader counts: where it goes on; 0 is the lane's beginning
  auto operator<=>(const LaneProgress&) const = default;
};

struct ChangeBatch {
  std::vector<IndexChange> changes;
  std::vector<DeadLetter> dead_letters;  // one per offset: a repeated one is kept once
  events::LogOffset through;  // the last event the batch covers; an older one than the index has moves nothing back
  // Where the log is read in lanes: how far the batch brings each that it is of, in place of `through`. Of what the
  // index has of a lane, neither number goes back.
  std::vector<LaneProgress> lanes;
  // How many lanes the log has, numbered from 0. They may become more: one never heard of has come nowhere.
  std::int32_t lane_count = 1;
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
inline constexpr std::int64_t kRankedWindow = 500;

enum class Sort { kRelevance, kNewest };

struct SearchRequest {
  SearchScope scope;
  Query query;  // `from` and `in` hold ids by now; an empty query finds nothing
  Sort sort = Sort::kRelevance;
  // `next` of the page before; the same scope and query are the caller's to hold to. invalid_cursor once a rebuild of
  // the tenant has been finished since: the pages of a search are all of one index.
  std::optional<std::string> after;
  std::size_t limit = 20;  // 1 to kMaxHits
};

struct Hit {
  ConversationId conversation;
  MessageId id;
  std::int64_t seq = 0;
  std::string highlight;   // HTML, escaped but for <em>
  std::string file_names;  // each on a line
};
struct SearchPage {
  std::vector<Hit> items;
  std::optional<std::string> next;
  std::int64_t total = 0;
  bool total_is_bound = false;  // there are at least `total`
  events::LogOffset indexed_through;
};

// Conversations by name and topic, out of the scope alone; people by name or id, out of the scope's tenant.
struct DirectoryRequest {
  SearchScope scope;
  std::string text;
  std::optional<std::string> after;  // `next` of the page before
  std::size_t limit = 20;            // 1 to kMaxHits
};
struct DirectoryHit {
  std::string id;
  std::string highlight;
};
struct DirectoryPage {
  std::vector<DirectoryHit> items;
  std::optional<std::string> next;
  std::int64_t total = 0;
  bool total_is_bound = false;
  events::LogOffset indexed_through;
};

struct SuggestRequest {
  SearchScope scope;
  std::string prefix;
  std::size_t limit = 10;
};
enum class SuggestionKind { kWord, kConversation, kUser };
struct Suggestion {
  std::string text;
  SuggestionKind kind = SuggestionKind::kWord;
  std::string id;  // empty for a word
};

// Which ids the names of `from:` and `in:` stand for; a name that is an id stands for itself too.
struct NamesRequest {
  SearchScope scope;
  std::vector<std::string> users;
  std::vector<std::string> conversations;  // out of the scope alone
};
struct NamedIds {
  std::vector<std::string> users;
  std::vector<std::string> conversations;
};

// A new index of one tenant that is being built beside the one that serves.
struct RebuildState {
  std::string id;
  TenantId tenant;
  std::string cursor;  // where the reader of the store is; kept with the rows that it gave
  std::int64_t messages = 0;
  std::int64_t conversations = 0;
  std::int64_t users = 0;
  WallTime started_at{};
};
// What a rebuild read of the store up to `cursor`. Numbers are 0: they never beat what an event wrote. A removal read
// there is final.
struct RebuildStep {
  std::vector<IndexChange> changes;
  std::string cursor;
  std::int64_t messages = 0;  // these are added to the state's
  std::int64_t conversations = 0;
  std::int64_t users = 0;
};

struct IndexedConversation {
  ConversationId id;
  std::int64_t messages = 0;  // live ones; conversations without any are left out
};
struct IndexedMessage {
  MessageId id;
  std::int64_t seq = 0;
  std::string content;
  std::vector<std::string> file_names;
};

class SearchIndex {
 public:
  virtual ~SearchIndex() = default;

  // Writing: by the one consumer. While a tenant is being rebuilt, its changes go to both.
  virtual Task<Result<ApplyOutcome>> apply(ChangeBatch batch, SteadyTime deadline) = 0;
  // The events from here on are what comes next, even where the index was further: of another log than this, whose dead
  // letters go. These lanes, at least one, take the place of all that the index knew of.
  virtual Task<Result<>> follow_lanes(std::vector<LaneProgress> lanes, SteadyTime deadline) = 0;
  // Of a log that is read whole.
  Task<Result<>> follow_from(events::LogOffset offset, SteadyTime deadline) {
    return follow_lanes({{.lane = 0, .through = offset}}, deadline);
  }
  // Every lane of the log that the index knows of, by number; a new index has lane 0, at the beginning.
  virtual Task<Result<std::vector<LaneProgress>>> lanes(SteadyTime deadline) = 0;

  // Reading, of what serves. Everything up to here is in it: of the lanes, the one that is least far.
  virtual Task<Result<events::LogOffset>> indexed_through(SteadyTime deadline) = 0;  // 0: a new index
  virtual Task<Result<SearchPage>> search(SearchRequest request, SteadyTime deadline) = 0;
  // Words that begin so, folded, the most used first, out of the newest messages of the scope that have them; then
  // conversations and people.
  virtual Task<Result<std::vector<Suggestion>>> suggest(SuggestRequest request, SteadyTime deadline) = 0;
  // The query with near words in the place of those that nothing in the scope has, out of the scope's newest messages;
  // none when there is nothing near.
  virtual Task<Result<std::optional<std::string>>> did_you_mean(SearchScope scope, Query query,
                                                                SteadyTime deadline) = 0;
  virtual Task<Result<DirectoryPage>> find_conversations(DirectoryRequest request, SteadyTime deadline) = 0;
  virtual Task<Result<DirectoryPage>> find_users(DirectoryRequest request, SteadyTime deadline) = 0;
  virtual Task<Result<NamedIds>> ids_by_name(NamesRequest request, SteadyTime deadline) = 0;

  // Rebuilding. begin: conflict when the tenant is being rebuilt, the detail is the running one's id. The others:
  // not_found unless the one under way is the one that they name. finish makes the new one serve; what was dropped, and
  // what an erased conversation held, goes with sweep(), at most `limit` documents a call, true while there is more;
  // apply sweeps too.
  virtual Task<Result<RebuildState>> begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) = 0;
  virtual Task<Result<RebuildState>> add_to_rebuild(TenantId tenant, std::string id, RebuildStep step,
                                                    SteadyTime deadline) = 0;
  virtual Task<Result<RebuildState>> finish_rebuild(TenantId tenant, std::string id, SteadyTime deadline) = 0;
  virtual Task<Result<>> abandon_rebuild(TenantId tenant, std::string id, SteadyTime deadline) = 0;
  virtual Task<Result<std::vector<RebuildState>>> rebuilds(SteadyTime deadline) = 0;
  virtual Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) = 0;

  // For checks against the store and for the operator, not for callers.
  virtual Task<Result<std::int64_t>> count(TenantId tenant, ConversationId conversation, SteadyTime deadline) = 0;
  // By id, after `after`.
  virtual Task<Result<std::vector<IndexedConversation>>> indexed_conversations(TenantId tenant,
                                                                               std::optional<ConversationId> after,
                                                                               std::size_t limit,
                                                                               SteadyTime deadline) = 0;
  // Those of `ids` that are indexed, in their order.
  virtual Task<Result<std::vector<IndexedMessage>>> lookup(TenantId tenant, ConversationId conversation,
                                                           std::vector<MessageId> ids, SteadyTime deadline) = 0;
  virtual Task<Result<std::int64_t>> dead_letters(SteadyTime deadline) = 0;
};

}  // namespace parley::search
