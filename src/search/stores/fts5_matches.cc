#include "search/stores/fts5_matches.h"

#include <algorithm>

#include "search/stores/fts5_document.h"
#include "search/stores/fts5_places.h"
#include "search/stores/fts5_scopes.h"
#include "search/text/analysis.h"

namespace parley::search {

namespace {

// Documents that are asked for their conversation before FTS5 is, which costs it about so many for each conversation.
constexpr std::size_t kTriedAtLeast = 10'000, kTriedForEach = 50;
constexpr std::size_t kJudgedEvery = 2'000;

// How often a word of the text begins so, as FTS5 counts it.
class BeginningCount final : public TokenSink {
 public:
  explicit BeginningCount(std::string_view prefix) : prefix_(prefix) {}
  bool on_token(std::string_view term, std::size_t, std::size_t, bool) override {
    count += term.starts_with(prefix_) ? 1 : 0;
    return count < 255;
  }
  int count = 0;

 private:
  std::string_view prefix_;
};

}  // namespace

struct Matches::Reading {
  std::int64_t below;
  std::size_t most;
  int phrases;
  std::size_t budget;  // candidates
  bool reads_texts = false;
  std::vector<MatchedDocument> found{};
  std::size_t seen = 0;
  std::size_t found_before = 0;  // by another way

  // Whether going on like this would exceed the budget.
  bool is_slow() const {
    if (budget == SIZE_MAX || seen % kJudgedEvery != 0) return false;
    return seen / std::max<std::size_t>(found.size() - found_before, 1) * most > budget;
  }
};

// Counts the documents that have the words, and passes those that may be read; and some to be judged by, so that a word
// of others' rooms alone does not go on unseen.
class Matches::Sieve final : public Candidates {
 public:
  Sieve(sqlite::Connection& db, const Readable& readable, Reading& reading)
      : scopes_(db), readable_(readable), reading_(reading) {}
  bool wants(std::int64_t document) override {
    return ++reading_.seen % kJudgedEvery == 0 || readable_.has(scopes_.conversation_of(document));
  }

 private:
  ScopeReader scopes_;
  const Readable& readable_;
  Reading& reading_;
};

Matches::Matches(sqlite::Connection& db, Fts5Expression expression, const Query& query)
    : db_(db), expression_(std::move(expression)), readable_(expression_.conversations) {
  if (query.not_before) {
    from_ms_ = query.not_before->time_since_epoch().count();
    first_id_ = first_id_of_second(second_of_time(from_ms_));
  }
  if (query.before) {
    until_ms_ = query.before->time_since_epoch().count();
    beyond_id_ = first_id_of_second(second_of_time(until_ms_) + 1 + read_run_over(db));
  }
  for (const Exclusions::Span& span : query.none_of.times) {
    not_within_ms_.emplace_back(span.begin.time_since_epoch().count(), span.end.time_since_epoch().count());
  }
}

std::vector<MatchedDocument> Matches::below(std::int64_t id, std::size_t most, bool with_tally) {
  const std::size_t budget = kTriedAtLeast + kTriedForEach * readable_.all().size();
  const std::size_t prefixes = expression_.prefixes.size();
  Reading reading{std::min(id, beyond_id_), most, with_tally ? expression_.word_phrases : 0, budget};
  bool done = false;
  if (prefixes > 0 || expression_.text(false).empty()) {
    reading.reads_texts = prefixes > 0;
    if (const std::string text = expression_.text(false); !text.empty()) {
      done = match(text, reading);
    } else if (expression_.none.empty()) {
      done = walk(reading);
    }
    reading.reads_texts = false;
    if (with_tally) reading.phrases += static_cast<int>(prefixes);
  }
  if (const std::string text = expression_.text(true); !done && !text.empty()) {
    reading.seen = 0;
    reading.found_before = reading.found.size();
    done = match(text, reading);
  }
  if (!done) {
    reading.budget = SIZE_MAX;
    match(expression_.text_in_scope(), reading);
  }
  return std::move(reading.found);
}

// False when it gave up for slowness; reading.below says how far it came.
bool Matches::collect(sqlite::Query& rows, Reading& reading, bool counts) const {
  while (reading.found.size() < reading.most && rows.step()) {
    reading.below = rows.integer(0);
    reading.seen += counts ? 1 : 0;
    take(rows, reading);
    if (reading.is_slow()) return false;
  }
  return true;
}

// Adds a candidate that is readable, of the time and has the prefixes.
void Matches::take(const sqlite::Query& row, Reading& reading) const {
  if (row.is_null(3)) return;
  const std::int64_t created_ms = (reading.below >> kPlaceBits) * 1000 + row.integer(2);
  if (created_ms < from_ms_ || created_ms >= until_ms_) return;
  for (const auto& [begin, end] : not_within_ms_) {
    if (created_ms >= begin && created_ms < end) return;
  }
  MatchedDocument match{reading.below, std::string(row.text(3)), std::max(static_cast<double>(row.integer(1)), 1.0)};
  if (reading.reads_texts) {
    const sqlite::Blob body = row.blob(4);
    for (const std::string& prefix : expression_.prefixes) {
      BeginningCount beginning(prefix);
      analyze({reinterpret_cast<const char*>(body.data()), body.size()}, beginning);
      if (beginning.count == 0) return;
      match.tally += static_cast<char>(static_cast<unsigned char>(beginning.count));
    }
  }
  reading.found.push_back(std::move(match));
}

bool Matches::match(const std::string& text, Reading& reading) const {
  Sieve sieve(db_, readable_, reading);
  sqlite::Query rows(db_,
                     "SELECT words.rowid, length(d.body), d.created_ahead, "
                     "parley_tally(words, ?2, d.conversation, ?5), iif(?7, d.body, NULL) "
                     "FROM words CROSS JOIN documents d ON d.id = words.rowid "
                     "WHERE words MATCH ?1 AND words.rowid >= ?3 AND words.rowid < ?4 AND parley_candidate(words, ?6) "
                     "ORDER BY words.rowid DESC",
                     text, reading.phrases, first_id_, reading.below,
                     sqlite::Pointer{&readable_, Readable::kPointerType},
                     sqlite::Pointer{static_cast<Candidates*>(&sieve), Candidates::kPointerType}, reading.reads_texts);
  return collect(rows, reading, false);  // the sieve counts
}

bool Matches::walk(Reading& reading) const {
  sqlite::Query rows(db_,
                     "SELECT id, length(body), created_ahead, parley_readable(conversation, ?3), iif(?4, body, NULL) "
                     "FROM documents WHERE id >= ?1 AND id < ?2 ORDER BY id DESC",
                     first_id_, reading.below, sqlite::Pointer{&readable_, Readable::kPointerType},
                     reading.reads_texts);
  return collect(rows, reading, true);
}

std::size_t for_each_text(sqlite::Connection& db, Fts5Expression expression, const Query& query, std::size_t most,
                          const std::function<void(std::string_view)>& take) {
  const auto found = Matches(db, std::move(expression), query).below(INT64_MAX, most, false);
  for (const MatchedDocument& match : found) {
    sqlite::Query row(db, "SELECT body FROM documents WHERE id = ?1", match.id);
    if (row.step()) take(row.text(0));
  }
  return found.size();
}

}  // namespace parley::search
