// What one query finds within its scope, newest first, page after page of the engine's answers. The order is by time,
// seq and ids, so that a place in it is a value: nothing that comes or goes moves a page that follows (search_after; no
// point in time is held open). On the loop that asks.
#pragma once
#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "search/stores/opensearch_query.h"

namespace parley::search {

// Where a message stands; the newest is the least.
struct MessagePlace {
  std::int64_t created_ms = 0;
  std::int64_t seq = 0;
  std::string conversation;
  std::string message;

  json::array to_json() const { return {created_ms, seq, conversation, message}; }
  static std::optional<MessagePlace> from_json(const json::value& value);
  friend bool is_before(const MessagePlace& a, const MessagePlace& b);
  bool operator==(const MessagePlace&) const = default;
};

struct FoundMessage {
  MessagePlace place;
  std::string content;
  std::vector<std::string> file_names;

  std::string text() const;
};

struct MatchesWanted {
  std::size_t most = 1;
  std::optional<MessagePlace> from;   // what stands before it is left out
  std::optional<MessagePlace> after;  // and this, with all that stands before it
};
struct FoundMatches {
  std::vector<FoundMessage> messages;
  // Of all that matches from `from` on: exact where the engine could say it, up to a little more than kRankedWindow.
  std::optional<FoundTotal> total;
  // Where so much was looked at in vain that the rest is left for another page.
  std::optional<MessagePlace> stopped_at;
};
Task<Result<FoundMatches>> find_matches(OpenSearchCluster& cluster, TenantId tenant, OpenSearchQuery query,
                                        MatchesWanted wanted, SteadyTime deadline);

}  // namespace parley::search
