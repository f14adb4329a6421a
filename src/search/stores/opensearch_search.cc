#include "search/stores/opensearch_search.h"

#include <algorithm>

#include "search/index_requests.h"
#include "search/ranking.h"
#include "search/stores/opensearch_matches.h"
#include "search/text/highlight.h"

namespace parley::search {

namespace {

// Where a page begins. Ranked: after `last`, or else at `offset`, in the ranking of the window from `anchor` on;
// newest: after `last`.
struct PagePoint {
  bool ranked = true;
  std::int64_t generation = 0;
  std::optional<MessagePlace> anchor;
  std::optional<MessagePlace> last;
  std::int64_t offset = 0;

  std::string text() const {
    const auto place = [](const std::optional<MessagePlace>& at) { return at ? json::value(at->to_json()) : nullptr; };
    return json::serialize(json::array{ranked ? "r" : "n", generation, place(anchor), place(last), offset});
  }
  static std::optional<PagePoint> parse(std::string_view text) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    const json::array* const parts = value.if_array();
    if (error || !parts || parts->size() != 5) return std::nullopt;
    const json::array& given = *parts;
    if (given[0] != "r" && given[0] != "n") return std::nullopt;
    if (!given[1].is_int64() || !given[4].is_int64() || given[4].get_int64() < 0) return std::nullopt;
    PagePoint point{.ranked = given[0] == "r", .generation = given[1].get_int64(), .offset = given[4].get_int64()};
    for (const auto& [part, place] : {std::pair{&given[2], &point.anchor}, std::pair{&given[3], &point.last}}) {
      if (part->is_null()) continue;
      *place = MessagePlace::from_json(*part);
      if (!*place) return std::nullopt;
    }
    return point;
  }
};

Hit make_hit(const FoundMessage& message, const Query& query) {
  std::string names;
  for (const std::string& name : message.file_names) names += (names.empty() ? "" : "\n") + name;
  return {ConversationId(message.place.conversation), MessageId(message.place.message), message.place.seq,
          highlight(message.text(), query), std::move(names)};
}

void set_total(SearchPage& page, std::int64_t counted, bool is_bound) {
  page.total = std::min(counted, kRankedWindow);
  page.total_is_bound = is_bound || counted > kRankedWindow;
}

class PageSearch {
 public:
  PageSearch(OpenSearchCluster& cluster, const SearchRequest& request, OpenSearchQuery query, PagePoint point)
      : cluster_(cluster), request_(request), query_(std::move(query)), point_(std::move(point)) {}

  Task<Result<SearchPage>> run(SteadyTime deadline) {
    auto taken = point_.ranked || !query_.is_exact() ? co_await from_window(deadline) : co_await newest(deadline);
    if (!taken) co_return fail(std::move(taken.error()));
    co_return std::move(page_);
  }

 private:
  Task<Result<FoundMatches>> find(MatchesWanted wanted, SteadyTime deadline) {
    return find_matches(cluster_, request_.scope.tenant, query_, std::move(wanted), deadline);
  }

  // The newest kRankedWindow matches are read first: they are ranked, or their number could not be had otherwise.
  Task<Result<>> from_window(SteadyTime deadline) {
    auto found = co_await find({.most = kRankedWindow + 1, .from = point_.anchor, .after = {}}, deadline);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<FoundMessage>& window = found->messages;
    set_total(page_, static_cast<std::int64_t>(window.size()), found->stopped_at.has_value());
    if (window.size() > static_cast<std::size_t>(kRankedWindow)) window.pop_back();
    if (!window.empty() && !point_.anchor) point_.anchor = window.front().place;
    if (point_.ranked) {
      const auto rest =
          page_.total_is_bound && !window.empty() ? std::optional(window.back().place) : found->stopped_at;
      take_ranked(window, rest);
      co_return Result<>{};
    }
    co_return co_await newest(deadline);
  }

