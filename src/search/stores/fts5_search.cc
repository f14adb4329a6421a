#include "search/stores/fts5_search.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "search/query_parser.h"
#include "search/stores/fts5_apply.h"
#include "search/stores/fts5_expression.h"
#include "search/text/analysis.h"
#include "search/text/fold.h"
#include "search/text/highlight.h"

namespace parley::search {

namespace {

struct Found {
  std::int64_t id;
  std::string tally;  // a byte for each phrase
  double length = 1;
  double score = 0;
};

// Where a page begins. kRanked: after `id`, or else at `offset`, in the ranking of the window below `anchor`;
// kNewest: below `id`.
struct PagePoint {
  char mode = 'r';
  std::int64_t anchor = INT64_MAX;
  std::int64_t id = INT64_MAX;
  std::int64_t offset = 0;

  std::string text() const {
    return std::string(1, mode) + ':' + std::to_string(anchor) + ':' + std::to_string(id) + ':' +
           std::to_string(offset);
  }
  static std::optional<PagePoint> parse(std::string_view text) {
    PagePoint point;
    if (text.size() < 2 || (text[0] != 'r' && text[0] != 'n') || text[1] != ':') return std::nullopt;
    point.mode = text[0];
    text.remove_prefix(2);
    for (std::int64_t* const value : {&point.anchor, &point.id, &point.offset}) {
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

// The matches of one query, newest first.
class Matches {
 public:
  Matches(sqlite::Connection& db, Fts5Expression expression, const Query& query)
      : db_(db), expression_(std::move(expression)) {
    constexpr std::int64_t kRunOverSeconds = 3600;  // what a full second may spill: see free_id
    if (query.not_before) {
      from_ = query.not_before->time_since_epoch().count();
      first_id_ = std::max<std::int64_t>(from_ / 1000, 0) << kIdBitsInSecond;
    }
    if (query.before) {
      until_ = query.before->time_since_epoch().count();
      beyond_id_ = (std::max<std::int64_t>(until_ / 1000, 0) + kRunOverSeconds) << kIdBitsInSecond;
    }
    dated_ = query.not_before || query.before;
  }

  std::vector<Found> below(std::int64_t id, std::int64_t most, bool with_tally) {
    const int phrases = with_tally ? expression_.word_phrases : 0;
    const std::int64_t beyond = std::min(id, beyond_id_);
    if (dated_) {
      sqlite::Query rows(
          db_,
          "SELECT words.rowid, parley_tally(words, ?2) FROM words JOIN documents d ON d.id = words.rowid "
          "WHERE words MATCH ?1 AND words.rowid >= ?3 AND words.rowid < ?4 AND d.created_at >= ?6 "
          "AND d.created_at < ?7 ORDER BY words.rowid DESC LIMIT ?5",
          expression_.text, phrases, first_id_, beyond, most, from_, until_);
      return collect(rows, phrases);
    }
    sqlite::Query rows(db_,
                       "SELECT rowid, parley_tally(words, ?2) FROM words WHERE words MATCH ?1 AND rowid >= ?3 "
                       "AND rowid < ?4 ORDER BY rowid DESC LIMIT ?5",
                       expression_.text, phrases, first_id_, beyond, most);
    return collect(rows, phrases);
  }

 private:
  static std::vector<Found> collect(sqlite::Query& rows, int phrases) {
    std::vector<Found> found;
    while (rows.step()) {
      Found match{.id = rows.integer(0)};
      const auto tally = rows.text(1);
      if (tally.size() >= static_cast<std::size_t>(phrases)) {
        match.tally = tally.substr(0, static_cast<std::size_t>(phrases));
        const auto length = parse_u64_or_one(tally.substr(static_cast<std::size_t>(phrases)));
        match.length = static_cast<double>(length);
      }
      found.push_back(std::move(match));
    }
    return found;
  }
  static std::uint64_t parse_u64_or_one(std::string_view text) {
    std::uint64_t value = 1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::max<std::uint64_t>(value, 1);
  }

  sqlite::Connection& db_;
  Fts5Expression expression_;
  std::int64_t first_id_ = 0, beyond_id_ = INT64_MAX;
  std::int64_t from_ = INT64_MIN, until_ = INT64_MAX;
  bool dated_ = false;
};

// BM25 over the window: how rare a word is, is counted among what the caller may read and nothing else. Newer wins by
// up to a tenth.
void rank(std::vector<Found>& window) {
  if (window.empty() || window.front().tally.empty()) return;
  constexpr double kSaturation = 1.2, kLengthWeight = 0.6, kNewnessWeight = 0.1;
  const auto count = static_cast<double>(window.size());
  double average = 0;
  std::vector<double> holders(window.front().tally.size(), 0);
  for (const Found& match : window) {
    average += match.length / count;
    for (std::size_t i = 0; i < holders.size(); ++i) holders[i] += match.tally[i] != 0;
  }
  double place = 0;
  for (Found& match : window) {
    const double damping = kSaturation * (1 - kLengthWeight + kLengthWeight * match.length / average);
    for (std::size_t i = 0; i < holders.size(); ++i) {
      const double times = static_cast<unsigned char>(match.tally[i]);
      const double rarity = std::log(2 + (count - holders[i]) / (holders[i] + 0.5));
      match.score += rarity * times * (kSaturation + 1) / (times + damping);
    }
    match.score *= 1 + kNewnessWeight * (1 - place++ / count);
  }
  std::ranges::sort(
      window, [](const Found& a, const Found& b) { return a.score != b.score ? a.score > b.score : a.id > b.id; });
}

class PageSearch {
 public:
  PageSearch(sqlite::Connection& db, const SearchRequest& request, Matches matches, PagePoint point)
      : db_(db), request_(request), matches_(std::move(matches)), point_(point) {}

  SearchPage run() {
    std::vector<Found> window = matches_.below(point_.anchor, kRankedWindow + 1, point_.mode == 'r');
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
  void take_ranked(std::vector<Found> window) {
    const std::int64_t lowest = window.empty() ? 0 : window.back().id;
    rank(window);
    auto begin = static_cast<std::size_t>(point_.offset);
    if (begin > 0) {
      const auto last = std::ranges::find(window, point_.id, &Found::id);
      if (last != window.end()) begin = static_cast<std::size_t>(last - window.begin()) + 1;
    }
    begin = std::min(begin, window.size());
    const std::size_t end = std::min(begin + request_.limit, window.size());
    for (std::size_t i = begin; i < end; ++i) add(window[i].id);
    if (end < window.size()) {
      page_.next = PagePoint{'r', point_.anchor, window[end - 1].id, static_cast<std::int64_t>(end)}.text();
    } else if (page_.total_is_bound) {
      page_.next = PagePoint{'n', point_.anchor, lowest, 0}.text();
    }
  }
  void take_newest(const std::vector<Found>& window) {
    const bool first = point_.id == INT64_MAX;
    const auto wanted = static_cast<std::int64_t>(request_.limit) + 1;
    const std::vector<Found> rows = first ? window : matches_.below(point_.id, wanted, false);
    const std::size_t end = std::min(request_.limit, rows.size());
    for (std::size_t i = 0; i < end; ++i) add(rows[i].id);
    if (end < rows.size()) page_.next = PagePoint{'n', point_.anchor, rows[end - 1].id, 0}.text();
  }
  void add(std::int64_t id) {
    sqlite::Query row(db_,
                      "SELECT c.public_id, d.message, d.seq, d.body FROM documents d "
                      "JOIN conversations c ON c.id = d.conversation WHERE d.id = ?1",
                      id);
    CHECK(row.step());
    page_.items.push_back({ConversationId(row.text(0)), message_of_key(row.blob(1)), row.integer(2),
                           highlight(row.text(3), request_.query)});
  }

  sqlite::Connection& db_;
  const SearchRequest& request_;
  Matches matches_;
  PagePoint point_;
  SearchPage page_;
};

Result<> check_scope(const SearchScope& scope) {
  if (scope.conversations.size() > kMaxScope) {
    return fail(ErrorKind::kInvalid, "scope_too_large", "The search spans too many conversations; name some with in:.");
  }
  return {};
}

}  // namespace

events::LogOffset read_progress(sqlite::Connection& db) {
  return {db.query_int("SELECT through FROM progress")};
}

Result<SearchPage> search_page(sqlite::Connection& db, const SearchRequest& request) {
  if (auto fits = check_scope(request.scope); !fits) return fail(fits.error());
  if (request.limit < 1 || request.limit > kMaxHits) return invalid_field("query.limit", "must be from 1 to 100");
  PagePoint point{.mode = request.sort == Sort::kRelevance ? 'r' : 'n'};
  if (request.after) {
    const auto parsed = PagePoint::parse(*request.after);
    if (!parsed) return invalid_field("query.cursor", "is not a cursor of this search");
    point = *parsed;
  }
  SearchPage page;
  if (auto expression = make_expression(db, request.scope, request.query)) {
    page = PageSearch(db, request, Matches(db, std::move(*expression), request.query), point).run();
  }
  page.indexed_through = read_progress(db);
  return page;
}

namespace {

constexpr std::int64_t kSuggestFrom = 200;  // messages

// Counts the words of texts that begin with a prefix.
class WordCounts final : public TokenSink {
 public:
  explicit WordCounts(std::string prefix) : prefix_(std::move(prefix)) {}
  bool on_token(std::string_view term, std::size_t, std::size_t, bool same_place) override {
    // What shares a place is a stem or a part, which nobody wrote as a word.
    if (!same_place && term.starts_with(prefix_)) ++counts_[std::string(term)];
    return true;
  }
  std::vector<std::string> most_used(std::size_t most) const {
    std::vector<std::pair<std::string, int>> all(counts_.begin(), counts_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::vector<std::string> words;
    for (std::size_t i = 0; i < std::min(most, all.size()); ++i) words.push_back(std::move(all[i].first));
    return words;
  }

 private:
  std::string prefix_;
  std::unordered_map<std::string, int> counts_;
};

}  // namespace

Result<std::vector<std::string>> suggest_words(sqlite::Connection& db, const SuggestRequest& request) {
  if (auto fits = check_scope(request.scope); !fits) return fail(fits.error());
  if (request.prefix.size() > kMaxQueryBytes) return invalid_field("query.q", "is longer than 1024 bytes");
  const TermSequence typed = terms_to_find(request.prefix, Match::kExact, kMaxPhrases);
  if (typed.size() != 1 || typed.front().front().size() < 2) return std::vector<std::string>{};
  Query query;
  query.clauses.push_back({.any_of = {{.text = request.prefix, .prefix = true}}});
  auto expression = make_expression(db, request.scope, query);
  if (!expression) return std::vector<std::string>{};
  WordCounts counts(typed.front().front());
  for (const Found& match : Matches(db, std::move(*expression), query).below(INT64_MAX, kSuggestFrom, false)) {
    sqlite::Query row(db, "SELECT body FROM documents WHERE id = ?1", match.id);
    if (row.step()) analyze(row.text(0), counts);
  }
  return counts.most_used(std::min(request.limit, kMaxHits));
}

}  // namespace parley::search
