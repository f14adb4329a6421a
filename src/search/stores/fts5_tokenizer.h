// What FTS5 needs from us on each connection: the tokenizer `parley`, the function parley_entry() of the view
// `entries`, and the auxiliary function parley_tally().
//
// An entry is kTermsMark, terms of the scope that were made elsewhere and are taken as they are (each keeps the mark,
// so that no message can give it), kTextMark, and the text of the message, which analyze() cuts. In a query every
// quoted text is one term. parley_tally(words, n, conversation, readable) answers NULL unless `readable`, a pointer to
// Readable, has the conversation, and else for each of the first n phrases of the query a byte: how often it occurs, at
// most 255. parley_candidate(words, candidates) asks `candidates`, a pointer to Candidates, whether to look further at
// a row. parley_readable(conversation, readable) answers NULL or an empty text in the same way.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "drivers/sqlite/connection.h"

namespace parley::search {

inline constexpr char kTermsMark = '\x01';
inline constexpr char kTextMark = '\x02';

// The numbers of the conversations that a caller may read.
class Readable {
 public:
  static constexpr const char* kPointerType = "parley_readable";

  explicit Readable(std::vector<std::int64_t> conversations) : sorted_(std::move(conversations)) {
    std::ranges::sort(sorted_);
  }
  bool has(std::int64_t conversation) const { return std::ranges::binary_search(sorted_, conversation); }
  const std::vector<std::int64_t>& all() const { return sorted_; }

 private:
  std::vector<std::int64_t> sorted_;
};

// What a search asks of each document that has the words, before its row is read.
class Candidates {
 public:
  static constexpr const char* kPointerType = "parley_candidates";
  virtual ~Candidates() = default;
  // May throw sqlite::Failure.
  virtual bool wants(std::int64_t document) = 0;
};

// Once a connection; further calls do nothing. Throws sqlite::Failure.
void register_fts5_parts(sqlite::Connection& connection);

}  // namespace parley::search