  // `rest`: after it there are more matches than the window has.
  void take_ranked(const std::vector<FoundMessage>& window, const std::optional<MessagePlace>& rest) {
    const std::vector<std::size_t> order = ranking_of(window);
    auto begin = static_cast<std::size_t>(point_.offset);
    if (begin > 0 && point_.last) {
      const auto last = std::ranges::find_if(order, [&](std::size_t at) { return window[at].place == *point_.last; });
      if (last != order.end()) begin = static_cast<std::size_t>(last - order.begin()) + 1;
    }
    begin = std::min(begin, order.size());
    const std::size_t end = std::min(begin + request_.limit, order.size());
    for (std::size_t i = begin; i < end; ++i) page_.items.push_back(make_hit(window[order[i]], request_.query));
    if (end < order.size()) {
      page_.next = PagePoint{true, point_.generation, point_.anchor, window[order[end - 1]].place,
                             static_cast<std::int64_t>(end)}
                       .text();
    } else if (rest) {
      page_.next = PagePoint{false, point_.generation, point_.anchor, rest, 0}.text();
    }
  }

  std::vector<std::size_t> ranking_of(const std::vector<FoundMessage>& window) const {
    const PhraseCounts phrases(query_.ranked);
    std::vector<MatchedDocument> matches;
    for (std::size_t i = 0; i < window.size(); ++i) {
      const std::string text = window[i].text();
      matches.push_back({.id = -static_cast<std::int64_t>(i),
                         .tally = phrases.tally(text),
                         .length = std::max(static_cast<double>(text.size()), 1.0)});
    }
    rank(matches);
    std::vector<std::size_t> order;
    for (const MatchedDocument& match : matches) order.push_back(static_cast<std::size_t>(-match.id));
    return order;
  }

  Task<Result<>> newest(SteadyTime deadline) {
    auto found = co_await find({.most = request_.limit + 1, .from = point_.anchor, .after = point_.last}, deadline);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<FoundMessage>& messages = found->messages;
    if (found->total) set_total(page_, found->total->count, !found->total->is_exact);
    if (!messages.empty() && !point_.anchor) point_.anchor = messages.front().place;
    const std::size_t end = std::min(request_.limit, messages.size());
    for (std::size_t i = 0; i < end; ++i) page_.items.push_back(make_hit(messages[i], request_.query));
    const auto go_on = [&](const MessagePlace& last) {
      page_.next = PagePoint{false, point_.generation, point_.anchor, last, 0}.text();
    };
    if (end < messages.size()) {
      go_on(messages[end - 1].place);
    } else if (found->stopped_at) {
      go_on(*found->stopped_at);
    }
    co_return Result<>{};
  }

  OpenSearchCluster& cluster_;
  const SearchRequest& request_;
  OpenSearchQuery query_;
  PagePoint point_;
  SearchPage page_;
};

}  // namespace

Task<Result<SearchPage>> search_page(OpenSearchCluster& cluster, SearchRequest request, SteadyTime deadline) {
  if (auto fits = check_scope(request.scope); !fits) co_return fail(std::move(fits.error()));
  if (auto valid = check_limit(request.limit); !valid) co_return fail(std::move(valid.error()));
  std::optional<PagePoint> point;
  if (request.after) {
    point = PagePoint::parse(*request.after);
    if (!point) co_return not_a_cursor();
  }
  auto view = co_await view_of(cluster, request.scope.tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  const std::int64_t generation = view->state ? view->state->serving : 0;
  if (point && point->generation != generation) co_return begun_before_the_swap();
  if (!point) point = PagePoint{.ranked = request.sort == Sort::kRelevance, .generation = generation};

  SearchPage page;
  auto query = view->state ? make_query(*view->state, request.scope, request.query) : std::nullopt;
  if (query) {
    PageSearch search(cluster, request, std::move(*query), std::move(*point));
    auto found = co_await search.run(deadline);
    if (!found) co_return found;
    page = std::move(*found);
  }
  page.indexed_through = view->through;
  co_return page;
}

}  // namespace parley::search
