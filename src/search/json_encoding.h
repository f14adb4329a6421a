// What the API shows of a search, as JSON text written straight to a string: the schemas under "answers" in
// api/search.yaml. Pure, any thread.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "search/change_feed.h"
#include "search/index_check.h"
#include "search/recent_searches.h"
#include "search/reindex_control.h"
#include "search/search_index.h"

namespace parley::search {

// A found thing as messaging shows it to the caller, with what matched.
struct ShownHit {
  boost::json::object fields;
  std::string highlight;
};

struct ShownPage {
  std::vector<ShownHit> items;
  std::int64_t total = 0;
  bool total_is_bound = false;  // there are at least `total`
  std::optional<std::string> next_cursor;
};

// What every answer to a search says of the search itself.
struct SearchNote {
  std::int64_t took_ms = 0;
  std::string indexed_through;
  std::optional<std::string> did_you_mean;
};

std::string encode(const ShownPage& page, const SearchNote& note);
// The best of each kind. The groups have no cursors: the routes of each kind go on.
std::string encode(const ShownPage& messages, const ShownPage& conversations, const ShownPage& users,
                   const SearchNote& note);
std::string encode(const std::vector<Suggestion>& suggestions);
std::string encode(const std::vector<RecentSearch>& searches);
// `now`: for the rate of one that runs.
std::string encode(const ReindexState& state, WallTime now);
std::string encode(const IndexCheckReport& report);
// How far the index is as the answer goes out.
struct FeedStanding {
  bool behind = false;
  std::optional<events::LogOffset> log_head;  // when the question came; none: the log did not tell
  events::LogOffset indexed{};
};
std::string encode(const Changes& changes, const FeedStanding& standing);

}  // namespace parley::search
