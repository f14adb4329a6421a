// What FTS5 needs from us on each connection: the tokenizer `parley`, which cuts message texts with analyze() and takes
// terms that were made elsewhere as they are, and the auxiliary function `parley_tally`.
//
// A text that begins with kTermsMark is a list of such terms, separated by spaces, none of which a message can give
// (each keeps the mark): the scope column. One that begins with kVerbatimMark is one term of a query.
// parley_tally(words, n) answers for the first n phrases of the query a byte each: how often it occurs, at most 255;
// then the number of terms in the body as text.
#pragma once
#include "drivers/sqlite/connection.h"

namespace parley::search {

inline constexpr char kTermsMark = '\x01';
inline constexpr char kVerbatimMark = '\x02';

// Once a connection; further calls do nothing. Throws sqlite::Failure.
void register_fts5_parts(sqlite::Connection& connection);

}  // namespace parley::search
