// From a Query and a scope to the expression that FTS5 matches. Nothing typed reaches FTS5's own syntax: every term is
// quoted and verbatim, the operators are ours.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

struct Fts5Expression {
  std::vector<std::string> words;  // each must match
  // Short beginnings of words, which many have: FTS5 would read all that is written of every word that begins so. Each
  // must match too.
  std::vector<std::string> prefixes;
  std::vector<std::string> filters;  // and each of these
  std::vector<std::string> none;     // and none of these
  int word_phrases = 0;              // how many phrases `words` have; ranking counts these, and the prefixes after them
  std::vector<std::int64_t> conversations;

  // Without the scope, which the caller then has to hold to itself, and perhaps without the prefixes. Empty when there
  // is nothing that must match.
  std::string text(bool with_prefixes) const;
  std::string text_in_scope() const;
};

// nullopt when nothing can match. `db` knows which numbers conversations and people have.
std::optional<Fts5Expression> make_expression(sqlite::Connection& db, const SearchScope& scope, const Query& query);
// All that the scope has.
std::optional<Fts5Expression> make_expression_of_scope(sqlite::Connection& db, const SearchScope& scope);

// What all documents of a conversation match.
std::string conversation_term(std::int64_t conversation);

}  // namespace parley::search
