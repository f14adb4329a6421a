#include "search/stores/fts5_search.h"

#include <algorithm>
#include <charconv>

#include "search/index_requests.h"
#include "search/message_text.h"
#include "search/ranking.h"
#include "search/stores/fts5_document.h"
#include "search/stores/fts5_expression.h"
#include "search/stores/fts5_generations.h"
#include "search/stores/fts5_matches.h"
#include "search/text/highlight.h"

namespace parley::search {

namespace {

// Where a page begins. kRanked: after `id`, or else at `offset`, in the ranking of the window below `anchor`;
// kNewest: below `id`. Ids are of documents, which another generation has in other places.
struct PagePoint {
  char mode = 'r';
  std::int64_t generation = 0;
  std::int64_t anchor = INT64_MAX;
  std::int64_t id = INT64_MAX;
  std::int64_t offset = 0;

  std::string text() const {
    return std::string(1, mode) + ':' + std::to_string(generation) + ':' + std::to_string(anchor) + ':' +
           std::to_string(id) + ':' + std::to_string(offset);
  }
  static std::optional<PagePoint> parse(std::string_view text) {
    PagePoint point;
    if (text.size() < 2 || (text[0] != 'r' && text[0] != 'n') || text[1] != ':') return std::nullopt;
    point.mode = text[0];
    text.remove_prefix(2);
    for (std::int64_t* const value : {&point.generation, &point.anchor, &point.id, &point.offset}) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
      if (error != std::errc() || *value < 0) return std::nullopt;
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      if (value == &point.offset) return text.empty() ? std::optional(point) : std::nullopt;
      if (text.empty() || text[0] != ':') return std::nullopt;
      text.remove_prefix(1);
    }
    return std::nullopt;
  }
};

class PageSearch {
 public:
  PageSearch(sqlite::Connection& db, const SearchRequest& request, Matches matches, PagePoint point)
      : db_(db), request_(request), matches_(std::move(matches)), point_(point) {}

  SearchPage run() {
    std::vector<MatchedDocument> window = matches_.below(point_.anchor, kRankedWindow + 1, point_.mode == 'r');
    page_.total_is_bound = window.size() > static_cast<std::size_t>(kRankedWindow);
    if (page_.total_is_bound) window.pop_back();
    page_.total = static_cast<std::int64_t>(window.size());
    if (!window.empty() && point_.anchor == INT64_MAX) point_.anchor = window.front().id + 1;
    if (point_.mode == 'r') {
      take_ranked(std::move(window));
    } else {
      take_newest(window);
    }
    return std::move(page_);
  }

 private:
  void take_ranked(std::vector<MatchedDocument> window) {
    const std::int64_t lowest = window.empty() ? 0 : window.back().id;
    rank(window);
    auto begin = static_cast<std::size_t>(point_.offset);
    if (begin > 0) {
      const auto last = std::ranges::find(window, point_.id, &MatchedDocument::id);
      if (last != window.end()) begin = static_cast<std::size_t>(last - window.begin()) + 1;
    }
    begin = std::min(begin, window.size());
    const std::size_t end = std::min(begin + request_.limit, window.size());
    for (std::size_t i = begin; i < end; ++i) add(window[i].id);
    if (end < window.size()) {
      page_.next =
          PagePoint{'r', point_.generation, point_.anchor, window[end - 1].id, static_cast<std::int64_t>(end)}.text();
    } else if (page_.total_is_bound) {
      page_.next = PagePoint{'n', point_.generation, point_.anchor, lowest, 0}.text();
    }
  }
  void take_newest(const std::vector<MatchedDocument>& window) {
    const bool first = point_.id == INT64_MAX;
    const std::vector<MatchedDocument> rows = first ? window : matches_.below(point_.id, request_.limit + 1, false);
    const std::size_t end = std::min(request_.limit, rows.size());
    for (std::size_t i = 0; i < end; ++i) add(rows[i].id);
    if (end < rows.size()) page_.next = PagePoint{'n', point_.generation, point_.anchor, rows[end - 1].id, 0}.text();
  }
  void add(std::int64_t id) {
    sqlite::Query row(db_,
                      "SELECT c.public_id, d.message, d.seq, d.body, d.names_at FROM documents d "
                      "JOIN conversations c ON c.id = d.conversation WHERE d.id = ?1",
                      id);
    if (!row.step()) return;
    page_.items.push_back({ConversationId(row.text(0)), message_of_key(row.blob(1)), row.integer(2),
                           highlight(row.text(3), request_.query),
                           std::string(names_in(row.text(3), row.optional_integer(4)))});
  }

  sqlite::Connection& db_;
  const SearchRequest& request_;
  Matches matches_;
  PagePoint point_;
  SearchPage page_;
};

}  // namespace

events::LogOffset read_progress(sqlite::Connection& db) {
  return {db.query_int("SELECT through FROM progress")};
}

Result<SearchPage> search_page(sqlite::Connection& db, const SearchRequest& request) {
  if (auto fits = check_scope(request.scope); !fits) return fail(fits.error());
  if (auto valid = check_limit(request.limit); !valid) return fail(valid.error());
  const std::int64_t generation = serving_generation(db, request.scope.tenant).value_or(0);
  PagePoint point{.mode = request.sort == Sort::kRelevance ? 'r' : 'n', .generation = generation};
  if (request.after) {
    const auto parsed = PagePoint::parse(*request.after);
    if (!parsed) return not_a_cursor();
    if (parsed->generation != generation) return begun_before_the_swap();
    point = *parsed;
  }
  SearchPage page;
  if (auto expression = make_expression(db, request.scope, request.query)) {
    page = PageSearch(db, request, Matches(db, std::move(*expression), request.query), point).run();
  }
  page.indexed_through = read_progress(db);
  return page;
}

}  // namespace parley::search
