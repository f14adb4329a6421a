// Matches: what one query finds within its scope, newest first. Inside one snapshot, on a reader's thread.
//
// A word that many have is looked for in all conversations, and each document that has it is asked for its own: few
// steps give as many matches as are wanted. Where they do not (a word of other people's rooms), the conversations join
// the expression that FTS5 matches, which costs a look at each of them first. Short prefixes are looked for in the
// texts of documents in the same way, before FTS5 is asked for them.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/sqlite/connection.h"
#include "search/query.h"
#include "search/ranking.h"
#include "search/stores/fts5_expression.h"
#include "search/stores/fts5_tokenizer.h"

namespace parley::search {

class Matches {
 public:
  Matches(sqlite::Connection& db, Fts5Expression expression, const Query& query);

  // At most `most` of those below `id`.
  std::vector<MatchedDocument> below(std::int64_t id, std::size_t most, bool with_tally);

 private:
  struct Reading;
  class Sieve;
  bool collect(sqlite::Query& rows, Reading& reading, bool counts) const;
  void take(const sqlite::Query& row, Reading& reading) const;
  bool match(const std::string& text, Reading& reading) const;
  bool walk(Reading& reading) const;

  sqlite::Connection& db_;
  Fts5Expression expression_;
  Readable readable_;
  std::int64_t first_id_ = 0, beyond_id_ = INT64_MAX;
  std::int64_t from_ms_ = INT64_MIN, until_ms_ = INT64_MAX;
  std::vector<std::pair<std::int64_t, std::int64_t>> not_within_ms_;  // begin and end
};

// Gives the texts of the newest matches, the newest first; how many there were.
std::size_t for_each_text(sqlite::Connection& db, Fts5Expression expression, const Query& query, std::size_t most,
                          const std::function<void(std::string_view)>& take);

}  // namespace parley::search
