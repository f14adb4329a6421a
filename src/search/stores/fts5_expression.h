// From a Query and a scope to the expression that FTS5 matches. Nothing typed reaches FTS5's own syntax: every term is
// quoted and verbatim, the operators are ours.
#pragma once
#include <optional>
#include <string>

#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

struct Fts5Expression {
  std::string text;
  int word_phrases = 0;  // the first so many phrases of the expression are the words to rank by
};

// nullopt when nothing can match. `db` knows which numbers conversations and people have.
std::optional<Fts5Expression> make_expression(sqlite::Connection& db, const SearchScope& scope, const Query& query);

}  // namespace parley::search
