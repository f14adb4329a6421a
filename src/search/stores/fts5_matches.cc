#include "search/stores/fts5_matches.h"

#include <algorithm>

#include "search/stores/fts5_document.h"
#include "search/stores/fts5_places.h"

namespace parley::search {

namespace {

// Documents that are asked for their conversation before FTS5 is, which costs it about so many for each conversation.
constexpr std::size_t kTriedAtLeast = 10'000, kTriedForEach = 50;
constexpr std::size_t kJudgedEvery = 2'000;

}  // namespace

struct Matches::Reading {
  std::int64_t below;
  std::size_t most;
  int phrases;
  std::size_t budget;  // candidates
  std::vector<MatchedDocument> found{};
  std::size_t seen = 0;

  // Whether going on like this would exceed the budget.
  bool is_slow() const {
    if (budget == SIZE_MAX || seen % kJudgedEvery != 0) return false;
    return seen / std::max<std::size_t>(found.size(), 1) * most > budget;
  }
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
}

std::vector<MatchedDocument> Matches::below(std::int64_t id, std::size_t most, bool with_tally) {
  const std::size_t budget = kTriedAtLeast + kTriedForEach * readable_.all().size();
  Reading reading{std::min(id, beyond_id_), most, with_tally ? expression_.word_phrases : 0, budget};
  bool done = false;
  if (!expression_.all.empty()) {
    done = match(expression_.text(), reading);
  } else if (expression_.none.empty()) {
    done = walk(reading);
  }
  if (!done) {
    reading.budget = SIZE_MAX;
    match(expression_.text_in_scope(), reading);
  }
  return std::move(reading.found);
}

// False when it gave up for slowness; reading.below says how far it came.
bool Matches::collect(sqlite::Query& rows, Reading& reading) const {
  while (reading.found.size() < reading.most && rows.step()) {
    reading.below = rows.integer(0);
    ++reading.seen;
    const std::int64_t created_ms = (reading.below >> kPlaceBits) * 1000 + rows.integer(2);
    if (!rows.is_null(3) && created_ms >= from_ms_ && created_ms < until_ms_) {
      reading.found.push_back(
          {reading.below, std::string(rows.text(3)), static_cast<double>(std::max<std::int64_t>(rows.integer(1), 1))});
    }
    if (reading.is_slow()) return false;
  }
  return true;
}

bool Matches::match(const std::string& text, Reading& reading) const {
  sqlite::Query rows(db_,
                     "SELECT words.rowid, length(d.body), d.created_ahead, parley_tally(words, ?2, d.conversation, ?5) "
                     "FROM words CROSS JOIN documents d ON d.id = words.rowid "
                     "WHERE words MATCH ?1 AND words.rowid >= ?3 AND words.rowid < ?4 ORDER BY words.rowid DESC",
                     text, reading.phrases, first_id_, reading.below,
                     sqlite::Pointer{&readable_, Readable::kPointerType});
  return collect(rows, reading);
}

bool Matches::walk(Reading& reading) const {
  sqlite::Query rows(db_,
                     "SELECT id, length(body), created_ahead, parley_readable(conversation, ?3) FROM documents "
                     "WHERE id >= ?1 AND id < ?2 ORDER BY id DESC",
                     first_id_, reading.below, sqlite::Pointer{&readable_, Readable::kPointerType});
  return collect(rows, reading);
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
